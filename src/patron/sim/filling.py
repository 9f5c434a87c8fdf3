"""Bringing a generated world into a running Patron: import sources, then everything in the order in which it arrived.

Only `manifest.json` and `events/` are opened. The truth beside them stays shut: what is measured must not see the answers.
"""

import contextlib
import datetime as dt
import heapq
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from patron.sim.api import Api, Refused, part
from patron.sim.folder import EVENTS, BadFolder, SourceFile, messages, read_manifest
from patron.sim.load import Loaded, LoadFailed, load
from patron.sim.messages import Delivery

SUFFIX = "-history"
"""After the name of a source that holds a past; its bare name stays free for what goes on live."""
HINT = 10
"""First characters of a write key by which it is revoked."""


def source_of(name: str) -> str:
    """What the source of a world's file is called in Patron.

    >>> source_of("web")
    'web-history'
    """
    return name + SUFFIX


def bare(name: str) -> str:
    """The file that a source of Patron holds: the same for a past and for what goes on live.

    >>> bare("web-history"), bare("web")
    ('web', 'web')
    """
    return name.removesuffix(SUFFIX)


def deliveries(folder: Path) -> Iterator[Delivery]:
    """All messages of a world's sources, merged by arrival; ties in the order of the manifest. Streams.

    Raises BadFolder when a file is missing, or a line of it is no message or says no `receivedAt`.
    """
    manifest = read_manifest(folder)
    lines = [_arriving(folder, source.name) for source in manifest.sources]
    return heapq.merge(*lines, key=lambda delivery: delivery.arrival_ms)


def _arriving(folder: Path, source: str) -> Iterator[Delivery]:
    name, at = source_of(source), 0
    try:
        for message in messages(folder, source):
            at += 1
            yield Delivery(_milliseconds(message["receivedAt"]), name, message)
    except (msgspec.DecodeError, OSError, KeyError, TypeError, ValueError) as error:
        raise BadFolder(
            f"{folder / EVENTS / source}.ndjson cannot be read after line {at} ({type(error).__name__}: {error}); "
            "generate the world again"
        ) from None


def _milliseconds(text: str) -> int:
    when = dt.datetime.fromisoformat(text)
    return (when - _EPOCH) // dt.timedelta(milliseconds=1)


_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class Keys:
    """Write keys for the sources of a world, made through the administration and revoked when the load is over.

    A source that is there already gets a further key, so that a load can be run again: its messages keep their ids.
    """

    def __init__(self, api: Api) -> None:
        self._api = api
        self.keys: dict[str, str] = {}

    def make(self, sources: tuple[SourceFile, ...]) -> dict[str, str]:
        """Source of Patron -> its write key.

        Raises LoadFailed when a source of that name is there and is something else.
        """
        there = {source["name"]: source for source in self._api.get("/v1/admin/sources")}
        for source in sources:
            self.keys[source_of(source.name)] = self._make(source, there.get(source_of(source.name)))
        return self.keys

    def _make(self, source: SourceFile, there: dict[str, Any] | None) -> str:
        name = source_of(source.name)
        if there is None:
            assurance = "asserted" if source.channel in {"web", "app", "kiosk"} else "verified"
            body = {"name": name, "channel": source.channel, "kind": "import", "assurance": assurance}
            return str(self._api.post("/v1/admin/sources", body)["writeKey"])
        if (there["kind"], there["channel"]) != ("import", source.channel):
            raise LoadFailed(
                f"there is a source {name} that is {there['kind']} on {there['channel']}; a world needs it as an import on "
                f"{source.channel}. Load into a directory of its own: patron init DIR"
            )
        return str(self._api.post(f"/v1/admin/sources/{part(name)}/rotate", {})["writeKey"])

    def revoke(self) -> None:
        """Let nobody in with them any more."""
        for name, key in self.keys.items():
            self._api.delete(f"/v1/admin/sources/{part(name)}/keys/{part(key[:HINT])}")
        self.keys.clear()


def fill(
    folder: Path,
    url: str,
    key: str,
    *,
    tracking: str = "",
    progress: Callable[[int], None] | None = None,
) -> Loaded:
    """Send a generated world into a server; returns what was acknowledged.

    Parameters
    ----------
    url, key : address of the administration and a secret key of scope `admin`.
    tracking : where messages are taken, when that is another listener.
    progress : told the number of messages acknowledged, about every 50 ms.

    Raises BadFolder, LoadFailed, or Refused with the server's own sentence. Running it again is safe: what had arrived is
    a duplicate.
    """
    manifest, api = read_manifest(folder), Api(url, key)
    made = Keys(api)
    try:
        keys = made.make(manifest.sources)
        return load(tracking or url, keys, deliveries(folder), progress)
    finally:
        with contextlib.suppress(LoadFailed, Refused):  # the server went away: what stopped the load says so
            made.revoke()
        api.close()
