"""A server that speaks S3, on this machine: what a lake on object storage is tried against."""

import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, urlencode

BUCKET = "lake"
_AS_SOMEBODY = (
    "AWS4-HMAC-SHA256 Credential=key/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"
)
"""Objects are shown to nobody in particular only when they are public; the server checks no signature."""


class ObjectStorage:
    """One bucket behind an address on the loopback."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.options = {"AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": self.url, "AWS_ALLOW_HTTP": "true"}
        """`[lake] options` that lead there; keys come by the environment."""
        self.environment = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}

    def call(self, method: str, path: str) -> bytes:
        """One request; what came back."""
        headers = {"Authorization": _AS_SOMEBODY}
        request = urllib.request.Request(f"{self.url}/{path}", method=method, headers=headers)
        with urllib.request.urlopen(request, timeout=10) as reply:
            return bytes(reply.read())

    def keys(self) -> list[str]:
        """The names of all objects."""
        found, more = list[str](), ""
        while True:
            asked = {"list-type": "2", **({"continuation-token": more} if more else {})}
            page = ET.fromstring(self.call("GET", f"{BUCKET}?{urlencode(asked)}"))
            found += [one.text or "" for one in page.iter() if one.tag.endswith("}Key")]
            more = next(
                (one.text or "" for one in page.iter() if one.tag.endswith("}NextContinuationToken")), ""
            )
            if not more:
                return found

    def copy(self, folder: Path) -> Path:
        """All objects as files of a folder, for whoever opens files."""
        for key in self.keys():
            path = folder / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(self.call("GET", f"{BUCKET}/{quote(key)}"))
        return folder


@contextmanager
def serving() -> Iterator[ObjectStorage]:
    """A server in a process of its own, with an empty bucket; it holds everything in memory and is gone afterwards."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        storage = ObjectStorage(port)
        _await(process, storage)
        storage.call("PUT", BUCKET)
        yield storage
    finally:
        process.terminate()
        process.wait(10)


def _await(process: "subprocess.Popen[bytes]", storage: ObjectStorage) -> None:
    until = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < until:
        try:
            storage.call("GET", "")
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"the server of object storage did not come up (exit code {process.poll()})")
