"""The parts of the CSI controller `ebs.csi.aws.com`; ebs_csi.py puts them together and serves them."""
