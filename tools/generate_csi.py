"""Generate the Python stubs of the Container Storage Interface from its csi.proto.

    python tools/generate_csi.py --proto DIR --out .lab/python

DIR is the folder of the Go module github.com/container-storage-interface/spec, which the sidecars already require:
the controller then speaks the version of CSI that its callers were built with.
"""

import argparse
import os
import sys
import tempfile
from importlib.resources import files
from pathlib import Path

STUBS = ("csi_pb2.py", "csi_pb2.pyi", "csi_pb2_grpc.py")


def generate(proto: Path, out: Path) -> None:
    """Write the stubs into `out`, each in one step, so that a reader never sees half a module."""
    # Imported here: setup.py reads STUBS before there is a virtual environment.
    from grpc_tools import protoc

    well_known = files("grpc_tools") / "_proto"
    with tempfile.TemporaryDirectory(dir=out, prefix=".csi-") as scratch:
        arguments = ["protoc", f"-I{proto.parent}", f"-I{well_known}"]
        arguments += [f"--{kind}_out={scratch}" for kind in ("python", "pyi", "grpc_python")]
        if protoc.main([*arguments, proto.name]) != 0:
            raise SystemExit(f"generate_csi: {proto} could not be compiled, see the lines above")
        for stub in STUBS:
            os.replace(Path(scratch) / stub, out / stub)


def main() -> None:
    """Read the command line and write the stubs."""
    parser = argparse.ArgumentParser(prog="generate_csi", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--proto", type=Path, required=True, help="the folder that holds csi.proto")
    parser.add_argument("--out", type=Path, required=True, help="the folder to write the stubs to")
    arguments = parser.parse_args()
    proto: Path = arguments.proto / "csi.proto"
    if not proto.is_file():
        sys.exit(f"generate_csi: there is no {proto}; --proto is the folder of the CSI specification")
    arguments.out.mkdir(parents=True, exist_ok=True)
    generate(proto, arguments.out)


if __name__ == "__main__":
    main()
