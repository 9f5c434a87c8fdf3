"""The order of system calls, a full disk, a torn page and a clock that jumps: what 200 promises."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.flow.inprocess import play, running, send, source
from tests.flow.serving import PatronServer, basic, request

WRITE = re.compile(r"(?:pwrite64|write|pwritev|writev)\((\d+)<([^>]*/log/[^>]*\.log[^>]*)>")
SYNC = re.compile(r"(?:fdatasync|fsync)\((\d+)<([^>]*/log/[^>]*\.log[^>]*)>")
REPLY = re.compile(r"(?:sendto|sendmsg|write|writev|send)\(\d+<(?:TCP|socket)[^>]*>.*HTTP/1\.1 200")


def _message(number: int) -> dict[str, Any]:
    return {
        "type": "track",
        "event": "Counted",
        "userId": "u",
        "messageId": f"m{number}",
        "timestamp": "2026-03-02T10:00:00Z",
    }


@pytest.mark.slow
def test_each_200_comes_after_a_completed_sync_of_its_bytes(
    server: Callable[..., PatronServer], tmp_path: Path
) -> None:
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed: apt-get install strace")
    patron = server()
    key = patron.write_key("web")
    trace = tmp_path / "trace"
    tracer = subprocess.Popen(
        [
            strace,
            "-f",
            "-yy",
            "-s",
            "200",
            "-e",
            "trace=write,writev,pwrite64,pwritev,fsync,fdatasync,sendto,sendmsg",
            "-p",
            str(patron.pid),
            "-o",
            str(trace),
        ],
        stderr=subprocess.PIPE,
    )
    assert tracer.stderr is not None
    tracer.stderr.readline()
    try:
        for number in range(30):
            reply = request("POST", f"{patron.url}/v1/track", json.dumps(_message(number)), basic(key))
            assert reply.status == 200
    finally:
        tracer.terminate()
        tracer.wait(20)
        tracer.stderr.close()
    unsynced, unfinished, replies, written = 0, {}, 0, 0
    for line in trace.read_text(errors="replace").splitlines():
        thread = line.split(None, 1)[0]
        if WRITE.search(line):
            unsynced += 1
            written += 1
        elif SYNC.search(line):
            if "unfinished" in line:
                unfinished[thread] = unsynced
            else:
                unsynced = 0
        elif "resumed>" in line and ("fdatasync" in line or "fsync" in line) and thread in unfinished:
            unsynced -= unfinished.pop(thread)
        elif REPLY.search(line):
            replies += 1
            assert unsynced == 0, f"a 200 left before the bytes were synced: {line[:200]}"
    assert replies == 30
    assert written >= 30, "the trace shows no writes to the log: the test sees nothing"


@pytest.mark.slow
@pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="data: a tiny tmpfs needs root on Linux"
)
def test_a_full_disk_refuses_and_keeps_every_acknowledged_message(
    server: Callable[..., PatronServer], tmp_path: Path
) -> None:
    mount = tmp_path / "small"
    mount.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(mount)], check=True)
    patron = None
    try:
        patron = PatronServer(
            mount / "shop",
            env={"PATRON_STORAGE_MIN_FREE_MB": "0", "PATRON_STORAGE_CHECKPOINT_SECONDS": "3600"},
        )
        patron.init()
        patron.start()
        key = patron.write_key("web")
        taken, refused = 0, None
        for number in range(3000):
            body = json.dumps({**_message(number), "properties": {"filler": "y" * 20_000}})
            reply = request("POST", f"{patron.url}/v1/track", body, basic(key))
            if reply.status != 200:
                refused = reply
                break
            taken += 1
        assert refused is not None
        assert refused.status == 503
        assert refused.json()["code"] == "disk_full"
        assert int(refused.headers["retry-after"]) > 0
        assert request("GET", f"{patron.url}/readyz").status == 200
        patron.kill9()
        subprocess.run(["mount", "-o", "remount,size=64m", str(mount)], check=True)
        patron.start()
        assert len(patron.events("user_id:u", limit=1000)) == taken
        body = json.dumps(_message(99_999))
        assert request("POST", f"{patron.url}/v1/track", body, basic(key)).status == 200
    finally:
        if patron is not None:
            patron.close()
        subprocess.run(["umount", "-l", str(mount)], check=False)


@pytest.mark.slow
@pytest.mark.parametrize("cut", [1, 7, 100])
def test_a_torn_last_page_loses_nothing_acknowledged_before_it(
    server: Callable[..., PatronServer], cut: int
) -> None:
    patron = server()
    key = patron.write_key("web")
    for number in range(5):
        patron.track(key, _message(number))
    patron.kill9()
    segment = max((patron.data / "log").glob("*.log"))
    whole = segment.read_bytes()
    segment.write_bytes(whole + b"\x00" * 4096)  # a page that was allocated and never written
    patron.start()
    assert len(patron.events("user_id:u")) == 5
    patron.kill9()
    segment = max((patron.data / "log").glob("*.log"))
    segment.write_bytes(segment.read_bytes() + whole[-cut:])  # half a record
    patron.start()
    assert len(patron.events("user_id:u")) == 5
    patron.track(key, _message(7))
    assert len(patron.events("user_id:u")) == 6


async def _back(folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    told = [time.time_ns()]
    monkeypatch.setattr("patron.model.clock.time.time_ns", lambda: told[0])
    async with running(folder, clock="system") as backend:
        await source(backend, "shop")
        await send(backend, "shop", [_message(1)])
        told[0] -= 3_600_000_000_000
        await send(backend, "shop", [_message(2)])
        received = [entry.received for entry, _ in backend.workspace.log.read(1)]
    told[0] -= 3_600_000_000_000
    async with running(folder, clock="system") as backend:
        await send(backend, "shop", [_message(3)])
        received = [entry.received for entry, _ in backend.workspace.log.read(1)]
        assert backend.resource("user_id:u", "profile", backend.api_key(backend.token))["counters"] == {
            "Counted": 3
        }  # type: ignore[arg-type]
    return received


def test_a_clock_that_jumps_back_never_makes_time_go_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    received = play(_back(tmp_path / "shop", monkeypatch))
    assert received == sorted(received)
