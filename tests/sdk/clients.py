"""The vendors' clients of the wire specification, unmodified, each as one function that sends and tells its ids."""

import functools
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

from tests.flow.browsing import chromium

HERE = Path(__file__).resolve().parent
OLD_PYTHON = Path(sys.prefix) / "segment-2.2.3"
"""Where `make test` puts segment-analytics-python 2.2.3, beside the newer release in the environment."""


class Delivery(NamedTuple):
    """What a client says it did."""

    version: str
    sent: list[str]
    failed: list[str]


class Client(NamedTuple):
    """One SDK release. `send(host, write_key, count, user, patient)`; `patient` lifts a retry budget that the
    vendor set below the length of a restart (see `impatient`)."""

    name: str
    version: str
    send: Callable[[str, str, int, str, bool], Delivery]
    impatient: str = ""


def _run(command: list[str], env: dict[str, str] | None = None) -> Delivery:
    done = subprocess.run(
        command,
        cwd=HERE,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, f"{command[1]} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
    said = json.loads(done.stdout.splitlines()[-1])
    return Delivery(said["version"], said["sent"], said["failed"])


def python_client(script: str, env: dict[str, str] | None = None) -> Callable[..., Delivery]:
    """A client that runs in a Python process of its own."""

    def send(host: str, write_key: str, count: int, user: str, patient: bool) -> Delivery:
        del patient  # their budget of ten attempts outlasts a restart
        return _run([sys.executable, str(HERE / script), f"http://{host}", write_key, str(count), user], env)

    return send


def node_client(script: str, package: str, patient_retries: str = "") -> Callable[..., Delivery]:
    """A client that runs in a node process of its own."""

    def send(host: str, write_key: str, count: int, user: str, patient: bool) -> Delivery:
        retries = patient_retries if patient else ""
        return _run(
            ["node", str(HERE / script), package, f"http://{host}", write_key, str(count), user, retries]
        )

    return send


@functools.cache
def _bundle(package: str) -> Path:
    """The shop's page with one release of analytics-next inside, made by esbuild."""
    folder = HERE / "node_modules" / ".pages" / package.replace("/", "_")
    folder.mkdir(parents=True, exist_ok=True)
    esbuild = HERE / "node_modules" / ".bin" / "esbuild"
    command = [str(esbuild), "page.mjs", "--bundle", "--format=iife", "--log-level=warning"]
    command += [f"--alias:ANALYTICS_NEXT={package}", f"--outfile={folder / 'page.js'}"]
    subprocess.run(command, cwd=HERE, check=True, stdin=subprocess.DEVNULL, timeout=120)
    (folder / "index.html").write_text(
        '<!doctype html><meta charset="utf-8"><title>Shop</title><script src="page.js"></script>'
    )
    return folder


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def _static(folder: Path) -> Iterator[str]:
    """Serve a folder on a port of its own, so that the page and Patron are different origins."""
    site = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=site.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{site.server_address[1]}/"
    finally:
        site.shutdown()
        thread.join()
        site.server_close()


@contextmanager
def open_page(package: str) -> Iterator[Callable[[dict[str, Any]], Any]]:
    """The shop's page, open in Chromium; gives its `send` function. Closing the page loses what is unsent."""
    with _static(_bundle(package)) as address, chromium() as browser:
        page = browser.new_page()
        page.set_default_timeout(120_000)
        page.goto(address)
        yield lambda options: page.evaluate("options => window.send(options)", options)
        page.close()


def browser_version(package: str) -> str:
    """The version in the installed package."""
    found = json.loads((HERE / "node_modules" / package / "package.json").read_text())
    return str(found["version"])


PROCESS_CLIENTS = [
    Client("segment-python", "2.4.0", python_client("send_segment.py")),
    Client("segment-python-old", "2.2.3", python_client("send_segment.py", {"PYTHONPATH": str(OLD_PYTHON)})),
    Client("rudder-python", "2.1.9", python_client("send_rudder.py")),
    Client("segment-node", "3.1.0", node_client("send_segment.mjs", "@segment/analytics-node")),
    Client(
        "segment-node-old",
        "1.1.0",
        node_client("send_segment.mjs", "analytics-node-1.1", "60"),
        impatient="its default gives up after 4 attempts in about a third of a second",
    ),
    Client(
        "rudder-node",
        "3.0.13",
        node_client("send_rudder.mjs", "@rudderstack/rudder-sdk-node", "12"),
        impatient="its default gives up after 4 attempts in about a second and a half",
    ),
]


class Page(NamedTuple):
    """One release of analytics-next in one mode. `deaf`: the release never looks at the status of an answer, so
    what a 429 or 503 refuses is lost in the client, whatever the server does (read in its fetch-dispatcher)."""

    name: str
    package: str
    version: str
    batching: bool = False
    deaf: bool = False


BROWSER_CLIENTS = [
    Page("standard", "@segment/analytics-next", "1.84.3"),
    Page("batching", "@segment/analytics-next", "1.84.3", batching=True),
    Page("standard-old", "analytics-next-1.55", "1.55.0", deaf=True),
]
