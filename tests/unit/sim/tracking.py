"""A tiny tracking server on a real socket that can be told to misbehave; it keeps what it was sent."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Tracking:
    """`answers(n, path, key, body)` gives the answer to the n-th request: (status, headers, body), or None to hang up."""

    def __init__(self, answers: Callable[..., tuple[int, dict, bytes] | None] | None = None) -> None:
        self.requests: list[tuple[str, str, dict]] = []
        self.taken: list[tuple[str, dict]] = []
        self.connections: set[tuple[str, int]] = set()
        self.lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with outer.lock:
                    outer.connections.add(self.client_address)
                    number = len(outer.requests)
                    outer.requests.append((self.path, self.headers["Authorization"], body))
                    answer = answers(number, self.path, body) if answers else (200, {}, b"{}")
                    if (answer is None or answer[0] == 200) and "batch" in body:
                        outer.taken += [(self.headers["Authorization"], m) for m in body["batch"]]
                if answer is None:
                    self.close_connection = True
                    self.connection.close()
                    return
                status, headers, text = answer
                self.send_response(status)
                for name, value in {"Content-Length": str(len(text)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_: object) -> None:
                pass

        class Quiet(ThreadingHTTPServer):
            def handle_error(self, *_: object) -> None:
                pass

        self._server = Quiet(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def __enter__(self) -> "Tracking":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
