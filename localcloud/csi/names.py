"""The names and numbers by which Kubernetes knows this driver."""

DRIVER = "ebs.csi.aws.com"

MOST_VOLUMES_ON_A_NODE = 25
"""What the CSINode objects announce, and what an instance with 28 attachments can hold beside root and network."""
