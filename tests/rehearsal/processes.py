"""Processes that play the Pods of an add-on: started together, and killed as Pods are when their node ends."""

import os
import signal
import subprocess
from pathlib import Path


class Processes:
    """The processes of one add-on; the log of each is in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._running: list[subprocess.Popen[bytes]] = []

    def __bool__(self) -> bool:
        return bool(self._running)

    def run(self, name: str, *words: str) -> None:
        self.folder.mkdir(exist_ok=True)
        environment = {"PATH": os.environ["PATH"]}
        with (self.folder / f"{name}.log").open("ab") as log:
            self._running.append(subprocess.Popen(words, env=environment, stdout=log, stderr=log))

    def kill(self) -> None:
        for process in self._running:
            process.send_signal(signal.SIGKILL)
            process.wait()
        self._running = []
