"""Feeds as API, command line and console show them."""

from collections.abc import Iterable

from patron.feeds.facts import state_key
from patron.feeds.kinds import KINDS, Kind
from patron.feeds.values import Unreadable, read
from patron.feeds.versions import Version, all_as_of
from patron.model.clock import DAY
from patron.model.errors import BadRequest, NotFound
from patron.model.feeds import FeedPage, FeedStatus, FeedValue
from patron.runtime.feeds.feeds import FeedCount, Feeds
from patron.runtime.feeds.loads import kind_of

HISTORY = 200


def statuses(feeds: Feeds) -> list[FeedStatus]:
    """Every kind, those that were loaded first."""
    found = []
    for kind in KINDS.values():
        count = feeds.kinds.get(kind.name) or FeedCount()
        last = feeds.loads.get(count.loads[-1]) if count.loads else None
        found.append(
            FeedStatus(
                kind.name,
                kind.about,
                count.keys,
                count.versions,
                count.known,
                count.valid,
                count.confirmed,
                last,
            )
        )
    return sorted(found, key=lambda status: status.last is None)


def key(feeds: Feeds, name: str, wanted: str, at: str, known: str, now: int) -> FeedPage:
    """What holds for a key at a moment, as known at another, and its history. Raises NotFound, BadRequest."""
    kind = kind_of(name)
    when, as_known = moment(feeds, "at", at, now), moment(feeds, "known", known, now)
    versions = feeds.rows.get(state_key(name, wanted, when))
    if versions is None:
        at_all = (k.rpartition("/")[0] == f"{name}/{wanted}" for k in feeds.rows.keys()) if kind.daily else ()
        day = " on that day" if any(at_all) else ""
        raise NotFound(
            "unknown_key",
            f"{name} has nothing of `{wanted[:80]}`{day}. A key is written {'/'.join(kind.key).upper()}.",
        )
    history = sorted(versions, key=lambda v: (v.known_at, v.position), reverse=True)[:HISTORY]
    return FeedPage(
        name,
        when,
        as_known,
        [_value(kind, wanted, v) for v in all_as_of(versions, when, as_known)],
        1,
        None,
        [_value(kind, wanted, v) for v in history],
    )


def page(feeds: Feeds, name: str, cursor: str, limit: int, at: str, known: str, now: int) -> FeedPage:
    """Keys in order, each with what holds at a moment; of a daily kind those of that day. Raises NotFound, BadRequest."""
    kind = kind_of(name)
    when, as_known = moment(feeds, "at", at, now), moment(feeds, "known", known, now)
    keys = sorted(_keys(feeds, kind, when))
    begin = next((n for n, k in enumerate(keys) if k > cursor), len(keys)) if cursor else 0
    shown = keys[begin : begin + limit]
    data: list[FeedValue] = []
    for one in shown:
        versions = feeds.rows.get(state_key(name, one, when)) or []
        data += [_value(kind, one, v) for v in all_as_of(versions, when, as_known)]
    more = shown[-1] if begin + limit < len(keys) else None
    return FeedPage(name, when, as_known, data, len(keys), more)


def _keys(feeds: Feeds, kind: Kind, when: int) -> Iterable[str]:
    prefix, day = f"{kind.name}/", f"/{when // DAY}"
    for name in feeds.rows.keys():
        if name.startswith(prefix):
            if not kind.daily:
                yield name.removeprefix(prefix)
            elif name.endswith(day):
                yield name.removeprefix(prefix).removesuffix(day)


def moment(feeds: Feeds, name: str, text: str, now: int) -> int:
    """A time of a query (ISO 8601 or ms UTC), `now` when it is empty. Raises BadRequest."""
    try:
        found = read(int(text) if text.isdecimal() and len(text) < 18 else text, "time", feeds.zone)
    except Unreadable as error:
        raise BadRequest("bad_query", f"`{name}`: {error}; write 2026-05-04T10:00:00Z.") from error
    return now if found is None else int(found)


def _value(kind: Kind, name: str, version: Version) -> FeedValue:
    values = None if version.values is None else dict(zip(kind.values, version.values, strict=False))
    return FeedValue(
        name, version.item, version.valid_from, version.until, version.known_at, version.position, values
    )
