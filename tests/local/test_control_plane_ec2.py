"""The EC2 API by itself: its answers outlive a kill."""

import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from checkout.until import until
from localcloud import ec2_key
from localcloud.components import PORTS
from localcloud.machine import ports
from localcloud.record.layout import Layout
from tests.local.clouds import ROOT, ec2, volume_ids

ROUNDS = 4


def _key_file(folder: Path) -> Path:
    ec2_key.create(Layout(folder), "us-east-1")
    return Layout(folder).ec2_key


@contextmanager
def _serving(state: Path, port: int) -> Iterator["subprocess.Popen[bytes]"]:
    command = [
        sys.executable,
        "-m",
        "localcloud.ec2_emulator",
        f"--port={port}",
        f"--state={state}",
        f"--volumes={state / 'volumes'}",
        f"--key={_key_file(state)}",
    ]
    with subprocess.Popen(command, cwd=ROOT) as process:
        until(lambda: ports.answers(port) or process.poll() is not None, "the EC2 API answers", 30)
        assert process.poll() is None, "the EC2 API ended at once"
        yield process
        process.kill()


def test_a_kill_loses_no_volume_that_was_answered(tmp_path: Path) -> None:
    chance = random.Random(7)
    answered: set[str] = set()
    with ports.reserve(PORTS) as chosen:
        port = chosen["ec2-api"]
        client = ec2(f"http://127.0.0.1:{port}", _key_file(tmp_path))
        for _ in range(ROUNDS):
            with _serving(tmp_path, port) as process:
                killer = threading.Timer(chance.uniform(0.05, 0.25), process.kill)
                with suppress(BotoCoreError, ClientError):
                    while True:
                        volume = client.create_volume(AvailabilityZone="us-east-1a", Size=1)
                        answered.add(volume["VolumeId"])
                        if killer.ident is None:  # on a busy machine the first answer takes longer than the rest
                            killer.start()
        with _serving(tmp_path, port):
            kept = volume_ids(client)
    assert len(answered) >= ROUNDS, "a kill came before any volume: this test shows nothing"
    assert answered <= kept, "a volume that a PersistentVolume names by now would not exist"
    assert len(kept - answered) <= ROUNDS, "at most the one request in flight of each round may go unanswered"


def test_open_connections_do_not_delay_its_end(tmp_path: Path) -> None:
    with ports.reserve(PORTS) as chosen, _serving(tmp_path, chosen["ec2-api"]) as process:
        client = ec2(f"http://127.0.0.1:{chosen['ec2-api']}", _key_file(tmp_path))
        client.describe_volumes()
        begun = time.monotonic()
        process.terminate()
        process.wait(timeout=10)
        client.close()
    assert time.monotonic() - begun < 4, "stopping the cloud would have to kill it after its grace"


def test_a_taken_port_is_named_in_one_line(tmp_path: Path) -> None:
    with ports.reserve(PORTS) as chosen:  # the guard of the block is taken, by ourselves
        command = [sys.executable, "-m", "localcloud.ec2_emulator", f"--port={chosen['guard']}", f"--state={tmp_path}"]
        command += [f"--volumes={tmp_path / 'volumes'}", f"--key={_key_file(tmp_path)}"]
        ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 1
    assert ended.stderr.strip().splitlines()[-1].startswith("cannot listen on 127.0.0.1:"), ended.stderr
