"""The private door of a workspace inside the test's process: real log, state and rooms, real HTTP handling, no socket."""

import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx

from patron.runtime.backend import LocalBackend
from patron.runtime.serving.doors import private_door
from tests.flow import inprocess


class Door:
    """Sends requests as one key after another."""

    def __init__(self, backend: LocalBackend, client: httpx.AsyncClient) -> None:
        self.backend = backend
        self._client = client

    async def ask(self, method: str, path: str, body: Any = None, key: str = "") -> tuple[int, Any]:
        """Status and JSON of one request, with an admin key when none is given."""
        content = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        reply = await self._client.request(
            method, path, content=content, headers={"authorization": f"Bearer {key or self.backend.token}"}
        )
        return reply.status_code, reply.json()

    async def get(self, path: str, key: str = "") -> Any:
        """The JSON of a GET that is well."""
        status, value = await self.ask("GET", path, key=key)
        assert status == 200, value
        return value

    async def raw(self, path: str) -> bytes:
        """The body of a GET that is well, as it came."""
        reply = await self._client.get(path, headers={"authorization": f"Bearer {self.backend.token}"})
        assert reply.status_code == 200, reply.text
        return reply.content

    async def put(self, path: str, body: Any, key: str = "") -> Any:
        """The JSON of a PUT that is well."""
        status, value = await self.ask("PUT", path, body, key)
        assert status == 200, value
        return value

    async def key(self, *scopes: str, fields: tuple[str, ...] = ("*",), **more: Any) -> str:
        """Make a key."""
        name = f"k{len(self.backend.keys())}"
        return await self.backend.add_key(
            name, list(scopes), list(fields), list(more.get("masked", ())), list(more.get("sources", ()))
        )


@contextlib.asynccontextmanager
async def door(path: Path, now: int = 1_800_000_000_000) -> AsyncIterator[Door]:
    """Make or open a workspace with a stepped clock, and stand at its private door."""
    async with inprocess.running(path, now=now) as backend:
        transport = httpx.ASGITransport(private_door(backend, None))
        async with httpx.AsyncClient(transport=transport, base_url="http://patron") as client:
            yield Door(backend, client)
