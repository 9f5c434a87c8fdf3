"""Bringing a generated world into a running Patron: import sources, then everything in the order in which it arrived.

Only `manifest.json` and `events/` are opened. The truth beside them stays shut: what is measured must not see the answers.
"""

import datetime as dt
import heapq
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import msgspec

from patron.sim.generation.folder import EVENTS, BadFolder, check_truth, messages, read_manifest
from patron.sim.messages import Delivery
from patron.sim.server.api import Api
from patron.sim.server.load import Loaded, load
from patron.sim.server.sources import write_keys

SUFFIX = "-history"
"""After the name of a source that holds a past; its bare name stays free for what goes on live."""


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
    except OSError as error:
        raise BadFolder(
            f"{error.filename} cannot be read ({error.strerror}); generate the world again"
        ) from None
    except (msgspec.DecodeError, KeyError, TypeError, ValueError) as error:
        raise BadFolder(
            f"{folder / EVENTS / source}.ndjson cannot be read after line {at} ({type(error).__name__}: {error}); "
            "generate the world again"
        ) from None


def _milliseconds(text: str) -> int:
    when = dt.datetime.fromisoformat(text)
    return (when - _EPOCH) // dt.timedelta(milliseconds=1)


_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


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

    Write keys are made through the administration and revoked at the end. Raises BadFolder, LoadFailed, or Refused with the
    server's own sentence. Running it again is safe: what had arrived is a duplicate.
    """
    check_truth(folder)
    channels = {source_of(source.name): source.channel for source in read_manifest(folder).sources}
    with closing(Api(url, key)) as api, write_keys(api, "import", channels) as keys:
        return load(tracking or url, keys, deliveries(folder), progress)
