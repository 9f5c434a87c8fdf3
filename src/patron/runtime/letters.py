"""Dead letters: listed by reason, opened with their message, edited, replayed, and never lost."""

from collections import Counter
from itertools import islice

from patron.collect.resend import resend, stated_channel
from patron.collect.segment_api import message_at
from patron.model.access import CHANNELS, Source
from patron.model.errors import BadRequest, NotFound
from patron.model.log import Entry
from patron.model.views import DeadLetter
from patron.runtime.app import App
from patron.runtime.dead import OPEN, UNKNOWN
from patron.runtime.tables import DeadRow, Plain

REFUSED = "collection_refused"
"""The reason that is no fault: a person said no, and only a bare skeleton was kept. There is nothing to mend."""


def page(
    app: App, code: str, source: str, cursor: str | None, limit: int, *, apart: str = ""
) -> tuple[list[DeadLetter], str | None, dict[str, int]]:
    """Open letters, newest first, with the count of each reason (over all pages). `apart` names a reason whose letters
    are listed only when it is asked for by `code`."""
    dead = app.workspace.dead
    places = list(islice(dead.newest(code, source, apart, _start(cursor)), limit + 1))
    shown = [(key, row) for key in map(str, places[:limit]) if (row := dead.get(key)) is not None]
    more = str(places[limit - 1]) if len(places) > limit else None
    return [_view(app, key, row) for key, row in shown], more, dead.counts()


def waiting(app: App) -> int:
    """Open letters that somebody can mend: all but those that a person's no made."""
    return sum(count for code, count in app.workspace.dead.counts().items() if code != REFUSED)


def one(app: App, letter: str) -> tuple[DeadLetter, str]:
    """A letter and the text of its message."""
    row = _row(app, letter)
    return _view(app, letter, row), _message(app, row).decode("utf-8", "replace")


async def replay(app: App, letter: str, edited: str | None) -> tuple[bool, str]:
    """Send a letter's message again through the ordinary door, edited or as it is."""
    row = _row(app, letter)
    if row.status != OPEN:
        raise BadRequest("not_open", f"This letter is {row.status} already.")
    source = app.workspace.sources.get(row.source)
    if source is None:
        raise NotFound("unknown_source", f"Its source {row.source} is gone; make it again to replay.")
    receipt = await app.ingest.accept(source, "batch", _again(app, row, source, edited))
    if receipt.rejected:
        # the refused copy became a letter of its own; the first one stands for both
        newest = app.workspace.dead.get(str(receipt.position))
        reason = newest.message if newest else "It was refused again."
        if newest is not None:
            await app.record("Dead Letter Closed", {"id": str(receipt.position), "status": "dismissed"})
        return False, reason
    if not receipt.accepted and not receipt.duplicates:
        return False, "It tells of a person who was erased; nothing of it may be kept."
    await app.record("Dead Letter Closed", {"id": letter, "status": "replayed"})
    return (
        True,
        "It was a copy of a message that is there."
        if receipt.duplicates
        else "Accepted; it is on the timeline.",
    )


async def map_channel(app: App, unknown: str, channel: str) -> tuple[int, int]:
    """Say what an unknown channel is, and replay what waits for it: (replayed, still failing)."""
    if channel not in CHANNELS:
        raise BadRequest("bad_value", f"`channel` must be one of {', '.join(CHANNELS)}.")
    if not unknown.strip() or unknown in CHANNELS:
        raise BadRequest(
            "bad_value", "`unknown` is the name that the events carry, and no channel of Patron."
        )
    held = app.workspace.config.get("channel_map") or Plain({})
    await app.record("Configuration Changed", {"channel_map": {**held.value, unknown: channel}})
    done = failing = 0
    for key in [str(place) for place in app.workspace.dead.newest(UNKNOWN)]:
        row = app.workspace.dead.get(key)
        if row is not None and row.status == OPEN and _channel(app, row) == unknown:
            accepted, _ = await replay(app, key, None)
            done, failing = done + accepted, failing + (not accepted)
    return done, failing


def unknown_channels(app: App) -> dict[str, int]:
    """Channel names that wait to be mapped, with the number of messages."""
    found = Counter[str]()
    for place, count in app.workspace.dead.unknown().items():
        row = app.workspace.dead.get(str(place))
        if row is not None:
            found[_channel(app, row)] += count
    return dict(found)


def _again(app: App, row: DeadRow, source: Source, edited: str | None) -> bytes:
    entry, body = _stored(app, row)
    skew = 0 if source.kind == "import" else app.workspace.read_rules.skew_max
    text = None if edited is None else edited.encode("utf-8", "surrogatepass")
    index = row.position - entry.base
    return resend(body, entry.route, index, received=entry.received, skew_max=skew, edited=text)


def _channel(app: App, row: DeadRow) -> str:
    """The channel that the message names; "" when it is gone."""
    try:
        entry, body = _stored(app, row)
    except NotFound:
        return ""
    return stated_channel(body, entry.route, row.position - entry.base)


def _row(app: App, letter: str) -> DeadRow:
    row = app.workspace.dead.get(letter)
    if row is None:
        raise NotFound("unknown_letter", f"There is no dead letter {letter[:40]}.")
    return row


def _message(app: App, row: DeadRow) -> bytes:
    entry, body = _stored(app, row)
    return message_at(body, entry.route, row.position - entry.base)


def _stored(app: App, row: DeadRow) -> tuple[Entry, bytes]:
    try:
        return app.workspace.log.at(row.position)
    except KeyError as error:
        raise NotFound(
            "letter_gone", "The message is no longer in the log: its retention has ended."
        ) from error


def _view(app: App, key: str, row: DeadRow) -> DeadLetter:
    return DeadLetter(
        key,
        row.time,
        row.source,
        row.code,
        row.message,
        row.path,
        row.position,
        row.status,
        _channel(app, row) if row.code == UNKNOWN else row.channel,
        row.size,
    )


def _start(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 20):
        raise BadRequest("bad_cursor", "That cursor is not from this list; start without one.")
    return int(cursor)
