"""What cannot start, or cannot go on, says so and ends with exit code 1; it never hangs half alive."""

import asyncio
import os
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from patron.runtime.app import App
from patron.runtime.backend import LocalBackend
from patron.runtime.create import create
from patron.runtime.serving import server
from patron.storage.embedded import directory
from tests.flow.inprocess import play, running, send, source
from tests.flow.serving import PATRON, PatronServer, free_port, request, run_patron

NO_WRITER = """
import os, sys
if "patron.storage.embedded.writer" in sys.orig_argv:
    print("this writer does not come up", file=sys.stderr, flush=True)
    os._exit(3)
"""


def _serve(data: Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PATRON, "serve", "--data", str(data), "--port", str(free_port())],
        env={**os.environ, **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.slow
def test_a_writer_child_that_dies_at_once_ends_the_server(tmp_path: Path) -> None:
    data, site = tmp_path / "shop", tmp_path / "site"
    run_patron("init", str(data))
    site.mkdir()
    (site / "sitecustomize.py").write_text(NO_WRITER)
    path = os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH", "")]))
    done = _serve(data, PYTHONPATH=path)
    assert done.returncode == 1, done.stderr
    assert "this writer does not come up" in done.stderr
    assert "state.db cannot be written: the state writer ended" in done.stderr.splitlines()[-1]
    again = PatronServer(data)  # nobody holds the directory, and nothing is broken
    again.start()
    assert again.close() == ""


@pytest.mark.slow
def test_a_catalogue_that_cannot_be_read_ends_the_start(tmp_path: Path) -> None:
    run_patron("init", str(tmp_path / "shop"))
    (tmp_path / "shop" / "catalogue.toml").write_text("[[offer]\n")
    done = _serve(tmp_path / "shop")
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith("patron: ")


async def _app(_scope: Any, _receive: Any, _send: Any) -> None:
    """Nobody calls it."""


def test_a_listener_that_ends_ends_the_server() -> None:
    async def go() -> None:
        closed = socket.socket()
        closed.close()
        listening = server.bind("127.0.0.1", 0)
        apps = [(_app, listening), (_app, closed)]
        await asyncio.wait_for(server.serve(apps, lambda: pytest.fail("not ready"), asyncio.Event()), 30)

    with pytest.raises((OSError, ValueError)):
        play(go())


def test_serving_ends_when_the_app_behind_it_did() -> None:
    async def go() -> list[str]:
        seen: list[str] = []
        fault = asyncio.Event()

        async def faulted() -> None:
            await fault.wait()
            seen.append("fault")

        def ready() -> None:
            seen.append("ready")
            fault.set()

        apps = [(_app, server.bind("127.0.0.1", 0))]
        await asyncio.wait_for(server.serve(apps, ready, asyncio.Event(), faulted), 30)
        return seen

    assert play(go()) == ["ready", "fault"]


class _Broken(Exception):
    """A fault of ours in the middle of applying."""


def test_a_fault_while_serving_is_known_and_stops_without_a_checkpoint(tmp_path: Path) -> None:
    async def go() -> None:
        broken = False

        def crash(point: str) -> None:
            if broken and point == "before_checkpoint":
                raise _Broken(point)

        create(tmp_path / "shop")
        backend = await LocalBackend.start(tmp_path / "shop", "stepped", crash)
        app = backend.app
        await source(backend, "shop")
        broken = True
        app._due = True  # the moment at which a checkpoint is due need not be waited for
        message = {"type": "track", "event": "Seen", "userId": "u", "messageId": "m1"}
        await asyncio.wait_for(send(backend, "shop", [message]), 30)
        await asyncio.wait_for(app.faulted(), 30)
        assert isinstance(app.fault, _Broken)
        waiting = asyncio.ensure_future(app.record("Audited", ("a", "b", "c")))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        waiting.cancel()
        with pytest.raises(_Broken):  # as a start that waits for its own facts would for ever
            await asyncio.wait_for(app.unless_faulted(_recorded(app)), 30)
        await asyncio.wait_for(app.stop(), 30)

    play(go())
    play(_counted(tmp_path / "shop"))


async def _recorded(app: App) -> None:
    await app.record("Audited", ("a", "b", "c"))


async def _counted(folder: Path) -> None:
    async with running(folder) as backend:
        part = backend.workspace.nodes.get("user_id:u")
        assert part is not None
        assert part.events == 1


@pytest.mark.slow
def test_who_hears_that_it_is_ready_finds_where_it_answers(server: Callable[..., PatronServer]) -> None:
    patron = server()
    for _ in range(3):
        patron.stop()
        patron.process = subprocess.Popen(  # its own `start` is in less of a hurry
            [PATRON, "serve", "--data", str(patron.data), "--port", str(patron.port)],
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                if request("GET", f"{patron.url}/readyz").status == 200:
                    break
            except OSError:
                continue
        assert directory.running(patron.data) is not None
