"""An EC2 API that misbehaves once: a proxy before the real one, with faults set by the test for the next requests."""

import contextlib
import http.client
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from localcloud.ec2_gate import refuse_signature
from localcloud.ec2_key import Ec2Key
from localcloud.sigv4 import signed_headers

Answer = tuple[int, bytes]
Fault = Callable[[Callable[[], Answer]], Answer]
"""Gets a function that lets the real EC2 do the work; returns what the controller gets to see."""


def refused(code: str, status: int = 400) -> Fault:
    """The work is not done."""
    return lambda work: (status, _error(code))


def lost(work: Callable[[], Answer]) -> Answer:
    """The work is done and the answer is lost on the way."""
    work()
    return 500, _error("InternalError")


def dropped(work: Callable[[], Answer]) -> Answer:
    """The work is not done, and the connection ends without an answer: an API that is away."""
    raise ConnectionAbortedError


def slow(seconds: float) -> Fault:
    """The work is done, and the answer takes its time."""

    def fault(work: Callable[[], Answer]) -> Answer:
        answer = work()
        threading.Event().wait(seconds)
        return answer

    return fault


def held(release: threading.Event) -> Fault:
    """The work is done when the test releases it, so that nobody can see its result before."""

    def fault(work: Callable[[], Answer]) -> Answer:
        release.wait(120)
        return work()

    return fault


def seen_as(state: str) -> Fault:
    """The work is done, and the volumes, attachments or snapshots in the answer seem to be in another state."""

    def fault(work: Callable[[], Answer]) -> Answer:
        status, body = work()
        for usual in (b"available", b"attached", b"completed"):
            body = body.replace(b"<status>" + usual, b"<status>" + state.encode())
        return status, body

    return fault


def _error(code: str) -> bytes:
    text = f"<Errors><Error><Code>{code}</Code><Message>said by the test</Message></Error></Errors>"
    return f"<Response>{text}<RequestID>test</RequestID></Response>".encode()


class FaultyEc2:
    """`next(operation, fault, ...)`: the faults of the next requests for that operation, in their order."""

    def __init__(self, target: str) -> None:
        self.target = urlsplit(target).netloc
        self.asked: list[str] = []
        self.struck: list[str] = []
        self._faults: dict[str, deque[Fault]] = defaultdict(deque)

    def next(self, operation: str, *faults: Fault) -> None:
        self._faults[operation].extend(faults)

    def unused(self) -> list[str]:
        """Operations whose faults did not happen: then the test tested nothing."""
        return [operation for operation, faults in self._faults.items() if faults]

    def calm(self) -> set[str]:
        """Ends all faults, those to come included; returns the operations that were struck since the last calm."""
        struck = set(self.struck)
        self.struck.clear()
        self._faults.clear()
        return struck

    def answer(self, operation: str, work: Callable[[], Answer]) -> Answer:
        self.asked.append(operation)
        faults = self._faults[operation]
        if not faults:
            return work()
        self.struck.append(operation)
        return faults.popleft()(work)


@contextlib.contextmanager
def faulty_ec2(target: str, key: Ec2Key) -> Iterator[tuple[FaultyEc2, str]]:
    """Serve a FaultyEc2 before the API at `target`; yields it with its own URL.

    Both want requests that are signed with `key`. A signature names its host, so the proxy signs what it passes on.
    """
    faulty = FaultyEc2(target)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            request = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}

            def work() -> Answer:
                if refusal := refuse_signature(headers, request, key):
                    return refusal.status, _error(refusal.code)
                headers.update(signed_headers(key, "us-east-1", faulty.target, request))
                with contextlib.closing(http.client.HTTPConnection(faulty.target)) as real:
                    real.request("POST", self.path, request, headers)
                    response = real.getresponse()
                    return response.status, response.read()

            try:
                status, body = faulty.answer(parse_qs(request.decode())["Action"][0], work)
            except ConnectionAbortedError:
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        # Idle connections of the controller stay open; they must not keep the server from ending.
        server.daemon_threads, server.block_on_close = True, False
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield faulty, f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
