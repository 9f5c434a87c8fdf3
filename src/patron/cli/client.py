"""How a command reaches a workspace: through the server that holds the directory, or, when none does, by opening it.

Either way the same HTTP operation runs, so the command line can never do what the API cannot.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Generator
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import click
import httpx

from patron.model.errors import ConfigError, DirectoryLocked, PatronError
from patron.storage.embedded import directory

TIMEOUT = 600.0
Answer = TypeVar("Answer")
Request = tuple[str, str, object]
"""Method, path, body."""


class Failed(click.ClickException):
    """A command that could not be done; exit code 1, or 3 when the thing was not found, 4 when it may not."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        setattr(self, "exit_code", code)  # noqa: B010 - click declares it as a class variable

    def show(self, file: Any = None) -> None:
        """One line on standard error."""
        click.echo(f"patron: {self.message}", err=True, file=file)


def call(
    data: Path, method: str, path: str, body: object = None, *, raw: bool = False, seconds: float = TIMEOUT
) -> Any:
    """Run one operation on the workspace in `data`, within `seconds`; gives its JSON value (or bytes with `raw`).

    Raises Failed with the server's own sentence.
    """
    try:
        reply = asyncio.run(_call(data, method, path, body, seconds))
    except PatronError as error:
        raise Failed(str(error), 5 if isinstance(error, DirectoryLocked) else 1) from error
    if reply.status_code >= 400:
        raise _failed(reply)
    return reply.content if raw else reply.json()


def calls(data: Path, requests: Generator[Request, Any, Answer]) -> Answer:
    """Run operations one after another on the workspace in `data`, which is opened once: the generator yields each
    (method, path, body), is sent the JSON value of its answer, and returns what this does.

    Raises Failed with the server's own sentence, at the first that could not be done.
    """

    async def work(send: Callable[[str, str, object], Awaitable[httpx.Response]]) -> Answer:
        value = None
        while True:
            try:
                request = requests.send(value)
            except StopIteration as end:
                answer: Answer = end.value
                return answer
            reply = await send(*request)
            if reply.status_code >= 400:
                raise _failed(reply)
            value = reply.json()

    try:
        return asyncio.run(_with(data, work))
    except PatronError as error:
        raise Failed(str(error), 5 if isinstance(error, DirectoryLocked) else 1) from error


def part(text: str) -> str:
    """A path part, percent-encoded."""
    return quote(text, safe="")


def _failed(reply: httpx.Response) -> Failed:
    return Failed(_sentence(reply), {404: 3, 410: 3, 401: 4, 403: 4}.get(reply.status_code, 1))


async def _call(data: Path, method: str, path: str, body: object, seconds: float) -> httpx.Response:
    return await _with(data, lambda send: send(method, path, body), seconds)


async def _with(
    data: Path,
    work: Callable[[Callable[[str, str, object], Awaitable[httpx.Response]]], Awaitable[Answer]],
    seconds: float = TIMEOUT,
) -> Answer:
    """Do something with a way to send requests to the workspace in `data`."""
    if not directory.exists(data):
        raise ConfigError(f"{data} is no Patron directory. Make one: patron init {data}")
    running = directory.running(data)
    if running is not None:
        async with httpx.AsyncClient(base_url=running.url, timeout=seconds) as client:
            return await work(partial(_send, client, running.token))
    return await _inside(data, work)


async def _inside(
    data: Path, work: Callable[[Callable[[str, str, object], Awaitable[httpx.Response]]], Awaitable[Answer]]
) -> Answer:
    from patron.runtime.backend import LocalBackend
    from patron.runtime.serving.doors import private_door

    backend = await LocalBackend.start(data)
    try:
        transport = httpx.ASGITransport(private_door(backend, None))
        async with httpx.AsyncClient(
            transport=transport, base_url="http://patron", timeout=TIMEOUT
        ) as client:
            return await work(partial(_send, client, backend.token))
    finally:
        await backend.app.stop()


async def _send(
    client: httpx.AsyncClient, token: str, method: str, path: str, body: object
) -> httpx.Response:
    content = None if body is None else json.dumps(body).encode()
    try:
        return await client.request(
            method, path, content=content, headers={"authorization": f"Bearer {token}"}
        )
    except httpx.HTTPError as error:
        raise ConfigError(
            f"The server that holds the directory does not answer ({error}). Is it stopping? Try again."
        ) from error


def _sentence(reply: httpx.Response) -> str:
    try:
        value = reply.json()
        faults = value.get("faults", ())
        rest = [f"{fault['path']}: {fault['problem']}" for fault in faults] if len(faults) > 1 else []
        return "\n  ".join([str(value["message"]), *rest])
    except (ValueError, KeyError, TypeError):
        return f"HTTP {reply.status_code}"
