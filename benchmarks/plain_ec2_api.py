"""python -m benchmarks.plain_ec2_api PORT STATE: runs MiniStack bare, for comparison."""

import asyncio
import importlib
import sys
from pathlib import Path
from typing import Any

from hypercorn.config import Config

from localcloud.ec2_emulator import configure


def main(port: int, state: Path) -> None:
    configure(port, state, "ec2", "us-east-1")
    config = Config()
    config.bind = [f"127.0.0.1:{port}"]
    config.loglevel = "WARNING"
    serve: Any = importlib.import_module("hypercorn.asyncio").serve
    asyncio.run(serve(importlib.import_module("ministack.app").app, config))


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
