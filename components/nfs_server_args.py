"""NfsServerArgs: what a program can say about an NFS server. Names and defaults are a contract: docs/component.md."""

from typing import TypedDict

import pulumi


class Toleration(TypedDict, total=False):
    """A taint of nodes that the server's Pod tolerates, as Kubernetes writes it."""

    key: pulumi.Input[str]
    """The taint's key. Default: every key, with the operator Exists."""
    operator: pulumi.Input[str]
    """Equal or Exists. Default: Equal."""
    value: pulumi.Input[str]
    """The taint's value, for the operator Equal."""
    effect: pulumi.Input[str]
    """NoSchedule, PreferNoSchedule or NoExecute. Default: every effect."""


class NfsServerArgs(TypedDict, total=False):
    """The arguments of an NFS server. Each has a default."""

    server_name: pulumi.Input[str]
    """What the Deployment and the Service are called. Default: the component's own name."""
    namespace: pulumi.Input[str]
    """The namespace, which must exist. Default: default."""
    storage: pulumi.Input[str]
    """Size of the volume, a Kubernetes quantity from 1Gi to 16Ti. Default: 1Gi."""
    image: pulumi.Input[str]
    """The server's container image. Default: registry.k8s.io/e2e-test-images/volume/nfs:1.6.0."""
    claim_name: pulumi.Input[str]
    """What the claim is called. Default: the server's name without -server, then -pvc."""
    storage_class: pulumi.Input[str]
    """The StorageClass of the claim. Default: the cluster's default class."""
    from_snapshot: pulumi.Input[str]
    """A VolumeSnapshot in the namespace whose data a new claim begins with. Default: an empty volume."""
    existing_claim: pulumi.Input[str]
    """A claim in the namespace that exists already and stays after the server. Default: the server creates its own."""
    protect: bool
    """Whether Pulumi refuses to delete or replace the claim, and so its data. Default: true."""
    requests: pulumi.Input[dict[str, pulumi.Input[str]]]
    """What the container requests: cpu and memory, each a Kubernetes quantity. Default: nothing."""
    limits: pulumi.Input[dict[str, pulumi.Input[str]]]
    """What the container may use at most: cpu and memory, each a Kubernetes quantity. Default: no limit."""
    node_selector: pulumi.Input[dict[str, pulumi.Input[str]]]
    """Labels that a node must have for the server's Pod. Default: any node."""
    tolerations: pulumi.Input[list[pulumi.Input[Toleration]]]
    """Taints of nodes that the server's Pod tolerates. Default: none."""
    labels: pulumi.Input[dict[str, pulumi.Input[str]]]
    """Labels for the claim, the Deployment, the Pod and the Service, beside the label role. Default: none."""
    annotations: pulumi.Input[dict[str, pulumi.Input[str]]]
    """Annotations for the claim, the Deployment, the Pod and the Service. Default: none."""
