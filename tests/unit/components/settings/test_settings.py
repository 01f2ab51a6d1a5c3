"""The configuration: what it means, and that every mistake in it is named before anything starts."""

import json
from pathlib import Path

import pulumi
import pytest
import yaml
from pulumi.runtime.config import set_all_config

from components.settings import BadSettings, load, parse
from tests.unit.mocks import deploy

ROOT = Path(__file__).resolve().parents[4]
LOCAL = {"target": "local"}
SNAPSHOTS = {**LOCAL, "snapshots": "true"}
EKS = {"target": "eks"}
SUBNETS = '["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]'


def problems(values: dict[str, str]) -> list[str]:
    with pytest.raises(BadSettings) as refusal:
        parse(values)
    return list(refusal.value.problems)


def test_only_the_target_has_to_be_said() -> None:
    settings = parse(LOCAL)
    assert [(server.namespace, server.name, server.claim_name) for server in settings.servers] == [
        ("default", "nfs-server", "nfs-pvc")
    ]
    assert (settings.region, settings.storage, settings.nodes) == ("us-east-1", "1Gi", 1)
    assert settings.image == "registry.k8s.io/e2e-test-images/volume/nfs:1.6.0"
    assert settings.reclaim_timeout_seconds == 300
    assert not settings.snapshots, "a snapshot costs money, and two more Pods on AWS"
    assert settings.namespaces == [], "the namespace default is there already"
    assert settings.eks is None


def test_every_local_key_arrives() -> None:
    settings = parse(
        LOCAL
        | {
            "region": "eu-central-1",
            "zone": "eu-central-1b",
            "servers": '["files", {"name": "team/files", "fromSnapshot": "monday"}, "other/nfs-server"]',
            "snapshots": "true",
            "storage": "5Gi",
            "image": "a/b:1",
            "nodes": "3",
            "reclaimTimeoutSeconds": "60",
        }
    )
    assert (settings.region, settings.zone) == ("eu-central-1", "eu-central-1b")
    assert [server.label for server in settings.servers] == ["files", "team/files", "other/nfs-server"]
    assert [server.claim_name for server in settings.servers] == ["files-pvc", "files-pvc", "nfs-pvc"]
    assert [server.from_snapshot for server in settings.servers] == [None, "monday", None]
    assert settings.snapshots
    assert settings.namespaces == ["other", "team"]
    assert (settings.storage, settings.image) == ("5Gi", "a/b:1")
    assert (settings.nodes, settings.reclaim_timeout_seconds) == (3, 60)


def test_every_eks_key_arrives() -> None:
    settings = parse(
        EKS
        | {
            "kubernetesVersion": "1.35",
            "nodeType": "m7i-flex.large",
            "spot": "true",
            "vpcId": "vpc-0123456789abcdef0",
            "subnetIds": SUBNETS,
            "publicAccessCidrs": '["203.0.113.7/32"]',
        }
    ).eks
    assert settings is not None
    assert (settings.kubernetes_version, settings.node_type, settings.spot) == ("1.35", "m7i-flex.large", True)
    assert (settings.vpc_id, list(settings.subnet_ids)) == ("vpc-0123456789abcdef0", json.loads(SUBNETS))
    assert settings.public_access_cidrs == ("203.0.113.7/32",)


def test_without_keys_a_cluster_on_aws_has_todays_defaults() -> None:
    settings = parse(EKS).eks
    assert settings is not None
    assert (settings.kubernetes_version, settings.node_type, settings.spot) == ("1.36", "t3.medium", False)
    assert (settings.vpc_id, settings.subnet_ids, settings.public_access_cidrs) == (None, (), ("0.0.0.0/0",))


@pytest.mark.parametrize(("servers", "nodes"), [(1, 1), (25, 1), (26, 2), (200, 8)])
def test_there_are_nodes_enough_for_the_volumes(servers: int, nodes: int) -> None:
    assert parse(LOCAL | {"servers": json.dumps([f"s{number}" for number in range(servers)])}).nodes == nodes


@pytest.mark.parametrize(("servers", "nodes"), [(1, 1), (9, 1), (10, 2), (30, 3), (200, 16)])
def test_there_are_eks_nodes_enough_for_the_pods(servers: int, nodes: int) -> None:
    names = json.dumps([f"s{number}" for number in range(servers)])
    assert parse(EKS | {"servers": names}).nodes == nodes, "a t3.medium holds 17 Pods, the system's among them"
    with_snapshots = parse(EKS | {"servers": names, "snapshots": "true"}).nodes
    assert with_snapshots == -(-(servers + 6) // 13), "the snapshot controller has two Pods too"
    large = parse(EKS | {"servers": names, "nodeType": "m5.4xlarge"}).nodes
    assert large == -(-servers // 25), "a larger type is bounded by its volumes"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "storage-lab:target is missing; accepted is local or eks"),
        ({"target": "aws"}, 'storage-lab:target "aws" is not known; accepted is local or eks'),
        ({"target": "Local"}, 'storage-lab:target "Local" is not known'),
        (LOCAL | {"region": "mars"}, 'storage-lab:region "mars" is not an AWS region'),
        (LOCAL | {"region": ""}, 'storage-lab:region "" is not an AWS region'),
        (LOCAL | {"zone": "us-west-2a"}, 'storage-lab:zone "us-west-2a" is not an availability zone of us-east-1'),
        (LOCAL | {"zone": "us-east-1f"}, "accepted are the zones a, b and c of us-east-1"),
        (LOCAL | {"storage": "1GB"}, 'storage-lab:storage "1GB" is not a Kubernetes quantity'),
        (LOCAL | {"storage": "1Mi"}, 'storage-lab:storage "1Mi" is less than the smallest EBS volume'),
        (LOCAL | {"storage": "true"}, 'storage-lab:storage "true" is not a Kubernetes quantity'),
        (LOCAL | {"storage": '["1Gi"]'}, "is not a Kubernetes quantity"),
        (LOCAL | {"storage": "1Gi\nx"}, '"1Gi\\nx" is not a Kubernetes quantity'),
        (LOCAL | {"image": "A b"}, 'storage-lab:image "A b" is not an image reference'),
        (LOCAL | {"nodes": "-1"}, 'storage-lab:nodes "-1" cannot be used; accepted is a whole number from 0 to 100'),
        (LOCAL | {"nodes": "101"}, "accepted is a whole number from 0 to 100"),
        (LOCAL | {"nodes": "1.5"}, "accepted is a whole number"),
        (LOCAL | {"nodes": "two"}, "accepted is a whole number"),
        (LOCAL | {"nodes": "٣"}, "accepted is a whole number"),
        (LOCAL | {"nodes": "9" * 5000}, "accepted is a whole number"),
        (LOCAL | {"reclaimTimeoutSeconds": "0"}, "accepted is a whole number from 1 to 86400"),
        (LOCAL | {"servers": "nfs-server"}, 'storage-lab:servers "nfs-server" is not a list'),
        (LOCAL | {"servers": '{"a": 1}'}, "is not a list"),
        (LOCAL | {"servers": "[" * 100000}, "is not a list"),
        (LOCAL | {"servers": "[]"}, 'storage-lab:servers "[]" is empty; accepted is a list of one text or more'),
        (LOCAL | {"servers": "[true]"}, 'storage-lab:servers[0] "true" is not text; quote it'),
        (LOCAL | {"servers": '["ok", "No"]'}, 'storage-lab:servers[1] "No" is not a Kubernetes name'),
        (LOCAL | {"servers": '["a/b/c"]'}, "is not a Kubernetes name"),
        (LOCAL | {"servers": '["/a"]'}, "is not a Kubernetes name"),
        (LOCAL | {"servers": '["a/"]'}, "is not a Kubernetes name"),
        (LOCAL | {"servers": '["kube-system/a"]'}, "namespaces that begin with kube- belong to Kubernetes"),
        (LOCAL | {"servers": '["a", "b", "a"]'}, "names a twice"),
        (LOCAL | {"servers": '["a", "default/a"]'}, "names a twice"),
        (SNAPSHOTS | {"servers": '["a", {"name": "a", "fromSnapshot": "s"}]'}, "names a twice"),
        (SNAPSHOTS | {"servers": '[{"fromSnapshot": "s"}]'}, "servers[0] has no name; accepted are name and"),
        (SNAPSHOTS | {"servers": '[{"name": "a", "from": "s"}]'}, "servers[0] has the unknown key from; accepted are"),
        (SNAPSHOTS | {"servers": '[{"name": "A"}]'}, 'servers[0].name "A" is not a Kubernetes name'),
        (
            SNAPSHOTS | {"servers": '[{"name": "a", "fromSnapshot": "S"}]'},
            'servers[0].fromSnapshot "S" is not a Kubernetes name',
        ),
        (
            SNAPSHOTS | {"servers": '[{"name": "a", "fromSnapshot": 7}]'},
            'servers[0].fromSnapshot "7" is not text; quote it',
        ),
        (
            LOCAL | {"servers": '["a", {"name": "b", "fromSnapshot": "s"}]'},
            "restores b from a snapshot, which needs snapshots: set that to true",
        ),
        (LOCAL | {"snapshots": "yes"}, 'storage-lab:snapshots "yes" is neither; accepted is true or false'),
        (
            LOCAL | {"servers": '["x/nfs", "x/nfs-server"]'},
            "x/nfs and x/nfs-server, which would share the claim nfs-pvc",
        ),
        (LOCAL | {"spot": "true"}, 'storage-lab:spot "true" means nothing on the target local'),
        (LOCAL | {"vpcId": "vpc-12345678"}, "means nothing on the target local"),
        (LOCAL | {"kubernetesVersion": "1.36"}, "means nothing on the target local"),
        (EKS | {"spot": "yes"}, 'storage-lab:spot "yes" is neither; accepted is true or false'),
        (
            EKS | {"image": "k8s.gcr.io/volume-nfs:0.8"},
            "is a Docker schema 1 image, which no current EKS node can pull",
        ),
        (EKS | {"image": "k8s.gcr.io/volume-nfs"}, "leave the key out for its maintained successor"),
        (EKS | {"image": "gcr.io/google_containers/volume-nfs:0.8"}, "is a Docker schema 1 image"),
        (EKS | {"kubernetesVersion": "1.3"}, 'accepted is "1.34" or newer, in quotes'),
        (EKS | {"kubernetesVersion": "1.33"}, 'accepted is "1.34" or newer'),
        (EKS | {"kubernetesVersion": "v1.36"}, "is not a Kubernetes version"),
        (EKS | {"nodeType": "big"}, 'storage-lab:nodeType "big" is not an EC2 instance type'),
        (EKS | {"vpcId": "vpc-12345678"}, "needs subnetIds too"),
        (EKS | {"subnetIds": SUBNETS}, "needs vpcId too"),
        (EKS | {"vpcId": "vpc-1", "subnetIds": SUBNETS}, 'storage-lab:vpcId "vpc-1" is not the id of a VPC'),
        (
            EKS | {"vpcId": "vpc-12345678", "subnetIds": '["subnet-12345678"]'},
            "is too short; EKS accepts subnets in two",
        ),
        (EKS | {"publicAccessCidrs": '["10.0.0.1"]'}, 'publicAccessCidrs[0] "10.0.0.1" is not an IPv4 block'),
        (EKS | {"publicAccessCidrs": '["10.0.0.1/8"]'}, "its host bits zero"),
        (EKS | {"publicAccessCidrs": '["::/0"]'}, "is not an IPv4 block"),
        (LOCAL | {"strage": "1Gi"}, "storage-lab:strage is not a key of this lab; did you mean storage?"),
        (LOCAL | {"Nodes": "1"}, "did you mean nodes?"),
        (
            LOCAL | {"zzz": "1"},
            "storage-lab:zzz is not a key of this lab; known are image, kubernetesVersion, nfsClients, nodeType",
        ),
    ],
)
def test_a_mistake_is_told_with_key_value_and_what_is_accepted(values: dict[str, str], said: str) -> None:
    [problem] = problems(values)
    assert said in problem
    assert "\n" not in problem
    assert len(problem) < 400, "a value may be long, a sentence may not"


def test_all_mistakes_are_reported_together() -> None:
    found = problems({"target": "moon", "storage": "much", "nodes": "many", "servers": '["A", "B"]', "colour": "red"})
    assert [problem.split()[0] for problem in found] == [
        "storage-lab:target",
        "storage-lab:servers[0]",
        "storage-lab:servers[1]",
        "storage-lab:storage",
        "storage-lab:nodes",
        "storage-lab:colour",
    ]


def test_too_few_nodes_for_the_volumes_are_refused() -> None:
    servers = json.dumps([f"s{number}" for number in range(26)])
    [problem] = problems(LOCAL | {"servers": servers, "nodes": "1"})
    assert 'storage-lab:nodes "1" is too few for 26 servers, because a node attaches 25 volumes at most' in problem


def test_the_exercises_image_is_fine_where_nothing_pulls_it() -> None:
    assert parse(LOCAL | {"image": "k8s.gcr.io/volume-nfs:0.8"}).image == "k8s.gcr.io/volume-nfs:0.8"


def declared() -> dict[str, str]:
    """The configuration that Pulumi.yaml alone makes, as the program gets it."""
    project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())
    defaults = {key: entry["default"] for key, entry in project["config"].items() if "default" in entry}
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in defaults.items()}


@pytest.mark.parametrize("target", ["local", "eks"])
def test_the_defaults_that_pulumi_yaml_declares_are_the_programs_own(target: str) -> None:
    assert parse({"target": target, **declared()}) == parse({"target": target})


def test_pulumi_yaml_declares_and_describes_every_key_and_no_other() -> None:
    config = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    [problem] = problems(LOCAL | {"zzz": "1"})
    known = problem.rpartition("known are ")[2].split(", ")
    assert sorted(config) == known
    assert all(entry["description"] for entry in config.values())
    untyped = [key for key, entry in config.items() if "type" not in entry]
    assert untyped == ["servers"], "Pulumi has no type for a list of texts and maps"


@pytest.mark.parametrize("stack", ["local", "dev"])
def test_the_stacks_that_come_with_the_project_are_valid(stack: str) -> None:
    config = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())["config"]
    parse({key.removeprefix("storage-lab:"): value for key, value in config.items()})


def test_a_bad_configuration_ends_the_program_in_one_sentence() -> None:
    with pytest.raises(pulumi.RunError) as refusal:
        deploy(load, config={"storage-lab:target": "local", "storage-lab:storage": "much", "aws:region": "x"})
    assert str(refusal.value) == (
        "this stack's configuration cannot be used:\n"
        '  storage-lab:storage "much" is not a Kubernetes quantity; accepted is a Kubernetes quantity from '
        "1Gi to 16Ti, such as 1Gi, 1500Mi or 2G"
    )


def test_only_the_labs_own_namespace_is_read() -> None:
    set_all_config({})
    deployed = deploy(lambda: None, config={"storage-lab:target": "local"})
    assert deployed.resources == {}

    def program() -> str:
        return load().target

    config = {"storage-lab:target": "local", "aws:profile": "x", "storage-labs:target": "y"}
    assert deploy(program, config=config).result == "local"
