"""Many questions at once: each on a kept-alive connection of its own, so that the server makes them durable together."""

import http
import re
import socket
import ssl
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from patron.sim.messages import Message
from patron.sim.server.api import PATIENCE
from patron.sim.server.load import NoAnswer, address

CONNECTIONS = 48
"""Questions under way at once."""
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


class Asking:
    """`POST /v1/decide` for many at once. Close it at the end.

    Parameters
    ----------
    url : where decisions are made.
    key : a secret key with the scope `decide`.
    """

    def __init__(self, url: str, key: str, connections: int = CONNECTIONS) -> None:
        secure, host, port, base = address(url)
        self._url, self._address, self._count = (
            url,
            (host or "", port or (443 if secure else 80)),
            connections,
        )
        self._secure = ssl.create_default_context() if secure else None
        head = f"POST {base}/v1/decide HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {key}\r\n"
        self._head = f"{head}Content-Type: application/json\r\nContent-Length: ".encode()
        self._open: list[socket.socket] = []

    def ask(self, bodies: Sequence[Message]) -> Iterator[tuple[int, Any]]:
        """Status and JSON of each answer, in the order of the questions. Raises NoAnswer when the server is gone."""
        for at in range(0, len(bodies), self._count):
            some = bodies[at : at + self._count]
            try:
                yield from self._together(some)
            except OSError as error:
                self.close()
                raise NoAnswer(f"no answer from {self._url}: {error}", str(error)) from None

    def _together(self, bodies: Sequence[Message]) -> list[tuple[int, Any]]:
        while len(self._open) < len(bodies):
            self._open.append(self._connect())
        for connection, body in zip(self._open, bodies, strict=False):
            text = _encode(body)
            connection.sendall(b"%s%d\r\n\r\n%s" % (self._head, len(text), text))
        return [_answer(connection) for connection in self._open[: len(bodies)]]

    def _connect(self) -> socket.socket:
        made = socket.create_connection(self._address, PATIENCE)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._secure.wrap_socket(made, server_hostname=self._address[0]) if self._secure else made

    def close(self) -> None:
        """Let the connections go."""
        for connection in self._open:
            connection.close()
        self._open.clear()


def _answer(connection: socket.socket) -> tuple[int, Any]:
    """Read one answer; the server always says how long it is."""
    held = b""
    while (end := held.find(b"\r\n\r\n")) < 0:
        held += _more(connection)
    status, length = int(held[9:12]), _LENGTH.search(held, 0, end + 2)
    size = end + 4 + (int(length[1]) if length else 0)
    while len(held) < size:
        held += _more(connection)
    body = held[end + 4 : size]
    try:
        return status, _decode(body) if body else {}
    except msgspec.DecodeError:
        return http.HTTPStatus.BAD_GATEWAY, {}


def _more(connection: socket.socket) -> bytes:
    more = connection.recv(1 << 16)
    if not more:
        raise ConnectionResetError("it closed the connection")
    return more
