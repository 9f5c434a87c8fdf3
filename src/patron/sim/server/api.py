"""The HTTP API of a running Patron as the simulator uses it: JSON in and out over one kept-alive connection.

Numbers with a decimal point come back as `Decimal`: money is never reckoned in binary fractions.
"""

import http
import json
import threading
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from patron.model.errors import PatronError
from patron.sim.server.load import MEET, LoadFailed, Sender

PATIENCE = 60.0
"""Seconds without any answer after which the server is given up."""
_decode = msgspec.json.Decoder(float_hook=Decimal).decode


class Refused(PatronError):
    """The server said no; the message is its own sentence."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class Api:
    """A secret key at a server. Not for two threads at once.

    Parameters
    ----------
    url : address of the profile API and the administration, such as `http://127.0.0.1:8080`.
    key : a secret key (`sk_...`) of the scope that the calls need.

    Every call raises LoadFailed when nothing answers, or something that is no Patron, and Refused when the server says no.
    """

    def __init__(
        self, url: str, key: str, *, give_up: float = PATIENCE, stop: threading.Event | None = None
    ) -> None:
        self.url = url
        self._sender = Sender(url, timeout=600.0, give_up=give_up, meet=min(MEET, give_up), stop=stop)
        self.key = key
        self._authorization = f"Bearer {key}"

    def get(self, path: str, **query: str | int | None) -> Any:
        """The JSON of an address; a query of None is left out."""
        asked = {name: value for name, value in query.items() if value is not None}
        return self._call("GET", f"{path}?{urlencode(asked)}" if asked else path)

    def post(self, path: str, body: object) -> Any:
        """Send JSON; gives the JSON of the answer."""
        return self._call("POST", path, json.dumps(body).encode())

    def put(self, path: str, body: object) -> Any:
        """Put JSON at an address; gives the JSON of the answer."""
        return self._call("PUT", path, json.dumps(body).encode())

    def delete(self, path: str) -> Any:
        """Delete what stands at an address; gives the JSON of the answer."""
        return self._call("DELETE", path)

    def pages(self, path: str, limit: int, **query: str | int | None) -> Iterator[Any]:
        """Every page of a list, until one has no `cursor`."""
        cursor: str | None = None
        while True:
            page = self.get(path, limit=limit, cursor=cursor, **query)
            yield page
            cursor = page["cursor"]
            if cursor is None:
                return

    def close(self) -> None:
        """Let the connection go."""
        self._sender.close()

    def _call(self, method: str, path: str, body: bytes | None = None) -> Any:
        status, answer, _ = self._sender.ask(method, path, self._authorization, body)
        try:
            value = _decode(answer)
        except msgspec.DecodeError:
            if status < http.HTTPStatus.BAD_REQUEST and answer:
                raise LoadFailed(
                    f"{self.url} answers, and not as Patron does; give the address of a running Patron"
                ) from None
            value = {}
        if status >= http.HTTPStatus.BAD_REQUEST:
            said = value if isinstance(value, dict) else {}
            text = said.get("message") or f"{self.url} answers {status}; is it a Patron server?"
            raise Refused(status, str(said.get("code", "")), str(text))
        return value


def part(text: str) -> str:
    """A part of a path, percent-encoded.

    >>> part("email:a b/c@x.example")
    'email%3Aa%20b%2Fc%40x.example'
    """
    return quote(text, safe="")
