"""A real `patron serve` in a subprocess, as a test drives it: by its command line and over HTTP."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from click.testing import CliRunner

from patron.cli.main import main

PATRON = str(Path(sys.executable).parent / "patron")
READY_SECONDS = 60.0
SETTLE_SECONDS = 60.0


class ServerDied(Exception):
    """The server process ended although nobody stopped it; the message carries its last stderr lines."""


class Reply:
    """An HTTP answer, read whole."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        """Names in lower case."""
        self.body = body

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    def __repr__(self) -> str:
        return f"<Reply {self.status} {self.body[:300]!r}>"


def free_port() -> int:
    """A port of the loopback address that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def request(
    method: str,
    url: str,
    body: bytes | str | None = None,
    headers: dict[str, str] | None = None,
    timeout: float = 30,
) -> Reply:
    """One HTTP request on a connection of its own."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port, timeout=timeout)
    try:
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request(method, target, body, headers or {})
        answer = connection.getresponse()
        names = {name.lower(): value for name, value in answer.getheaders()}
        return Reply(answer.status, names, answer.read())
    finally:
        connection.close()


def basic(key: str) -> dict[str, str]:
    """The header by which Segment's clients give a write key: Basic, key as user, no password."""
    return {"Authorization": "Basic " + b64encode(f"{key}:".encode()).decode()}


def bearer(key: str) -> dict[str, str]:
    """The header by which a system gives its secret key."""
    return {"Authorization": f"Bearer {key}"}


def run_patron(*arguments: str, check: bool = True, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    """Run one `patron` command to its end. Raises AssertionError with both outputs when it fails."""
    done = subprocess.run(
        [PATRON, *arguments],
        capture_output=True,
        text=True,
        timeout=timeout,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    if check and done.returncode != 0:
        raise AssertionError(
            f"patron {' '.join(arguments)} -> {done.returncode}\n{done.stdout}\n{done.stderr}"
        )
    return done


def command(*arguments: str) -> str:
    """What a `patron` command prints that is run in this process: a quarter of a second less than a process of its own.

    In a thread, as this one may have an event loop already. Raises AssertionError with the output when it fails.
    """
    with ThreadPoolExecutor(1) as thread:
        done = thread.submit(CliRunner().invoke, main, arguments).result()
    assert done.exit_code == 0, f"patron {' '.join(arguments)} -> {done.exit_code}\n{done.output}"
    return done.stdout


class PatronServer:
    """One data directory and the server on it.

    `start` and `restart` return once `/readyz` answers 200, on the same port each time.
    """

    def __init__(
        self,
        data: Path,
        *,
        arguments: tuple[str, ...] = (),
        port: int | None = None,
        env: dict[str, str] | None = None,
    ) -> None:
        self.data = data
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.arguments = arguments
        self.env = {**os.environ, **(env or {})}
        self.process: subprocess.Popen[bytes] | None = None
        self.stderr = data.with_name(data.name + ".stderr")
        self._made = 0
        self._admin = ""

    # --- the directory

    def init(self) -> None:
        """Make the data directory."""
        command("init", str(self.data))

    def write_key(self, channel: str = "web", name: str = "", *arguments: str) -> str:
        """Add a source on `channel` and return its write key."""
        self._made += 1
        name = name or f"{channel}-{self._made}"
        return command(
            "source", "add", name, "--channel", channel, "--data", str(self.data), *arguments
        ).strip()

    def secret(self, *scopes: str) -> str:
        """Add an API key with `scopes` (default `admin`) and return it."""
        self._made += 1
        wanted = [part for scope in scopes or ("admin",) for part in ("--scope", scope)]
        return command("key", "add", f"key-{self._made}", *wanted, "--data", str(self.data)).strip()

    @property
    def admin(self) -> str:
        """A secret key of scope `admin`, made at first use."""
        self._admin = self._admin or self.secret("admin")
        return self._admin

    # --- the process

    def start(self, timeout: float = READY_SECONDS) -> None:
        """Start the server and wait until it takes traffic."""
        command = [PATRON, "serve", "--data", str(self.data), "--host", "127.0.0.1", "--port", str(self.port)]
        with self.stderr.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, *self.arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.env
            )
        self.wait_ready(timeout)

    def wait_ready(self, timeout: float = READY_SECONDS) -> None:
        """Wait until `/readyz` answers 200."""
        until = time.monotonic() + timeout
        while time.monotonic() < until:
            self.check_alive()
            try:
                if request("GET", f"{self.url}/readyz", timeout=2).status == 200:
                    return
            except (OSError, http.client.HTTPException):
                pass
            time.sleep(0.05)
        raise AssertionError(f"/readyz did not answer 200 within {timeout:.0f} s\n{self.stderr_tail()}")

    def check_alive(self) -> None:
        """Raise ServerDied when the process has ended by itself."""
        if self.process is not None and self.process.poll() is not None:
            code, self.process = self.process.returncode, None
            raise ServerDied(f"patron serve ended by itself with {code}\n{self.stderr_tail()}")

    def stderr_tail(self, lines: int = 60) -> str:
        """The last lines that the server wrote."""
        if not self.stderr.exists():
            return "(the server wrote nothing)"
        return "\n".join(self.stderr.read_text(errors="replace").splitlines()[-lines:])

    @property
    def pid(self) -> int:
        """Process id of the server. Raises ServerDied when it is not running."""
        self.check_alive()
        if self.process is None:
            raise ServerDied("the server is stopped")
        return self.process.pid

    def stop(self, timeout: float = 60) -> int:
        """SIGTERM, then wait. Returns the exit code."""
        pid = self.pid
        assert self.process is not None
        os.kill(pid, signal.SIGTERM)
        code = self.process.wait(timeout)
        self.process = None
        return code

    def kill9(self) -> None:
        """SIGKILL: nothing gets a chance to tidy up."""
        process = self.process
        assert process is not None, "the server is not running"
        self.process = None
        process.kill()
        process.wait(30)

    def restart(self) -> None:
        """Start again on the same port and directory, after `stop` or `kill9`, or after stopping it here."""
        if self.process is not None:
            self.stop()
        self.start()

    def close(self) -> str:
        """End the server whatever its state. Returns what to say when it had died by itself, else ''."""
        try:
            self.check_alive()
        except ServerDied as death:
            return str(death)
        if self.process is not None:
            try:
                self.stop(timeout=30)
            except subprocess.TimeoutExpired:
                self.kill9()
                return f"patron serve did not end within 30 s of SIGTERM\n{self.stderr_tail()}"
        return ""

    # --- talking to it

    def get(self, path: str, key: str | None = None) -> Reply:
        """GET `path` with a secret key (default: an admin key)."""
        return request("GET", self.url + path, headers=bearer(key or self.admin))

    def post(self, path: str, body: Any = None, key: str | None = None) -> Reply:
        """POST a JSON body with a secret key (default: an admin key)."""
        headers = {**bearer(key or self.admin), "Content-Type": "application/json"}
        return request("POST", self.url + path, json.dumps(body), headers)

    def delete(self, path: str, key: str | None = None) -> Reply:
        """DELETE `path` with a secret key (default: an admin key)."""
        return request("DELETE", self.url + path, headers=bearer(key or self.admin))

    def track(self, write_key: str, *messages: dict[str, Any]) -> Reply:
        """Send messages as one batch; asserts that they were taken."""
        body = json.dumps({"batch": list(messages)})
        reply = request(
            "POST", f"{self.url}/v1/batch", body, {**basic(write_key), "Content-Type": "application/json"}
        )
        assert reply.status == 200, reply
        return reply

    def status(self) -> dict[str, Any]:
        """Positions of the log: accepted, applied, durable, lag_ms."""
        reply = self.get("/v1/status")
        assert reply.status == 200, reply
        answer: dict[str, Any] = reply.json()
        return answer

    def settle(self, timeout: float = SETTLE_SECONDS) -> dict[str, Any]:
        """Wait until all that was accepted is applied and durable; returns the status."""
        until = time.monotonic() + timeout
        while True:
            status = self.status()
            if status["applied"] == status["accepted"] == status["durable"]:
                return status
            assert time.monotonic() < until, f"not settled within {timeout:.0f} s: {status}"
            time.sleep(0.05)

    def profile(self, key: str, secret: str | None = None, after: int | None = None) -> Reply:
        """GET the profile of an identifier written `namespace:value`."""
        wait = "" if after is None else f"?after={after}"
        return self.get(f"/v1/profiles/{quote(key, safe=':')}{wait}", secret)

    def events(self, key: str, secret: str | None = None, limit: int = 200) -> list[dict[str, Any]]:
        """The whole timeline of an identifier, page after page."""
        found: list[dict[str, Any]] = []
        cursor = ""
        while True:
            more = f"&cursor={quote(cursor)}" if cursor else ""
            reply = self.get(f"/v1/profiles/{quote(key, safe=':')}/events?limit={limit}{more}", secret)
            assert reply.status == 200, reply
            page = reply.json()
            found += page["data"]
            cursor = page.get("cursor") or ""
            if not cursor:
                return found
