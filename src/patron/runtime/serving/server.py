"""Serving: uvicorn on one loop, one or two listeners, an orderly end on SIGINT and SIGTERM."""

import asyncio
import contextlib
import ipaddress
import signal
import socket
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import uvicorn

from patron.model.errors import ConfigError, PatronError
from patron.runtime.serving.protocol import DirectProtocol
from patron.serve.router import Asgi


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a host.

    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def bind(host: str, port: int) -> socket.socket:
    """Listen on host:port. Raises ConfigError that says what to do when it is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise ConfigError(
            f"Cannot listen on {host}:{port} ({error.strerror}). Choose another with --port."
        ) from error
    listener.listen(2048)
    listener.setblocking(False)
    return listener


class _Quiet(uvicorn.Server):
    """A uvicorn server that leaves signals to us."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(
    apps: list[tuple[Asgi, socket.socket]],
    ready: Callable[[], None],
    stop: asyncio.Event,
    faulted: Callable[[], Coroutine[Any, Any, None]] | None = None,
) -> None:
    """Serve each app on its socket until SIGINT, SIGTERM, `stop`, or until `faulted()` returns; requests under way are
    finished.

    Raises what ended a listener: a server of which one door is shut must not look alive.
    """
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    servers = [_Quiet(_config(app)) for app, _ in apps]
    doors = [
        loop.create_task(server.serve(sockets=[listener]))
        for server, (_, listener) in zip(servers, apps, strict=True)
    ]
    ends = [loop.create_task(stop.wait()), *([loop.create_task(faulted())] if faulted else [])]
    try:
        while not all(server.started for server in servers) and not any(t.done() for t in (*doors, *ends)):
            await asyncio.sleep(0.005)
        if all(server.started for server in servers):
            ready()
            await asyncio.wait([*doors, *ends], return_when=asyncio.FIRST_COMPLETED)
    finally:
        ended = [door for door in doors if door.done()]
        for server in servers:
            server.should_exit = True
        for task in ends:
            task.cancel()
        await asyncio.gather(*doors, *ends, return_exceptions=True)
    for door in ended:
        door.result()
    if ended and not stop.is_set():
        raise PatronError("A listener ended by itself. Nothing acknowledged is lost; start again.")


def _config(app: Asgi) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        loop="uvloop",
        http=DirectProtocol,
        ws="none",
        lifespan="off",
        access_log=False,
        log_level="warning",
        server_header=False,
        date_header=False,
        timeout_keep_alive=65,
        timeout_graceful_shutdown=10,
        backlog=2048,
        proxy_headers=False,
    )
