"""Volumes that somebody set to Retain: named before data goes, and each message has the command that helps."""

import re
import shlex

import pytest

from checkout.until import until
from tests.faults.conftest import NewFaultLab
from tests.faults.fault_lab import FaultLab, errors, patch

RETAIN = '{"spec": {"persistentVolumeReclaimPolicy": "Retain"}}'
DELETE_VOLUME = """\
import sys, boto3
volume, region, endpoint = sys.argv[1:]
boto3.client("ec2", region_name=region, endpoint_url=endpoint).delete_volume(VolumeId=volume)
"""


@pytest.fixture
def fault_lab(new_fault_lab: NewFaultLab) -> FaultLab:
    fault_lab = new_fault_lab(config={"reclaimTimeoutSeconds": 5})
    fault_lab.checkout.up()
    return fault_lab


def _follow(fault_lab: FaultLab, said: str, command: str) -> None:
    """Type the kubectl command that a message gives."""
    [found, *_] = re.findall(command, said)
    _kubectl, *words = shlex.split(found)
    fault_lab.checkout.kubectl(*words)


@pytest.mark.telling
def test_destroy_names_a_retained_volume_before_data_goes(fault_lab: FaultLab) -> None:
    volume = fault_lab.checkout.outputs()["pvName"]
    with fault_lab.fault("PersistentVolume set to Retain", "destroy") as saw:
        patch(fault_lab, "pv", volume, RETAIN)
        refused = fault_lab.checkout.destroy(expect=None)
        assert refused.returncode != 0
        fault_lab.check_standing()
        saw(errors(refused.stdout))
        _follow(fault_lab, refused.stdout, r"kubectl patch pv .*?'\{.*?\}'")
        fault_lab.checkout.destroy()
        fault_lab.check_gone()


def test_destroy_gives_the_command_for_a_disk_that_is_left_alone(fault_lab: FaultLab) -> None:
    checkout = fault_lab.checkout
    outputs = checkout.outputs()
    with fault_lab.fault("Retain, then the PersistentVolume deleted", "destroy") as saw:
        patch(fault_lab, "pv", outputs["pvName"], RETAIN)
        checkout.kubectl("delete", "deployment,pvc", "--all")
        until(lambda: not checkout.get("volumeattachments")["items"], "the volume is detached")
        checkout.kubectl("delete", "pv", outputs["pvName"])
        refused = checkout.destroy(expect=None)
        assert refused.returncode != 0
        assert outputs["volumeId"] in refused.stdout
        saw(errors(refused.stdout))
        pattern = r"(\. '.+?'); aws ec2 (\S+) --volume-id (\S+) --region (\S+) --endpoint-url (\S+)"
        [(key, *command)] = set(re.findall(pattern, refused.stdout))
        assert command == ["delete-volume", outputs["volumeId"], "us-east-1", outputs["ec2Endpoint"]]
        # The AWS CLI is not installed here. It takes the key from the same variables as its library does.
        checkout.run("sh", "-c", f'{key}; exec python -c "$0" "$@"', DELETE_VOLUME, *command[1:])
        checkout.destroy()
        fault_lab.check_gone()
