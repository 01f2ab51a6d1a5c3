"""The EC2 API of the local cloud: MiniStack, with its state on disk before any answer goes out.

MiniStack writes its state when it is told to end, so a kill would lose every volume created since. Here each answer
waits until the changes of its request are in the state folder, in MiniStack's own format. Changes are found by
comparison, not by the name of the operation: a Describe that creates the default VPC on first use changes state too.
Where the state cannot be written (a full disk), the answer is an error, so nothing is acknowledged that a crash could
lose.

MiniStack gives its state only whole, as a copy, which takes milliseconds once there are hundreds of volumes. So answers
that are ready at the same time share one save.

    python -m localcloud.ec2_emulator --port 4566 --state DIR --volumes DIR --key FILE

Only requests that are signed with the key in FILE are served (ec2_gate.py).
"""

import argparse
import asyncio
import importlib
import json
import logging
import os
import pickle
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from hypercorn.config import Config

from . import ec2_key
from .asgi import Application, Message, Receive, Scope, Send, answer_once
from .ec2_gate import Ec2Gate
from .ec2_key import Ec2Key
from .errors import LocalCloudError
from .volume_folders import VolumeFolders

logger = logging.getLogger("localcloud.ec2_emulator")

# How often a save lets the requests that have arrived run on, so that their answers share it. A request takes about ten
# turns of the event loop; a request that truly waits for something must not hold up the others.
_TURNS = 30


def configure(port: int, state: Path, services: str, region: str) -> None:
    """Put MiniStack's settings into the environment, where MiniStack reads them while it is imported."""
    os.environ.update(
        GATEWAY_PORT=str(port),
        PERSIST_STATE="1",
        STATE_DIR=str(state),
        SERVICES=services,
        MINISTACK_REGION=region,
        LOG_LEVEL="WARNING",
        # For these two it would listen on ports of its own, and at its start remove containers of the user's Docker.
        IOT_MTLS_ENABLED="0",
        SFTP_ENABLED="0",
        DOCKER_HOST=f"unix://{state}/no-docker",
    )


class SavedBeforeAnswered:
    """ASGI middleware: holds back every answer until the services' changed state is on disk.

    `states` gives the states of the loaded services, as name -> function; `encode` turns one into the text of its file;
    `saved` is told of each that was written.
    """

    def __init__(
        self,
        application: Application,
        folder: Path,
        states: Callable[[], Mapping[str, Callable[[], Any]]],
        encode: Callable[[str, Any], str],
        saved: Callable[[str, Any], None] = lambda _service, _state: None,
    ) -> None:
        self._application = application
        self._folder = folder
        self._states = states
        self._encode = encode
        self._tell = saved
        self._saved: dict[str, str] = {}
        self._unanswered = 0
        self._next_save: asyncio.Future[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._application(scope, receive, send)
        answered = failed = False

        async def save_then_send(message: Message) -> None:
            nonlocal answered, failed
            if message["type"] == "http.response.start":
                answered = True
                self._unanswered -= 1
                try:
                    await self._saved_from_now()
                except OSError as error:
                    failed = True
                    await _refuse(send, f"the state of the EC2 API cannot be written: {error}")
            if not failed:
                await send(message)

        self._unanswered += 1
        try:
            await self._application(scope, receive, save_then_send)
        finally:
            self._unanswered -= not answered

    async def _saved_from_now(self) -> None:
        """Return after a save that began later than now; requests that wait share it. Raises OSError."""
        if self._next_save is None:
            self._next_save = asyncio.ensure_future(self._save_soon())
        # Shielded, because a client that hangs up must not take the save away from the others.
        await asyncio.shield(self._next_save)

    async def _save_soon(self) -> None:
        for _ in range(_TURNS):
            if not self._unanswered:
                break
            await asyncio.sleep(0)
        self._next_save = None
        try:
            self.save()
        except OSError as error:
            logger.error("cannot save the state: %s", error)
            raise

    def save(self) -> None:
        """Write the files of the services whose state differs from what was written last. Raises OSError."""
        for service, get_state in self._states().items():
            state = get_state()
            if state is None:  # a service that could not be loaded: its file stays as it is
                continue
            text = self._encode(service, state)
            if self._saved.get(service) != text:
                _replace(self._folder / f"{service}.json", text)
                self._saved[service] = text
                self._tell(service, state)


async def _refuse(send: Send, reason: str) -> None:
    # Clients of AWS retry on 500 InternalError, whichever service they speak to.
    error = f"<Error><Code>InternalError</Code><Message>{reason}</Message></Error>"
    await answer_once(send, 500, f"<Response><Errors>{error}</Errors></Response>")


def _replace(file: Path, text: str) -> None:
    temporary = file.with_suffix(".new")
    with temporary.open("w") as out:
        out.write(text)
        out.flush()
        # Without it, a crash of the machine could leave an empty file under the new name, and with it no volume at all.
        # It costs a millisecond, which all answers of a save share.
        os.fsync(out.fileno())
    os.replace(temporary, file)


def _copied(state: Any) -> Any:
    """Return a deep copy of a service's state (dicts, lists, scalars) four times as fast as copy.deepcopy."""
    return pickle.loads(pickle.dumps(state, pickle.HIGHEST_PROTOCOL))


def application(folder: Path, volumes: Path) -> SavedBeforeAnswered:
    """Return MiniStack, configured by `configure`, wrapped so that its answers wait for its state.

    The bytes of a volume, its folder in `volumes`, are removed before the answer that it was deleted.
    """
    # The names with an underscore are MiniStack's own way of saving; its version is pinned.
    ministack: Any = importlib.import_module("ministack.app")
    persistence: Any = importlib.import_module("ministack.core.persistence")
    # It copies nothing but its state. With copy.deepcopy that would take four fifths of the time of a save.
    ec2: Any = importlib.import_module("ministack.services.ec2")
    ec2.copy = SimpleNamespace(deepcopy=_copied)
    # At the first request it would load botocore and the whole model of EC2, in half a second, to look up one word of
    # the model.
    responses: Any = importlib.import_module("ministack.core.responses")
    look_up = responses._service_model
    ec2_model = SimpleNamespace(metadata={"protocol": "ec2"})

    def service_model(service: str) -> Any:
        return ec2_model if service == "ec2" else look_up(service)

    responses._service_model = service_model

    def encode(service: str, state: Any) -> str:
        wrapped = {"__ministack_format__": persistence._state_format_version(service), "payload": state}
        return json.dumps(wrapped, default=persistence._json_default)

    folders = VolumeFolders(volumes)
    folders.start(folder / "ec2.json")

    def saved(service: str, state: Any) -> None:
        if service == "ec2":
            folders.keep(volume["VolumeId"] for volume in state["volumes"].all_values())

    return SavedBeforeAnswered(ministack.app, folder, ministack._build_persistence_save_dict, encode, saved)


def serve(port: int, state: Path, volumes: Path, key: Ec2Key, hint: str) -> None:
    """Serve on the loopback interface until SIGTERM or SIGINT. Raises OSError where the port is taken."""
    config = Config()
    config.bind = [f"127.0.0.1:{port}"]
    config.keep_alive_timeout = 75
    # Nothing to wait for: clients keep idle connections open, and an answer that went out is on disk already.
    config.graceful_timeout = 0.2
    config.loglevel = "WARNING"
    hypercorn_serve: Any = importlib.import_module("hypercorn.asyncio").serve
    asyncio.run(hypercorn_serve(Ec2Gate(application(state, volumes), key, port, hint), config))


def main(arguments: list[str] | None = None) -> int:
    """Run the command line. Returns the exit status: 0 after a signal, 1 where it cannot serve."""
    parser = argparse.ArgumentParser(
        prog="python -m localcloud.ec2_emulator", description="The EC2 API of the local cloud."
    )
    parser.add_argument("--port", type=int, required=True, help="TCP port on 127.0.0.1")
    parser.add_argument("--state", type=Path, required=True, help="folder that keeps the state")
    parser.add_argument("--volumes", type=Path, required=True, help="folder with the bytes of each volume")
    parser.add_argument("--key", type=Path, required=True, help="file with the key that requests are signed with")
    parser.add_argument("--region", default="us-east-1", help="region of requests that name none")
    options = parser.parse_args(arguments)
    os.umask(0o077)
    options.state.mkdir(parents=True, exist_ok=True)
    configure(options.port, options.state.resolve(), "ec2", options.region)
    try:
        key = ec2_key.read(options.key)
        serve(
            options.port, options.state, options.volumes, key, f"This line sets the key in your shell: . {options.key}"
        )
    except LocalCloudError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"cannot listen on 127.0.0.1:{options.port}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
