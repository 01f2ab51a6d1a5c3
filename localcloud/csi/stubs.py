"""The generated Python stubs of CSI, from .lab/python (tools/generate_csi.py writes them at setup)."""

import sys
from pathlib import Path

_STUBS = Path(__file__).parents[2] / ".lab" / "python"
if str(_STUBS) not in sys.path:
    sys.path.append(str(_STUBS))

try:
    import csi_pb2 as csi
    import csi_pb2_grpc as csi_grpc
except ModuleNotFoundError as missing:
    if missing.name not in ("csi_pb2", "csi_pb2_grpc"):
        raise
    raise SystemExit(f"the CSI stubs are not in {_STUBS}: `make setup` generates them") from None

__all__ = ["csi", "csi_grpc"]
