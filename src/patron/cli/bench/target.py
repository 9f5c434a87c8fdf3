"""The server under the bench: a real `patron serve` of its own in a temporary directory, default configuration."""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from pathlib import Path
from types import TracebackType
from typing import Any

import click

from patron.cli.bench import machine

_PATRON = (sys.executable, "-c", "from patron.cli.main import main; main()")
"""The command line of this very installation, whatever PATH says."""
READY_SECONDS = 300.0
SETTLE_SECONDS = 300.0


class Target:
    """One data directory with one source and one admin key; the server on it can be stopped, killed, started."""

    def __init__(self, config: str = "") -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="patron-bench-"))
        self.data = self.folder / "data"
        self.config = config
        """Lines for patron.toml, where a row needs something that is not the default; '' otherwise."""
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.write_key = ""
        self.admin = ""

    def __enter__(self) -> "Target":
        _patron("init", str(self.data))
        if self.config:
            (self.data / "patron.toml").write_text(self.config, "utf-8")
        self.write_key = _patron("source", "add", "bench", "--channel", "web", "--data", str(self.data))
        self.admin = _patron("key", "add", "bench", "--scope", "admin", "--data", str(self.data))
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def pid(self) -> int:
        """Process id of the running server."""
        assert self.process is not None
        return self.process.pid

    def start(self) -> float:
        """Start, wait for /readyz; gives the CPU seconds that took."""
        command = [
            *_PATRON,
            "serve",
            "--data",
            str(self.data),
            "--host",
            "127.0.0.1",
            "--port",
            str(self.port),
        ]
        with (self.folder / "stderr").open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=_environment()
            )
        until = time.monotonic() + READY_SECONDS
        while time.monotonic() < until:
            if self.process.poll() is not None:
                raise click.ClickException(f"the server under the bench ended:\n{self._said()}")
            try:
                if self.call("GET", "/readyz")[0] == 200:
                    return machine.cpu_seconds(self.pid)
            except (OSError, http.client.HTTPException):
                pass
            time.sleep(0.02)
        raise click.ClickException(
            f"the server under the bench was not ready in {READY_SECONDS:.0f} s:\n{self._said()}"
        )

    def stop(self) -> None:
        """End it in order: a last checkpoint is written."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(300)
        self.process = None

    def kill(self) -> None:
        """End it as a power cut would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(30)
        self.process = None

    def call(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """One administrative request: (status, JSON)."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            secret = b64encode(f"{self.admin}:".encode()).decode()
            text = None if body is None else json.dumps(body)
            connection.request(
                method, path, text, {"Authorization": f"Basic {secret}", "Content-Type": "application/json"}
            )
            answer = connection.getresponse()
            raw = answer.read()
            return answer.status, json.loads(raw) if raw[:1] in {b"{", b"["} else raw
        finally:
            connection.close()

    def settle(self) -> int:
        """Wait until `applied` equals `accepted`; gives that position."""
        until = time.monotonic() + SETTLE_SECONDS
        while time.monotonic() < until:
            status = self.call("GET", "/v1/status")[1]
            if status["applied"] == status["accepted"] == status["durable"]:
                return int(status["applied"])
            time.sleep(0.01)
        raise click.ClickException("the server under the bench did not apply what it accepted")

    def cpu(self) -> float:
        """CPU seconds of the server process so far."""
        return machine.cpu_seconds(self.pid)

    def load_catalogue(self, text: str) -> None:
        """Make a catalogue the one in force."""
        status, answer = self.call("PUT", "/v1/admin/catalogue", {"text": text})
        if status != 200:
            raise click.ClickException(f"the bench's catalogue was refused: {answer}")

    def save_segments(self, segments: list[dict[str, Any]]) -> None:
        """Put segments in force, and wait until each is live."""
        status, answer = self.call("POST", "/v1/rules/apply", {"segments": segments})
        if status != 200:
            raise click.ClickException(f"the bench's segments were refused: {answer}")
        until = time.monotonic() + SETTLE_SECONDS
        while self.metric("patron_segments_live") < len(segments):
            if time.monotonic() > until:
                raise click.ClickException("the bench's segments were not live in time")
            time.sleep(0.05)

    def metric(self, name: str) -> float:
        """A figure of /metrics without labels; 0 when it is not there."""
        lines = bytes(self.call("GET", "/metrics")[1]).decode().splitlines()
        return next((float(line.split(" ")[1]) for line in lines if line.startswith(f"{name} ")), 0.0)

    def size(self, *names: str) -> int:
        """Bytes on disk of the directory, or of these parts of it."""
        roots = [self.data / name for name in names] or [self.data]
        files = [f for root in roots for f in ([root] if root.is_file() else root.rglob("*"))]
        return sum(f.stat().st_blocks * 512 for f in files if f.is_file())

    def _said(self) -> str:
        return (self.folder / "stderr").read_text(errors="replace")[-2_000:]


def _patron(*arguments: str) -> str:
    done = subprocess.run(  # noqa: S603
        [*_PATRON, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=_environment(),
        stdin=subprocess.DEVNULL,
    )
    if done.returncode:
        raise click.ClickException(f"patron {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout.strip()


def _environment() -> dict[str, str]:
    """The caller's environment without its PATRON_ settings: the bench measures the default configuration."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PATRON_")}


def free_port() -> int:
    """A loopback port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
