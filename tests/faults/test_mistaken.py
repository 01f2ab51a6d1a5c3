"""One cloud taken for another: the stack renamed, the checkout moved or copied, two checkouts in one shell."""

import subprocess
from pathlib import Path

import pytest

from checkout import ROOT, Checkout
from tests.faults.conftest import NewFaultLab
from tests.faults.fault_lab import FaultLab, errors, summary
from tests.faults.test_foreign import SNOOPER
from tools.pulumi_cli import activation, state_url

DOCUMENT = (ROOT / "docs" / "troubleshooting.md").read_text()


@pytest.fixture(scope="module")
def fault_lab(new_fault_lab: NewFaultLab) -> FaultLab:
    fault_lab = new_fault_lab(config={"reclaimTimeoutSeconds": 10})
    fault_lab.checkout.up()
    return fault_lab


def rename(checkout: Checkout, name: str) -> None:
    checkout.pulumi("stack", "rename", name, "--stack", checkout.stack)
    checkout.stack = name


@pytest.mark.telling
def test_renamed_stack_is_refused_and_the_way_back_works(fault_lab: FaultLab) -> None:
    checkout = fault_lab.checkout
    with fault_lab.fault("stack renamed", "then up, and renamed back") as saw:
        rename(checkout, "x")
        for command in (checkout.preview, checkout.up):
            refused = command(expect=None)
            assert refused.returncode != 0
            assert "pulumi stack rename --stack x local" in refused.stdout, "the way out is not in the message"
        assert "this stack was local when its local cloud was created" in refused.stdout
        assert "`this stack was … when its local cloud was created`" in DOCUMENT
        saw(errors(refused.stdout))
        rename(checkout, "local")
        checkout.preview("--expect-no-changes")
        fault_lab.check_standing()


def test_state_of_one_checkout_cannot_touch_the_cloud_of_another(
    fault_lab: FaultLab, new_fault_lab: NewFaultLab
) -> None:
    first, second = new_fault_lab(), fault_lab
    first.checkout.up()
    state_of_first = {"PULUMI_BACKEND_URL": state_url(first.checkout.folder / ".lab" / "state")}
    with second.fault("state of another checkout", "up, destroy, with switch") as saw:
        assert "this shell was activated in another checkout" in _up_with_an_empty_state_of(first, second)
        assert "`this shell was activated in another checkout, and works on its state`" in DOCUMENT
        for command in (second.checkout.up, second.checkout.destroy):
            for switch in ({}, {"PULUMI_K8S_DELETE_UNREACHABLE": "true"}):
                refused = command(expect=None, env={**state_of_first, **switch})
                assert refused.returncode != 0
                assert f"its local cloud is in {first.checkout.cloud}" in refused.stdout
        assert "this state belongs to another checkout" in refused.stdout
        assert "`this state belongs to another checkout`" in DOCUMENT
        saw(errors(refused.stdout))
        for lab in (first, second):
            lab.checkout.preview("--expect-no-changes")
            lab.check_standing()
        first.checkout.destroy()
        first.check_gone()


def test_second_activate_in_one_shell_means_the_second_checkout(fault_lab: FaultLab, tmp_path: Path) -> None:
    checkout = fault_lab.checkout
    for root in (tmp_path, checkout.folder):
        (root / ".lab").mkdir(exist_ok=True)
        (root / ".lab" / "activate").write_text(activation(root, None))
    with fault_lab.fault("two checkouts in one shell", "then preview") as saw:
        script = f". {tmp_path}/.lab/activate; cd {checkout.folder}; . .lab/activate; exec pulumi preview "
        # What this checkout's activate set stays on PATH: the built tools are there.
        own = ("PULUMI_BACKEND_URL", "STORAGE_LAB_")
        env = {name: value for name, value in checkout.env.items() if not name.startswith(own)}
        words = ["sh", "-c", f"{script} --non-interactive --stack local --expect-no-changes"]
        done = subprocess.run(words, env=env, cwd="/", capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        saw(summary(done.stdout))


def test_copy_of_a_checkout_is_deleted_alone(fault_lab: FaultLab, tmp_path: Path) -> None:
    checkout, copy = fault_lab.checkout, tmp_path / "copy"
    with fault_lab.fault("checkout copied", "delete of the copy's cloud") as saw:
        (copy / ".lab" / "clouds").mkdir(parents=True)
        subprocess.run(["cp", "-a", checkout.cloud, copy / ".lab" / "clouds"], check=True)
        checkout.run("python", "-m", "localcloud", "delete", str(copy / ".lab" / "clouds" / "local"))
        assert not (copy / ".lab" / "clouds" / "local").exists()
        checkout.preview("--expect-no-changes")
        saw("the copy is deleted; the original runs on")
        fault_lab.check_standing()


def test_moved_checkout_is_refused_and_both_ways_out_work(fault_lab: FaultLab) -> None:
    before = fault_lab.checkout.folder
    after = before.with_name(f"{before.name} moved")
    with fault_lab.fault("checkout moved", "then up, delete, up") as saw:
        before.rename(after)
        moved = Checkout(after)
        refused = moved.up(expect=None)
        assert refused.returncode != 0
        assert f"python -m localcloud delete {moved.cloud}" in refused.stdout, "the way out is not in the message"
        assert "and works only there" in refused.stdout
        assert "`the local cloud in … was created in … and works only there`" in DOCUMENT
        saw(errors(refused.stdout))
        after.rename(before)
        _destroy_stops_for_a_foreign_pod(fault_lab.checkout)
        fault_lab.checkout.up()
        fault_lab.check_standing()
        before.rename(after)
        try:
            _go_on_without(moved)
        finally:
            moved.clear()
        # With the cloud went its EC2.
        fault_lab.ec2_state.forget()


def _up_with_an_empty_state_of(other: FaultLab, lab: FaultLab) -> str:
    state = other.checkout.folder / "empty" / ".lab" / "state"
    state.mkdir(parents=True)
    env = {"PULUMI_BACKEND_URL": state_url(state), "STORAGE_LAB_BACKEND_URL": state_url(state)}
    lab.checkout.pulumi("stack", "init", lab.checkout.stack, env=env)
    refused = lab.checkout.up(expect=None, env=env)
    assert refused.returncode != 0
    return refused.stdout


def _destroy_stops_for_a_foreign_pod(checkout: Checkout) -> None:
    """The refused `up` has lost the objects of Kubernetes from the state, and with them the order of a destroy."""
    manifest = checkout.folder / "foreign.yaml"
    manifest.write_text(SNOOPER)
    checkout.kubectl("apply", "-f", str(manifest))
    refused = checkout.destroy(expect=None)
    assert refused.returncode != 0
    assert "Pod default/snooper" in refused.stdout, refused.stdout
    claim, deployment = checkout.get("pvc", "nfs-pvc"), checkout.get("deployment", "nfs-server")
    assert "deletionTimestamp" not in {**claim["metadata"], **deployment["metadata"]}, "its data is about to be lost"
    checkout.kubectl("delete", "-f", str(manifest), "--wait=true", "--timeout=60s")


def _go_on_without(moved: Checkout) -> None:
    running = moved.processes()
    assert running, "verify --gone would not see what runs on"
    moved.run("python", "-m", "localcloud", "delete", str(moved.cloud))
    assert not any(one.alive for one in running), "processes of the old path are left"
    assert not moved.cloud.exists()
    moved.up()
    moved.preview("--expect-no-changes")
    moved.destroy()
    assert moved.state() == []
    assert moved.processes() == []
