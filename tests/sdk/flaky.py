"""An HTTP proxy between a vendor's SDK and Patron that refuses and breaks requests when told to."""

import http.client
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

Fate = Literal["pass", "429", "503", "cut_half", "cut_whole"]
HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "host"}


class FlakyProxy(ThreadingHTTPServer):
    """Forwards to 127.0.0.1:`upstream`. The fate of the n-th tracking request (from 1) is `fates.get(n, "pass")`.

    `429` and `503` answer with `Retry-After: 1` and forward nothing. `cut_half` forwards the head and half of the
    body, `cut_whole` all of it; both then call `outage()` (which kills the server and starts it again) and
    close the client's connection without an answer, as a crashed machine would.
    """

    daemon_threads = True
    request_queue_size = 512

    def __init__(
        self, upstream: int, fates: dict[int, Fate], outage: Callable[[], None] | None = None
    ) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream = upstream
        self.fates = fates
        self.outage = outage or (lambda: None)
        self.met: list[Fate] = []
        """Fates dealt so far, other than `pass`."""
        self.refused: list[bytes] = []
        """Bodies that were answered with 429 or 503."""
        self.count = 0
        self.lock = threading.Lock()
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def __enter__(self) -> "FlakyProxy":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.thread.join()
        self.server_close()

    def next_fate(self) -> Fate:
        """The fate of the tracking request that just came in."""
        with self.lock:
            self.count += 1
            fate = self.fates.get(self.count, "pass")
            if fate != "pass":
                self.met.append(fate)
            return fate

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that go away in the middle are expected here."""


class _Handler(BaseHTTPRequestHandler):
    server: FlakyProxy
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self._forward(b"", "pass")

    def do_OPTIONS(self) -> None:
        self._forward(b"", "pass")

    def do_POST(self) -> None:
        body = self._body()
        fate: Fate = "pass" if self.path.startswith("/v1/m") else self.server.next_fate()
        if fate in {"429", "503"}:
            self.server.refused.append(body)
            self._refuse(int(fate))
        else:
            self._forward(body, fate)

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _refuse(self, status: int) -> None:
        body = b'{"code":"busy","message":"try again in a second"}'
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Retry-After", "1")
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Access-Control-Expose-Headers", "Retry-After")
        self.end_headers()
        self.wfile.write(body)

    def _forward(self, body: bytes, fate: Fate) -> None:
        upstream = http.client.HTTPConnection("127.0.0.1", self.server.upstream, timeout=60)
        try:
            upstream.putrequest(self.command, self.path, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in HOP:
                    upstream.putheader(name, value)
            if self.command == "POST":
                upstream.putheader("Content-Length", str(len(body)))
            upstream.endheaders()
            upstream.send(body[: len(body) // 2] if fate == "cut_half" else body)
            if fate != "pass":
                self.server.outage()
                self.close_connection = True
                return
            self._answer(upstream.getresponse())
        except (OSError, http.client.HTTPException):
            self.close_connection = True  # the server is down: the client sees a closed connection
        finally:
            upstream.close()

    def _answer(self, answer: http.client.HTTPResponse) -> None:
        body = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in HOP | {"date", "server"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
