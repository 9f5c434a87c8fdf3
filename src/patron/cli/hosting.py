"""A server of our own beside a command: started, waited for, and stopped with it."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx

from patron.cli.client import Failed

LOG = "server.log"
READY_SECONDS = 60
_END = 4_096


def serve(folder: Path, port: int, *more: str) -> subprocess.Popen[bytes]:
    """Start `patron serve` on a data directory, in a session of its own: Ctrl C reaches this command first.

    `more` are further options of `patron serve`.
    """
    command = [sys.executable, "-m", "patron.cli", "serve", "--data", str(folder), "--port", str(port), *more]
    with (folder / LOG).open("ab") as log:
        return subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)  # noqa: S603 - our own command


def wait(server: subprocess.Popen[bytes], url: str, folder: Path) -> None:
    """Return once the server takes traffic. Raises Failed with what it said when it does not."""
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until:
        if server.poll() is not None:
            raise Failed("The server did not start: " + _said(folder))
        try:
            if httpx.get(f"{url}/readyz", timeout=2).status_code == httpx.codes.OK:
                return
        except httpx.HTTPError:
            time.sleep(0.05)
    raise Failed(f"The server did not become ready within a minute; see {LOG} in {folder}.")


def need_alive(server: subprocess.Popen[bytes], folder: Path) -> None:
    """Raise Failed with what the server said last when it has ended by itself."""
    if server.poll() is not None:
        raise Failed(
            f"The server ended by itself (code {server.returncode}; see {LOG} in {folder}): {_said(folder)}"
        )


def _said(folder: Path) -> str:
    """Its last three lines, of the end of what may be a long file."""
    try:
        with (folder / LOG).open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - _END))
            return " ".join(log.read().decode("utf-8", "replace").strip().splitlines()[-3:])
    except OSError as error:  # the whole folder may be gone, and the server with it
        return str(error)


def stop(server: subprocess.Popen[bytes]) -> None:
    """Let the server end in order."""
    server.send_signal(signal.SIGTERM)
    server.wait(60)


def free_port() -> int:
    """A port of this machine at which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def taken(port: int) -> bool:
    """Whether a server listens there, perhaps that of another command: it would answer in this one's place."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
