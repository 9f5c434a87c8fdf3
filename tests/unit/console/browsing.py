"""A small browser for tests: httpx over the console's ASGI application, with cookies and form tokens."""

import asyncio
import re
from collections.abc import Mapping
from typing import Any

import httpx

from patron.console.app import create_console
from tests.browser.fake_console import PASSWORD, FakeApp

ORIGIN = "http://testserver"


class Browsing:
    """One visitor of a console over a `FakeApp`."""

    def __init__(self, app: FakeApp | None = None, *, secure: bool = False, signed_in: bool = True) -> None:
        self.app = app or FakeApp()
        self.console = create_console(self.app, allowed_hosts=["testserver"], secure=secure)
        self.origin = ORIGIN.replace("http:", "https:") if secure else ORIGIN
        self.cookies = httpx.Cookies()
        self.token = ""
        if signed_in:
            self.sign_in()

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """One request, without following redirects; a fault of the console is an answer, as in a server."""

        async def once() -> httpx.Response:
            transport = httpx.ASGITransport(self.console, raise_app_exceptions=False)
            async with httpx.AsyncClient(
                transport=transport, base_url=self.origin, cookies=self.cookies
            ) as client:
                answer = await client.request(method, path, **options)
                self.cookies = client.cookies
                return answer

        answer = asyncio.run(once())
        found = re.search(r'name="csrf" (?:content|value)="([^"]+)"', answer.text)
        if found:
            self.token = found[1]
        return answer

    def get(self, path: str, **headers: str) -> httpx.Response:
        """A page."""
        return self.ask("GET", path, headers=headers)

    def post(self, path: str, data: Mapping[str, Any] | None = None, **headers: str) -> httpx.Response:
        """A form of our own page: with its token and origin."""
        return self.ask(
            "POST",
            path,
            data={"csrf": self.token, **(data or {})},
            headers={"origin": self.origin, **headers},
        )

    def sign_in(self, name: str = "giulia", password: str = PASSWORD) -> httpx.Response:
        """Sign in, and fetch the token of the session."""
        self.get("/console/signin")
        answer = self.post("/console/signin", {"name": name, "password": password})
        if answer.status_code == 303:
            self.get("/console/account")
        return answer
