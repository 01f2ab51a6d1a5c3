"""NfsServerArgs: what NfsServer refuses, by name and value, and the longest name that it accepts."""

from typing import Any

import pulumi
import pytest

from components.nfs_server import NfsServer, NfsServerArgs
from tests.unit.components.test_nfs_server import CLAIM, lab
from tests.unit.conftest import CLOUD
from tests.unit.mocks import deploy


@pytest.mark.parametrize(
    ("name", "args", "said"),
    [
        ("Nfs-Server", {}, "the name 'Nfs-Server' is not a Kubernetes name"),
        ("n" * 70, {}, "is 70 characters long"),
        ("nfs.", {}, "the name 'nfs.' is not"),
        ("1nfs", {}, "the name '1nfs' is not"),
        ("nfs", {"namespace": "kube-system"}, "the namespace 'kube-system' is reserved"),
        ("nfs", {"storage": "1GB"}, "the storage '1GB' is not a Kubernetes quantity"),
        ("nfs", {"image": "Not An Image"}, "the image 'Not An Image' is not an image reference"),
        ("nfs", {"existing_claim": "a", "storage": "1Gi"}, "storage and existing_claim exclude each other"),
        ("nfs", {"claim_name": "pvc."}, "the claim name 'pvc.' is not"),
        ("nfs", {"storage": pulumi.Output.from_input}, "the storage '1GB' is not a Kubernetes quantity"),
    ],
)
def test_a_bad_argument_is_refused_with_its_name_and_value(name: str, args: dict[str, Any], said: str) -> None:
    def program() -> NfsServer:
        late = {key: value("1GB") if callable(value) else value for key, value in args.items()}
        return NfsServer(name, NfsServerArgs(**late))

    with pytest.raises(pulumi.RunError) as refusal:
        deploy(program, outputs=CLOUD)
    assert said in str(refusal.value)
    assert name in str(refusal.value), "a program with many servers has to be told which one"


def test_a_name_of_63_letters_is_accepted() -> None:
    assert lab(name="n" * 63).one(CLAIM).inputs["metadata"]["name"] == "n" * 63 + "-pvc"
