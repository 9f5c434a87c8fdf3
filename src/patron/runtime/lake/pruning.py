"""Thinning the old part of the log: messages that are in the lake go from it, everything else stays where it is.

Facts, decisions, refused messages (dead letters), which messages were copies, and every position stay in the log; only the text
of accepted messages goes, which is nearly all of its bytes. A replay takes them from the lake. The mark that says so is durable
before the first message goes, and doing it again does no harm.
"""

import asyncio
from typing import TYPE_CHECKING, Any

from patron.collect.body import spans
from patron.collect.segment_api import blank
from patron.model.errors import BadRequest
from patron.model.log import Entry
from patron.storage.embedded.mark import read_mark, write_mark

if TYPE_CHECKING:
    from patron.runtime.app import App


async def prune(app: "App", before: int) -> dict[str, Any]:
    """Thin the sealed segments whose newest message was received before a time (ms); gives what it freed.

    Raises StorageError when the lake cannot be brought up to date, BadRequest for a time that lies ahead.
    """
    workspace, log = app.workspace, app.workspace.log
    if before > workspace.clock.now():
        raise BadRequest("bad_time", "`before` lies ahead; give a time that has passed.")
    position = await app.start_jobs().flush()
    held = read_mark(log.directory)
    due = [
        s
        for s in log.segments()
        if s.sealed
        and s.received_last < before
        and s.last <= min(position, workspace.applied)
        and s.last > held
    ]
    freed = 0
    for segment in due:
        workspace.crash("before_thin")
        write_mark(log.directory, segment.last)
        workspace.thinned = segment.last
        await asyncio.to_thread(log.thin, segment.first, thinned)
        workspace.crash("after_thin")
        left = next((s.bytes for s in log.segments() if s.first == segment.first), 0)
        freed += max(0, segment.bytes - left)
    return {"segments": len(due), "bytes": freed, "position": read_mark(log.directory)}


def thinned(entry: Entry, body: bytes) -> bytes:
    """A body without its accepted messages; facts and refused messages stay.

    >>> entry = Entry("track", 1, 2, "shop", 9)
    >>> thinned(entry, b'{"batch":[{"a":1},{"b":2}]}')
    b'{"batch":[null,null]}'
    """
    if entry.kind != "track":
        return body
    refused = entry.refused
    try:
        count = len(spans(body, entry.route))
    except ValueError:
        return body  # a body that was broken at its door: its dead letters need it as it is
    return blank(body, entry.route, [index for index in range(count) if index not in refused])
