"""Every input changed under a living lab: it takes full effect with the data kept, or is refused with the reason."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from checkout import CommandFailed
from tests.rehearsal.events import Step, one, steps
from tests.rehearsal.stage import Stage

CLUSTER = "storage-lab-dev"
NO_VPC = "vpc-0123456789abcdef0"


@dataclass
class Updated:
    """What one `pulumi up` did, and what there was afterwards."""

    steps: list[Step] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)
    cluster: dict[str, Any] = field(default_factory=dict)
    groups: list[dict[str, Any]] = field(default_factory=list)
    addons: dict[str, str] = field(default_factory=dict)
    nodes: int = 0
    volumes: set[str] = field(default_factory=set)
    image: str = ""

    def changed(self) -> set[tuple[str, str]]:
        """Op and type of every step, bookkeeping aside."""
        return {(step.op, step.type.rpartition(":")[2]) for step in self.steps if not step.type.startswith("pulumi:")}


class Updates:
    """One lab that is updated again and again."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self._runs = stage, 0

    def up(self, **config: Any) -> Updated:
        self.stage.lab.configure(config)
        self._runs += 1
        log = self.stage.folder / f"up{self._runs}.log"
        self.stage.lab.up("--event-log", str(log))
        return self._look(steps(log))

    def volumes_once(self, number: int) -> set[str]:
        """The lab's volumes as soon as there are so many, or after a while: the driver has its own pace."""
        deadline = time.monotonic() + 30
        while len(found := self._volumes()) != number and time.monotonic() < deadline:
            time.sleep(0.1)
        return found

    def _volumes(self) -> set[str]:
        mine = [{"Name": "tag:storage-lab", "Values": [CLUSTER]}]
        return {volume["VolumeId"] for volume in self.stage.aws("ec2").describe_volumes(Filters=mine)["Volumes"]}

    def refused(self, **config: Any) -> str:
        """What a preview with these inputs is refused with."""
        self.stage.lab.configure(config)
        with pytest.raises(CommandFailed) as refusal:
            self.stage.lab.preview()
        self.stage.lab.configure(dict.fromkeys(config))
        return str(refusal.value)

    def _look(self, found: list[Step]) -> Updated:
        eks = self.stage.aws("eks")
        group_names = eks.list_nodegroups(clusterName=CLUSTER)["nodegroups"]
        addon_names = eks.list_addons(clusterName=CLUSTER)["addons"]
        deployment = json.loads(self.stage.kubectl("get", "deployment", "nfs-server", "-o", "json"))
        return Updated(
            steps=found,
            outputs=self.stage.lab.outputs(),
            cluster=eks.describe_cluster(name=CLUSTER)["cluster"],
            groups=[eks.describe_nodegroup(clusterName=CLUSTER, nodegroupName=g)["nodegroup"] for g in group_names],
            addons={
                a: eks.describe_addon(clusterName=CLUSTER, addonName=a)["addon"]["addonVersion"] for a in addon_names
            },
            nodes=len(json.loads(self.stage.kubectl("get", "nodes", "-o", "json"))["items"]),
            volumes=self._volumes(),
            image=deployment["spec"]["template"]["spec"]["containers"][0]["image"],
        )


@dataclass
class Play:
    """The updates of one lab, in the order in which they were made."""

    nowhere: dict[str, str]
    untouched: bool
    smaller: str
    first: Updated
    version: Updated
    nodes: Updated
    servers: Updated
    class_: Updated
    elsewhere: str
    renamed: str
    left: Any


def all_updates(folder: Path) -> Play:
    """One lab, changed in every way."""
    with Stage(folder, {"kubernetesVersion": "1.35", "storage": "2Gi"}) as stage:
        updates = Updates(stage)
        nowhere = {
            "zone": updates.refused(zone="us-east-1c"),
            "vpc": updates.refused(vpcId=NO_VPC, subnetIds=["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]),
        }
        untouched = not stage.left()
        first = updates.up()
        smaller = updates.refused(storage="1Gi")
        stage.lab.configure({"storage": "2Gi"})
        elsewhere = updates.refused(kubernetesVersion="1.37", region="eu-west-1")
        version = updates.up(kubernetesVersion="1.36", publicAccessCidrs=["203.0.113.7/32"])
        nodes = updates.up(nodes=2, nodeType="t3.large", image="example.com/nfs:2")
        servers = updates.up(servers=["nfs-server", "other"])
        change_class(stage.lab.folder)
        class_ = updates.up(servers=["nfs-server"])
        class_.volumes = updates.volumes_once(1)
        renamed = renamed_and_back(stage)
        stage.lab.destroy()
        return Play(
            nowhere, untouched, smaller, first, version, nodes, servers, class_, elsewhere, renamed, stage.left()
        )


PERFORMANCES = [all_updates]


@pytest.fixture
def play(performances: Callable[[Callable[[Path], Any]], Any]) -> Play:
    return performances(all_updates)


def change_class(program: Path) -> None:
    file = program / "components" / "storage_class.py"
    text = file.read_text()
    assert '"type": "gp3"' in text
    file.write_text(text.replace('"type": "gp3"', '"type": "gp2"'))


def renamed_and_back(stage: Stage) -> str:
    """What a preview says after `pulumi stack rename`, with an older version of Kubernetes asked for too."""
    lab = stage.lab
    lab.configure({"kubernetesVersion": "1.35"})
    lab.pulumi("stack", "rename", "prod")
    with pytest.raises(CommandFailed) as refusal:
        lab.pulumi("preview", "--stack", "prod")
    lab.pulumi("stack", "rename", "dev")
    return str(refusal.value)


@pytest.mark.parametrize(
    ("what", "says"),
    [
        (
            "zone",
            "error: storage-lab:region us-east-1: EKS does not support zone us-east-1c; it accepts us-east-1a,",
        ),
        ("vpc", f"error: storage-lab:vpcId {NO_VPC}: AWS says:"),
    ],
)
def test_a_place_without_room_for_a_cluster_is_refused_before_the_first_resource(
    play: Play, what: str, says: str
) -> None:
    assert says in play.nowhere[what]
    assert "Traceback" not in play.nowhere[what]
    assert play.untouched


def test_a_smaller_claim_is_refused_in_preview(play: Play) -> None:
    assert "an EBS volume never shrinks" in play.smaller, "the claim would be replaced, and its data lost"


def test_a_new_kubernetes_version_reaches_control_plane_nodes_and_add_ons_in_place(play: Play) -> None:
    assert play.first.cluster["version"] == "1.35"
    assert play.version.cluster["version"] == "1.36"
    assert [group["version"] for group in play.version.groups] == ["1.36"], "nodes would stay behind"
    assert set(play.version.addons.values()) == {"v1.36.0-eksbuild.1"}, "add-ons would stay behind"
    assert {op for op, _ in play.version.changed()} == {"update"}, "a replacement would lose the data"
    control_plane, nodes = (
        one(play.version.steps, "update", "eks/cluster:Cluster"),
        one(play.version.steps, "update", "NodeGroup"),
    )
    assert control_plane.end < nodes.begin, "nodes may not be newer than their control plane"


def test_new_blocks_reach_the_endpoint(play: Play) -> None:
    assert play.version.cluster["resourcesVpcConfig"]["publicAccessCidrs"] == ["203.0.113.7/32"]


def test_the_data_outlives_every_update(play: Play) -> None:
    volume = play.first.outputs["volumeId"]
    for update in (play.version, play.nodes, play.servers, play.class_):
        assert update.outputs["volumeId"] == volume
        assert volume in update.volumes


def test_another_type_and_number_of_nodes_replaces_the_group_new_one_first(play: Play) -> None:
    (group,) = play.nodes.groups
    assert group["instanceTypes"] == ["t3.large"]
    assert play.nodes.nodes == 2
    made = one(play.nodes.steps, "create-replacement", "NodeGroup")
    gone = one(play.nodes.steps, "delete-replaced", "NodeGroup")
    assert made.end < gone.begin, "the pods would have nowhere to go"


def test_another_image_is_rolled_out(play: Play) -> None:
    assert play.nodes.image == "example.com/nfs:2"


def test_a_second_server_gets_its_own_volume_and_a_removed_one_takes_it_along(play: Play) -> None:
    assert len(play.servers.volumes) == 2
    assert len(play.servers.outputs["servers"]) == 2
    assert play.class_.volumes == play.first.volumes, "the volume of a removed server would be left behind"


def test_other_parameters_replace_the_class_and_leave_bound_claims_alone(play: Play) -> None:
    assert ("create-replacement", "StorageClass") in play.class_.changed()
    assert ("delete", "PersistentVolumeClaim") in play.class_.changed(), "the removed server's"
    assert not [op for op, kind in play.class_.changed() if kind == "PersistentVolumeClaim" and "replace" in op]


@pytest.mark.parametrize(
    ("preview", "refusal"),
    [
        ("elsewhere", "storage-lab:kubernetesVersion is 1.35 since this lab was created and cannot become 1.37"),
        ("elsewhere", "storage-lab:region is us-east-1 since this lab was created and cannot become eu-west-1"),
        ("elsewhere", "storage-lab:zone is us-east-1a, us-east-1b since this lab was created"),
        ("renamed", "storage-lab:kubernetesVersion is 1.36 since this lab was created and cannot become 1.35"),
        (
            "renamed",
            "storage-lab-STACK, is storage-lab-dev since this lab was created and cannot become storage-lab-prod",
        ),
    ],
)
def test_what_would_replace_the_cluster_is_refused_in_preview_all_of_it_at_once(
    play: Play, preview: str, refusal: str
) -> None:
    said: str = getattr(play, preview)
    assert refusal in said
    assert "Traceback" not in said


def test_destroy_after_all_updates_leaves_nothing(play: Play) -> None:
    assert not play.left
