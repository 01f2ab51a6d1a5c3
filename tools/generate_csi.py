"""Generate the Python stubs of the Container Storage Interface from its csi.proto.

    python tools/generate_csi.py --proto DIR --out .lab/python

DIR is the directory of the Go module github.com/container-storage-interface/spec, which the sidecars
already require: the controller then speaks the version of CSI that its callers were built with.
Writes csi_pb2.py, csi_pb2.pyi and csi_pb2_grpc.py. Does nothing when they are up to date.
"""

import argparse
import hashlib
import os
import sys
import tempfile
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

STUBS = ("csi_pb2.py", "csi_pb2.pyi", "csi_pb2_grpc.py")
STAMP = "csi_pb2.stamp"


def fingerprint(proto: Path) -> str:
    """What the stubs depend on: the text of csi.proto and the release of the generator."""
    text = proto.read_bytes() + version("grpcio-tools").encode()
    return hashlib.sha256(text).hexdigest()


def up_to_date(out: Path, wanted: str) -> bool:
    stamp = out / STAMP
    return stamp.is_file() and stamp.read_text() == wanted and all((out / stub).is_file() for stub in STUBS)


def generate(proto: Path, out: Path) -> None:
    """Write the stubs into `out`, each in one step, so that a reader never sees half a module."""
    # Imported here: it takes longer than finding out that nothing has to be done.
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
    parser = argparse.ArgumentParser(prog="generate_csi", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--proto", type=Path, required=True, help="the directory that holds csi.proto")
    parser.add_argument("--out", type=Path, required=True, help="the directory to write the stubs to")
    arguments = parser.parse_args()
    proto: Path = arguments.proto / "csi.proto"
    out: Path = arguments.out
    if not proto.is_file():
        sys.exit(f"generate_csi: there is no {proto}; --proto is the directory of the CSI specification")
    out.mkdir(parents=True, exist_ok=True)
    wanted = fingerprint(proto)
    if not up_to_date(out, wanted):
        generate(proto, out)
        (out / STAMP).write_text(wanted)


if __name__ == "__main__":
    main()
