"""A console over a whole workspace, served from a thread of its own: for the tests that want more than a double."""

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import uvicorn

from patron.console.live import console_for
from patron.runtime.backend import LocalBackend
from patron.runtime.create import create
from patron.runtime.settings import FILE
from tests.flow.inprocess import running
from tests.flow.serving import free_port


@contextlib.contextmanager
def living(
    path: Path,
    live: Callable[[LocalBackend], Awaitable[None]],
    *,
    settings: str = "",
    now: int = 1_800_000_000_000,
    after: Callable[[LocalBackend], None] = lambda backend: None,
) -> Iterator[str]:
    """Make a workspace with `settings`, let it `live`, and serve its console; `after` looks at it when all is over.

    What fails in the thread fails whoever asked for the console.
    """
    ready, stop = threading.Event(), threading.Event()
    ended: list[BaseException] = []
    port = free_port()

    async def serve() -> None:
        create(path)
        if settings:
            (path / FILE).write_text(settings, "utf-8")
        async with running(path, now=now) as backend:
            await live(backend)
            console, _ = console_for(backend, f"http://127.0.0.1:{port}")
            config = uvicorn.Config(
                console, host="127.0.0.1", port=port, log_level="error", timeout_graceful_shutdown=1
            )
            server = uvicorn.Server(config)
            task = asyncio.create_task(server.serve())
            while not server.started and not task.done():
                await asyncio.sleep(0.02)
            ready.set()
            while not stop.is_set() and not task.done():
                await asyncio.sleep(0.05)
            server.should_exit = True
            await task
            after(backend)

    def run() -> None:
        try:
            asyncio.run(serve())
        except BaseException as error:  # noqa: BLE001 - told by the test, not by the thread
            ended.append(error)
        finally:
            ready.set()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        assert ready.wait(90)
        if not ended:
            yield f"http://127.0.0.1:{port}"
    finally:
        stop.set()
        thread.join(20)
    if ended:
        raise ended[0]
