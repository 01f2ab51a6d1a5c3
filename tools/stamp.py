"""What a result was made from, in a file beside it: who finds the same again need not make the result again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Stamp:
    """The record in `file`, a JSON object of strings."""

    file: Path

    def read(self) -> dict[str, str]:
        """Return the record, empty where there is none that can be read."""
        try:
            found = json.loads(self.file.read_text())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def holds(self, made_from: Mapping[str, str], results: Iterable[Path]) -> bool:
        """Return whether all `results` exist and were made from that. More in the record is fine."""
        return made_from.items() <= self.read().items() and all(result.exists() for result in results)

    def add(self, made_from: Mapping[str, str]) -> None:
        """Write what a result was made from, and keep what the record says of others."""
        self.file.write_text(json.dumps({**self.read(), **made_from}))


def digest_of(folder: Path, files: Iterable[Path], more: bytes = b"") -> str:
    """Return a digest of the files' texts and of their paths below `folder`, and of `more`."""
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(f"{path.relative_to(folder)}\0".encode() + path.read_bytes())
    digest.update(more)
    return digest.hexdigest()
