"""An HTTP proxy between a vendor's SDK and Patron that refuses and breaks requests when told to."""

import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal, Protocol

Fate = Literal["pass", "down", "429", "503", "cut_half", "cut_whole"]
HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "host"}


class Outage(Protocol):
    """A server that can be killed and started again."""

    def kill(self) -> None: ...
    def restart(self) -> None: ...


class FlakyProxy(ThreadingHTTPServer):
    """Forwards to 127.0.0.1:`upstream`; `fates` says what befalls which tracking request, from the n-th (from 1) on.

    `429` and `503` answer with `Retry-After: 1` and forward nothing. `cut_half` forwards the head and half of the
    body, `cut_whole` all of it; both then kill the server, close the client's connection without an answer as a
    crashed machine would, and start the server again meanwhile. Until that is done (`down`) nothing is forwarded,
    not even to a server that listens already: all that was cut off could be delivered in that moment, and no request
    be left for the fate that is due next. So each one planned is met.
    """

    daemon_threads = True
    request_queue_size = 512

    def __init__(self, upstream: int, fates: dict[int, Fate], outage: Outage | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream = upstream
        self.due = sorted(fates.items())
        self.outage = outage
        self.met: list[Fate] = []
        """Fates dealt so far, other than `pass` and `down`."""
        self.refused: list[bytes] = []
        """Bodies that were answered with 429 or 503."""
        self.count = 0
        self.lock = threading.Lock()
        self.restarts: list[_Restart] = []
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def __enter__(self) -> "FlakyProxy":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for restart in self.restarts:
            restart.join()
        self.shutdown()
        self.thread.join()
        self.server_close()

    def next_fate(self) -> Fate:
        """The fate of the tracking request that just came in."""
        with self.lock:
            self.count += 1
            if any(restart.is_alive() for restart in self.restarts):
                return "down"
            if not self.due or self.count < self.due[0][0]:
                return "pass"
            fate = self.due.pop(0)[1]
            self.met.append(fate)
            if fate.startswith("cut"):
                # held as `down` from now on; started once the request is as far as its fate says
                self.restarts.append(_Restart(self))
            return fate

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that go away in the middle are expected here."""


class _Restart(threading.Thread):
    """Kills the server when told, then starts it again."""

    def __init__(self, proxy: FlakyProxy) -> None:
        super().__init__(daemon=True)
        assert proxy.outage is not None
        self.outage = proxy.outage
        self.now = threading.Event()
        self.dead = threading.Event()
        self.start()

    def run(self) -> None:
        self.now.wait(60)
        self.outage.kill()
        self.dead.set()
        self.outage.restart()


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
        elif fate == "down":
            self.close_connection = True
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
                self._crash()
                return
            self._answer(upstream.getresponse())
        except (OSError, http.client.HTTPException):
            self.close_connection = True  # the server is down: the client sees a closed connection
        finally:
            upstream.close()

    def _crash(self) -> None:
        """The server dies now; the client's connection ends without an answer."""
        restart = self.server.restarts[-1]
        restart.now.set()
        restart.dead.wait(60)
        self.close_connection = True

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
