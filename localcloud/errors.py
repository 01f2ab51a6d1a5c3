"""What goes wrong with a local cloud, in sentences for the person at the keyboard."""

from pathlib import Path

LOG_TAIL_LINES = 12
LOG_TAIL_BYTES = 8192


class LocalCloudError(Exception):
    """A sentence for the user, at times followed by the end of a log. It is shown without a traceback."""


class ComponentDied(LocalCloudError):
    """A process of the local cloud ended while the cloud was being started.

    `component` is its name and `log_end` the last lines that it wrote.
    """

    def __init__(self, component: str, log: Path) -> None:
        self.component = component
        self.log_end = log_end(log)
        super().__init__(f"{component} ended while the local cloud was starting. The end of {log}:\n{self.log_end}")


def log_end(log: Path) -> str:
    """Return the last lines of a log file, indented by four spaces; a sentence where there are none."""
    try:
        with log.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - LOG_TAIL_BYTES))
            lines = file.read().decode("utf-8", "replace").splitlines()
    except OSError:
        lines = []
    return "\n".join(f"    {line[:400]}" for line in lines[-LOG_TAIL_LINES:]) or "    (it wrote nothing)"
