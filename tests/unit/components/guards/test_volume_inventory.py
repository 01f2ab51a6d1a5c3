"""What is left of a class is found and explained, from the answers that the two APIs give."""

from lightkube.models.core_v1 import EphemeralVolumeSource, Volume
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.models.storage_v1 import VolumeAttachmentSource, VolumeAttachmentSpec
from lightkube.resources.storage_v1 import VolumeAttachment

from components.guards.volume_inventory import Claim, EbsVolume, Inventory, explain, in_ec2, in_kubernetes
from tests.unit.components.guards.kubernetes_objects import Ec2, Kubernetes, claim, pod, storage_class, using, volume


def test_only_what_is_of_the_class_counts() -> None:
    cluster = Kubernetes(
        volume("pv-1"), volume("pv-2", of="gp2"), claim("a"), claim("b", of="gp2"), claim("c", of=None)
    )
    left = in_kubernetes(cluster, "ebs")
    assert [found.name for found in left.volumes] == ["pv-1"]
    assert left.claims == (Claim("default", "a"),), "a claim without a volume is of the class as well"


def test_every_class_of_the_driver_counts() -> None:
    fast, others = storage_class("fast", "ebs.csi.aws.com"), storage_class("others", "example.com/others")
    unbound = volume("pv-1", of="gone", driver="ebs.csi.aws.com")
    left = in_kubernetes(Kubernetes(fast, others, claim("a", of="fast"), claim("b", of="others"), unbound), "ebs")
    assert left.claims == (Claim("default", "a"),)
    assert [found.name for found in left.volumes] == ["pv-1"], "nothing deletes its disk once the driver is gone"


def test_an_empty_cluster_has_nothing_left() -> None:
    assert not in_kubernetes(Kubernetes(), "ebs")


def test_a_claim_or_an_ebs_volume_alone_is_something_left() -> None:
    assert Inventory(claims=(Claim("default", "a"),))
    assert Inventory(ebs_volumes=(EbsVolume("vol-1", "available", ()),))


def test_what_holds_a_volume_is_named() -> None:
    attachment = VolumeAttachment(
        metadata=ObjectMeta(name="csi-1"),
        spec=VolumeAttachmentSpec(
            attacher="ebs.csi.aws.com", nodeName="node-1", source=VolumeAttachmentSource(persistentVolumeName="pv-1")
        ),
    )
    cluster = Kubernetes(
        volume("pv-1", claim=Claim("team", "data")),
        claim("data", namespace="team"),
        pod("mine", using("data"), namespace="team"),
        pod("innocent", using("data"), namespace="default"),
        pod("stateless"),
        attachment,
    )
    [line] = explain(in_kubernetes(cluster, "ebs"), cluster)
    for part in ("PersistentVolume pv-1", "team/data", "Pod team/mine", "VolumeAttachment csi-1", "node node-1"):
        assert part in line
    assert "innocent" not in line, "a claim of the same name in another namespace is another claim"


def test_a_claim_without_a_volume_is_named_with_its_pods() -> None:
    cluster = Kubernetes(claim("waiting", namespace="team"), pod("p", using("waiting"), namespace="team"))
    assert explain(in_kubernetes(cluster, "ebs"), cluster) == ["claim team/waiting, used by Pod team/p"]


def test_a_claim_that_a_pod_brought_along_is_traced_to_the_pod() -> None:
    cluster = Kubernetes(claim("p-scratch"), pod("p", Volume(name="scratch", ephemeral=EphemeralVolumeSource())))
    assert explain(in_kubernetes(cluster, "ebs"), cluster) == ["claim default/p-scratch, used by Pod default/p"]


def test_a_volume_that_is_kept_on_purpose_is_said_to_be() -> None:
    cluster = Kubernetes(volume("pv-1", policy="Retain"))
    [line] = explain(in_kubernetes(cluster, "ebs"), cluster)
    assert "reclaim policy is Retain" in line, "waiting longer would not help, and the user has to know"


def test_ebs_volumes_are_found_by_the_tag_on_every_page() -> None:
    ec2 = Ec2(
        {"VolumeId": "vol-1", "State": "in-use", "Attachments": [{"InstanceId": "i-1"}]},
        {"VolumeId": "vol-2", "State": "deleting"},
        {"VolumeId": "vol-3", "State": "deleted"},
    )
    found = in_ec2(ec2, {"storage-lab": "storage-lab-dev"})
    assert ec2.filters == [{"tag:storage-lab": ["storage-lab-dev"]}]
    assert [(volume.id, volume.state) for volume in found] == [("vol-1", "in-use"), ("vol-2", "deleting")]
    lines = explain(Inventory(ebs_volumes=found), None)
    assert lines == ["EBS volume vol-1 is in-use, attached to i-1", "EBS volume vol-2 is deleting"]
