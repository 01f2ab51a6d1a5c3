"""The program's source as a process finds it that has loaded none of it yet, and cannot load all that is here."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def fresh_components(folder: Path = ROOT, without: tuple[str, ...] = ()) -> Iterator[None]:
    """Let `components` be loaded anew, from `folder`, and forgotten afterwards.

    A package named in `without` cannot be loaded meanwhile: whatever needs it ends in an ImportError.
    """

    def loaded() -> list[str]:
        return [name for name in sys.modules if name.partition(".")[0] in ("components", *without)]

    ours = {name: sys.modules.pop(name) for name in loaded()}
    sys.modules.update(dict.fromkeys(without))  # type: ignore[arg-type]
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for name in loaded():
            del sys.modules[name]
        sys.modules.update(ours)
