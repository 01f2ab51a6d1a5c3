"""Whether Pulumi was told to stop, by Ctrl-C, while a dynamic provider is at work.

The engine sends Cancel to its plugins, ends what it was about to begin, and waits for what is going on. If that
succeeds in the deletes of a destroy, Pulumi reports a success. So whatever is being deleted then has to fail.
"""

import sys
from threading import Event
from typing import Any

cancelled = Event()


def listen() -> None:
    """Has `cancelled` set when Pulumi's host of dynamic providers, if this is one, receives Cancel.

    The host answers Cancel by itself and tells no provider. gRPC holds its method already, so a new one in its place
    would never be called: the code of the method is exchanged.
    """
    host: Any = getattr(sys.modules["__main__"], "DynamicResourceProviderServicer", None)
    if host is not None:
        host.Cancel.__code__ = _cancel.__code__
        host.Cancel.__defaults__ = (cancelled,)


def _cancel(_host: Any, _request: Any, _context: Any, event: Event = cancelled) -> Any:
    # Runs among the globals of the host's module.
    from google.protobuf.empty_pb2 import Empty

    event.set()
    return Empty()
