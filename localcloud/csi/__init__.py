"""The controller half of the CSI driver ebs.csi.aws.com: server.py puts the parts together and serves them."""
