"""One real server with a public key and somebody signed in to its console, for the tests that only need different people."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from tests.flow.serving import PatronServer, command

PASSWORD = "a long sentence for tests"


class Shop(NamedTuple):
    """A server, the write key of its source `web`, and a signed-in console session with the token of its forms."""

    server: PatronServer
    key: str
    console: httpx.Client
    token: str

    def submit(self, path: str, **fields: Any) -> httpx.Response:
        """Send a form of the console."""
        form = {"csrf": self.token, **fields}
        return self.console.post(path, data=form, headers={"origin": self.server.url})


@contextmanager
def open_shop(folder: Path) -> Iterator[Shop]:
    """Start a server in `folder`; when it is left, the server must stop in good order."""
    server = PatronServer(folder)
    server.init()
    server.start()
    key = server.write_key("web", "web")
    command("user", "add", "giulia", "--password", PASSWORD, "--data", str(server.data))
    with httpx.Client(base_url=server.url, timeout=30) as console:
        yield Shop(server, key, console, sign_in(console, server.url))
    assert not server.close()


def sign_in(console: httpx.Client, url: str, name: str = "giulia") -> str:
    """Sign in and give the token that forms carry."""
    form = {"csrf": csrf(console.get("/console/signin").text), "name": name, "password": PASSWORD}
    answer = console.post("/console/signin", data=form, headers={"origin": url})
    assert answer.status_code == 303, answer.text
    return csrf(console.get("/console/account").text)


def csrf(page: str) -> str:
    """The form token of a page."""
    found = re.search(r'name="csrf" (?:content|value)="([^"]+)"', page)
    assert found, page[:500]
    return found[1]
