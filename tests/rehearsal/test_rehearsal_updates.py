"""Every input changed in a running lab: it takes full effect with the data kept, or is refused with the reason."""

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from checkout import CommandFailed
from tests.rehearsal.aws_rehearsal import AwsRehearsal
from tests.rehearsal.events import Step, one, steps
from tests.rehearsal.scenarios import ResultOf

pytestmark = pytest.mark.thorough

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
    sizes: dict[str, Any] = field(default_factory=dict)
    image: str = ""

    def changed(self) -> set[tuple[str, str]]:
        """Return operation and type of every step that is not Pulumi's own."""
        return {(step.op, step.type.rpartition(":")[2]) for step in self.steps if not step.type.startswith("pulumi:")}


class Updates:
    """One lab that is updated again and again."""

    def __init__(self, rehearsal: AwsRehearsal) -> None:
        self.rehearsal, self._runs = rehearsal, 0

    def up(self, **config: Any) -> Updated:
        self.rehearsal.checkout.configure(config)
        self._runs += 1
        log = self.rehearsal.folder / f"up{self._runs}.log"
        # As `pulumi up` does by itself. A preview refuses where it takes something unknown for a replacement.
        self.rehearsal.checkout.preview()
        self.rehearsal.checkout.up("--event-log", str(log))
        return self._look(steps(log))

    def volumes_once(self, number: int) -> set[str]:
        """Return the lab's volumes once there are so many: the driver deletes one some seconds after its claim."""
        deadline = time.monotonic() + 30
        while len(found := self._volumes()) != number and time.monotonic() < deadline:
            time.sleep(0.1)
        return found

    def _volumes(self) -> set[str]:
        mine = [{"Name": "tag:storage-lab", "Values": [CLUSTER]}]
        return {volume["VolumeId"] for volume in self.rehearsal.aws("ec2").describe_volumes(Filters=mine)["Volumes"]}

    def _sizes(self) -> dict[str, Any]:
        """Return what claim, PersistentVolume and EBS volume of the first server have."""
        claim = json.loads(self.rehearsal.kubectl("get", "pvc", "nfs-pvc", "-o", "json"))
        volume = json.loads(self.rehearsal.kubectl("get", "pv", claim["spec"]["volumeName"], "-o", "json"))
        ids = [volume["spec"]["csi"]["volumeHandle"]]
        return {
            "claim": claim["status"]["capacity"]["storage"],
            "PersistentVolume": volume["spec"]["capacity"]["storage"],
            "EC2": self.rehearsal.aws("ec2").describe_volumes(VolumeIds=ids)["Volumes"][0]["Size"],
        }

    def refused(self, **config: Any) -> str:
        """Return what a preview with these inputs says when it refuses them."""
        self.rehearsal.checkout.configure(config)
        with pytest.raises(CommandFailed) as refusal:
            self.rehearsal.checkout.preview()
        self.rehearsal.checkout.configure(dict.fromkeys(config))
        return str(refusal.value)

    def _look(self, found: list[Step]) -> Updated:
        eks = self.rehearsal.aws("eks")
        group_names = eks.list_nodegroups(clusterName=CLUSTER)["nodegroups"]
        addon_names = eks.list_addons(clusterName=CLUSTER)["addons"]
        deployment = json.loads(self.rehearsal.kubectl("get", "deployment", "nfs-server", "-o", "json"))
        return Updated(
            steps=found,
            outputs=self.rehearsal.checkout.outputs(),
            cluster=eks.describe_cluster(name=CLUSTER)["cluster"],
            groups=[eks.describe_nodegroup(clusterName=CLUSTER, nodegroupName=g)["nodegroup"] for g in group_names],
            addons={
                a: eks.describe_addon(clusterName=CLUSTER, addonName=a)["addon"]["addonVersion"] for a in addon_names
            },
            nodes=len(json.loads(self.rehearsal.kubectl("get", "nodes", "-o", "json"))["items"]),
            volumes=self._volumes(),
            sizes=self._sizes(),
            image=deployment["spec"]["template"]["spec"]["containers"][0]["image"],
        )


@dataclass
class Run:
    """The updates of one lab, in the order in which they were made."""

    nowhere: dict[str, str]
    untouched: bool
    smaller: str
    first: Updated
    version: Updated
    nodes: Updated
    servers: Updated
    class_: Updated
    grown: Updated
    again: str
    elsewhere: str
    renamed: str
    left: Any


def all_updates(folder: Path) -> Run:
    """One lab, changed in every way."""
    with AwsRehearsal(folder, {"kubernetesVersion": "1.35", "storage": "2Gi"}) as rehearsal:
        updates = Updates(rehearsal)
        nowhere = {
            "zone": updates.refused(zone="us-east-1c"),
            "vpc": updates.refused(vpcId=NO_VPC, subnetIds=["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]),
        }
        untouched = not rehearsal.left()
        first = updates.up()
        smaller = updates.refused(storage="1Gi")
        rehearsal.checkout.configure({"storage": "2Gi"})
        elsewhere = updates.refused(kubernetesVersion="1.37", region="eu-west-1")
        version = updates.up(kubernetesVersion="1.36", publicAccessCidrs=["203.0.113.7/32"])
        nodes = updates.up(nodes=2, nodeType="t3.large", image="example.com/nfs:2", publicAccessCidrs=None)
        servers = updates.up(servers=["nfs-server", "other"])
        change_class(rehearsal.checkout.folder)
        class_ = updates.up(servers=["nfs-server"], nodes=None, nodeType=None, image=None)
        class_.volumes = updates.volumes_once(1)
        grown = updates.up(storage="3Gi")
        again = rehearsal.checkout.preview("--expect-no-changes").stdout
        renamed = renamed_and_back(rehearsal)
        rehearsal.checkout.destroy()
        return Run(
            nowhere, untouched, smaller, first, version, nodes, servers, class_, grown, again, elsewhere, renamed,
            rehearsal.left(),
        )  # fmt: skip


SCENARIOS = [all_updates]


@pytest.fixture
def run(result_of: ResultOf) -> Run:
    return result_of(all_updates)


def change_class(program: Path) -> None:
    file = program / "components" / "storage_class.py"
    text = file.read_text()
    assert '"type": "gp3"' in text
    file.write_text(text.replace('"type": "gp3"', '"type": "gp2"'))


def renamed_and_back(rehearsal: AwsRehearsal) -> str:
    """Return what a preview says after `pulumi stack rename`, when an older Kubernetes is asked for too."""
    lab = rehearsal.checkout
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
def test_placement_without_room_is_refused_before_all_else(run: Run, what: str, says: str) -> None:
    assert says in run.nowhere[what]
    assert "Traceback" not in run.nowhere[what]
    assert run.untouched


def test_smaller_claim_is_refused_in_preview(run: Run) -> None:
    assert "an EBS volume never shrinks" in run.smaller, "the claim would be replaced, and its data lost"


def test_larger_storage_grows_the_volume_in_place(run: Run) -> None:
    assert run.class_.sizes == {"claim": "2Gi", "PersistentVolume": "2Gi", "EC2": 2}
    assert run.grown.sizes == {"claim": "3Gi", "PersistentVolume": "3Gi", "EC2": 3}, "up was done before its volume"
    assert run.grown.changed() == {("update", "VolumeGrowth")}, "a claim that is replaced loses its data"
    assert "unchanged" in run.again


def test_kubernetes_version_reaches_everything_in_place(run: Run) -> None:
    assert run.first.cluster["version"] == "1.35"
    assert run.version.cluster["version"] == "1.36"
    assert [group["version"] for group in run.version.groups] == ["1.36"], "nodes would stay behind"
    assert set(run.version.addons.values()) == {"v1.36.0-eksbuild.1"}, "add-ons would stay behind"
    assert {op for op, _ in run.version.changed()} == {"update"}, "a replacement would lose the data"


def test_upgrade_begins_with_control_plane_and_ends_with_driver(run: Run) -> None:
    control_plane = one(run.version.steps, "update", "eks/cluster:Cluster")
    driver = one(run.version.steps, "update", "Addon", "lab-ebs-aws-ebs-csi-driver")
    between = [one(run.version.steps, "update", "NodeGroup")]
    between += [one(run.version.steps, "update", "Addon", name) for name in ADDONS_OF_EVERY_NODE]
    assert [step.label for step in between if step.begin < control_plane.end] == [], "newer than the API server"
    assert [step.label for step in between if step.end > driver.begin] == [], "the driver needs them all"


ADDONS_OF_EVERY_NODE = ("lab-kube-proxy", "lab-vpc-cni", "lab-ebs-eks-pod-identity-agent")


def test_new_blocks_reach_the_endpoint(run: Run) -> None:
    assert run.version.cluster["resourcesVpcConfig"]["publicAccessCidrs"] == ["203.0.113.7/32"]


def test_blocks_taken_away_open_the_endpoint_again(run: Run) -> None:
    assert run.nodes.cluster["resourcesVpcConfig"]["publicAccessCidrs"] == ["0.0.0.0/0"], (
        "a learner whose address changed would stay locked out"
    )


def test_settings_taken_back_have_their_defaults_again(run: Run) -> None:
    (group,) = run.class_.groups
    assert (group["instanceTypes"], group["scalingConfig"]["desiredSize"]) == (["t3.medium"], 1)
    assert run.class_.image == run.first.image


def test_data_outlives_every_update(run: Run) -> None:
    volume = run.first.outputs["volumeId"]
    for update in (run.version, run.nodes, run.servers, run.class_, run.grown):
        assert update.outputs["volumeId"] == volume
        assert volume in update.volumes


def test_other_nodes_come_before_the_old_ones_end(run: Run) -> None:
    (group,) = run.nodes.groups
    assert group["instanceTypes"] == ["t3.large"]
    assert run.nodes.nodes == 2
    made = one(run.nodes.steps, "create-replacement", "NodeGroup")
    gone = one(run.nodes.steps, "delete-replaced", "NodeGroup")
    assert made.end < gone.begin, "the pods would have nowhere to go"


def test_other_image_is_rolled_out(run: Run) -> None:
    assert run.nodes.image == "example.com/nfs:2"


def test_second_server_has_a_volume_until_it_is_removed(run: Run) -> None:
    assert len(run.servers.volumes) == 2
    assert len(run.servers.outputs["servers"]) == 2
    assert run.class_.volumes == run.first.volumes, "the volume of a removed server would be left behind"


def test_other_parameters_replace_the_class_only(run: Run) -> None:
    assert ("create-replacement", "StorageClass") in run.class_.changed()
    assert ("delete", "PersistentVolumeClaim") in run.class_.changed(), "the removed server's"
    assert not [op for op, kind in run.class_.changed() if kind == "PersistentVolumeClaim" and "replace" in op]


@pytest.mark.parametrize(
    ("preview", "refusal"),
    [
        ("elsewhere", "storage-lab:kubernetesVersion is 1.35 in this lab and cannot become 1.37"),
        ("elsewhere", "storage-lab:region is us-east-1 in this lab and cannot become eu-west-1"),
        ("elsewhere", "storage-lab:zone is us-east-1a, us-east-1b in this lab"),
        ("renamed", "storage-lab:kubernetesVersion is 1.36 in this lab and cannot become 1.35"),
        (
            "renamed",
            "storage-lab-STACK, is storage-lab-dev in this lab and cannot become storage-lab-prod",
        ),
    ],
)
def test_preview_refuses_all_that_would_replace_the_cluster(run: Run, preview: str, refusal: str) -> None:
    said: str = getattr(run, preview)
    assert refusal in said
    assert "Traceback" not in said


def test_destroy_after_all_updates_leaves_nothing(run: Run) -> None:
    assert not run.left
