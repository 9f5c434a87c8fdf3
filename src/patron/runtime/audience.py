"""Who is in a segment and what computed traits are worth, as the live execution has it; and how many a rule would reach."""

import asyncio
import math
import re
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any

from patron.model.access import ApiKey
from patron.model.errors import BadRequest, Forbidden, NotFound
from patron.model.people import Person
from patron.profiles.public import iso, mask_identifiers
from patron.rules.tree import Segment
from patron.runtime import parts
from patron.runtime.belonging import shown
from patron.runtime.definitions import Active
from patron.runtime.live import Change, Live
from patron.runtime.readable import may_read_segment, may_read_trait
from patron.runtime.subjects import Subject, of_person
from patron.runtime.workspace import Workspace

SAMPLE = 300
"""People of whom a reach is estimated."""
SAMPLE_EVENTS = 2_000
"""Newest events of each of them that are read."""
FRESH = 60_000
"""Milliseconds for which a sample and the list of people serve."""
SCANNED = 20_000
"""People looked at for one page of values; a rare trait gives short pages."""
_VERSION = re.compile(r"v([1-9][0-9]{0,8})")


class Audience:
    """Questions about many people at once, over one workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._ids: tuple[int, list[str]] = (-FRESH, [])
        self._sample: tuple[int, list[Subject]] = (-FRESH, [])
        self._sampling = asyncio.Lock()

    @property
    def live(self) -> Live:
        """The live execution."""
        return self._workspace.live

    # --- members and values -----------------------------------------------------------------------------------

    def members(self, name: str, cursor: str, limit: int, key: ApiKey) -> dict[str, Any]:
        """A page of members by id. Raises Forbidden when the key may not know who is in it."""
        segment = self._segment(name, key)
        found = self.live.members(name, cursor, limit + 1)
        rows = [self._row(one, is_person=segment.subject == "person", key=key) for one in found[:limit]]
        more = len(found) > limit
        return {
            "data": rows,
            "cursor": found[limit - 1] if more else None,
            "total": self.live.count(name),
        }

    def _segment(self, name: str, key: ApiKey | None) -> Segment:
        active = self._workspace.definitions.active()
        segment = active.segments.get(name)
        if segment is None:
            raise NotFound("unknown_segment", f"There is no segment {name[:64]}.")
        if not may_read_segment(key, name, active):
            raise _narrow("Who is in this segment tells fields")
        return segment

    def _row(self, name: str, *, is_person: bool, key: ApiKey) -> dict[str, Any]:
        person = self._workspace.graph.person_by_id(name) if is_person else None
        rows = parts.identifiers(self._workspace, person) if person is not None else []
        return {"id": name, "identifiers": mask_identifiers(rows, key.fields, key.masked)}

    async def values(self, name: str, cursor: str, limit: int, key: ApiKey) -> dict[str, Any]:
        """A page of people who have a value of a computed trait, by id. Raises Forbidden as `members`."""
        active = self._workspace.definitions.active()
        found: list[dict[str, Any]] = []
        if name not in active.traits:
            raise NotFound("unknown_trait", f"There is no computed trait {name[:64]}.")
        if not may_read_trait(key, name, active):
            raise _narrow("The values of this trait tell fields")
        last, scanned = None, 0
        async for person in self._people(cursor):
            if len(found) == limit or scanned == SCANNED:
                return {"data": found, "cursor": last}
            value = self.live.computed(person).get(name)
            if value is not None:
                row = self._row(person.id, is_person=True, key=key)
                found.append({**row, "value": shown(active.traits[name], value)})
            last, scanned = person.id, scanned + 1
        return {"data": found, "cursor": None}

    async def _people(self, cursor: str) -> AsyncIterator[Person]:
        for at, name in enumerate(_beyond(self._everybody(renew=not cursor), cursor), 1):
            person = self._workspace.graph.person_by_id(name)
            if person is not None and person.id == name:
                yield person
            if at % 100 == 0:
                await asyncio.sleep(0)

    def _everybody(self, *, renew: bool) -> list[str]:
        """Ids of all people, sorted; some are retired, and who came within the last minute may be missing."""
        now = self._workspace.clock.now()
        if (renew and not 0 <= now - self._ids[0] < FRESH) or not self._ids[1]:
            self._ids = (now, sorted(self._workspace.groups.keys()))
        return self._ids[1]

    # --- who came and went ----------------------------------------------------------------------------------------

    def diff(self, name: str, since: str, until: str, limit: int, key: ApiKey) -> dict[str, Any]:
        """Who came in and who left between two moments (times, or the last moments of versions)."""
        segment = self._segment(name, key)
        begin, end = self._moment(name, since), self._moment(name, until) if until else self._now()
        if begin > end:
            raise BadRequest("bad_query", "`from` lies after `to`; change them round.")
        entered, left = net(self.live.changes(name, begin, end))
        is_person = segment.subject == "person"
        return {
            "segment": name,
            "since": iso(begin),
            "until": iso(end),
            "complete": self.live.kept_since(name) <= begin,
            "entered": [self._move(c, is_person=is_person, key=key) for c in entered[:limit]],
            "left": [self._move(c, is_person=is_person, key=key) for c in left[:limit]],
            "entered_total": len(entered),
            "left_total": len(left),
        }

    def _move(self, change: Change, *, is_person: bool, key: ApiKey) -> dict[str, Any]:
        row = self._row(change.subject, is_person=is_person, key=key)
        return {**row, "time": iso(change.time), "cause": change.cause}

    def _now(self) -> int:
        return self._workspace.clock.now()

    def _moment(self, name: str, said: str) -> int:
        version = _VERSION.fullmatch(said)
        if version is None:
            return moment_of(said)
        rows = self._workspace.definitions.versions("segment", name)
        at = next((n for n, row in enumerate(rows) if row.version == int(version[1])), None)
        if at is None:
            raise NotFound("unknown_version", f"The segment {name[:64]} has no version {version[1]}.")
        return rows[at + 1].time - 1 if at + 1 < len(rows) else self._now()

    # --- how many a rule would reach -------------------------------------------------------------------------------

    async def reach(self, segment: Segment, active: Active) -> dict[str, Any] | None:
        """How many people a segment would hold, estimated from a sample; None for rules about accounts, or nobody."""
        sample = await self._subjects() if segment.subject == "person" else []
        if not sample:
            return None
        matched = without = 0
        for at, subject in enumerate(sample, 1):
            subject.use(active)
            subject.now = self._now()
            if not subject.has_basis(segment.purpose):
                without += 1
            elif subject.matches(segment):
                matched += 1
            if at % 20 == 0:
                await asyncio.sleep(0)
        people, n = self._workspace.world.people, len(sample)
        low, high = wilson(matched, n) if n < people else (matched / n, matched / n)
        return {
            "sampled": n,
            "matched": matched,
            "without_basis": without,
            "people": people,
            "estimate": round(people * matched / n),
            "low": math.floor(people * low),
            "high": math.ceil(people * high),
        }

    async def _subjects(self) -> list[Subject]:
        """A random sample of people with their histories, read at most once a minute: ids are keyed hashes."""
        async with self._sampling:
            now = self._now()
            if not 0 <= now - self._sample[0] < FRESH:
                ids = self._everybody(renew=True)
                step = max(1, len(ids) // SAMPLE)
                graph = self._workspace.graph
                people = {p.id: p for name in ids[::step] if (p := graph.person_by_id(name)) is not None}
                found = [
                    await of_person(self._workspace, person, SAMPLE_EVENTS)
                    for person in list(people.values())[:SAMPLE]
                ]
                self._sample = (now, found)
            return self._sample[1]


def net(changes: Iterable[Change]) -> tuple[list[Change], list[Change]]:
    """Who is in after some changes and was not before, and the other way round; each by their last change, newest first.

    >>> net([Change("s", "p_1", 5, True), Change("s", "p_1", 7, False), Change("s", "p_2", 9, True)])[0][0].subject
    'p_2'
    """
    first: dict[str, Change] = {}
    last: dict[str, Change] = {}
    for change in changes:
        first.setdefault(change.subject, change)
        last[change.subject] = change
    # the first change tells what was before: who enters was out
    moved = [c for name, c in last.items() if c.entered == first[name].entered]
    moved.sort(key=lambda c: (-c.time, c.subject))
    return [c for c in moved if c.entered], [c for c in moved if not c.entered]


def wilson(hits: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927).

    >>> [round(end, 3) for end in wilson(0, 100)], [round(end, 3) for end in wilson(50, 100)]
    ([0.0, 0.037], [0.404, 0.596])
    """
    share, slack = hits / n, z * z / n
    middle = (share + slack / 2) / (1 + slack)
    half = z / (1 + slack) * math.sqrt(share * (1 - share) / n + slack / (4 * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def moment_of(said: str) -> int:
    """A time as ms UTC: ISO 8601 (without zone it is UTC). Raises BadRequest.

    >>> moment_of("2026-03-01"), moment_of("2026-03-01T01:00:00+01:00")
    (1772323200000, 1772323200000)
    """
    import datetime as dt

    try:
        when = dt.datetime.fromisoformat(said)
        return int((when if when.tzinfo else when.replace(tzinfo=dt.UTC)).timestamp() * 1000)
    except (ValueError, OverflowError) as error:
        raise BadRequest(
            "bad_time", "Write a time as ISO 8601, for example 2026-03-01T10:00:00Z, or a version, v3."
        ) from error


def _beyond(ids: list[str], cursor: str) -> Iterator[str]:
    from bisect import bisect_right

    yield from ids[bisect_right(ids, cursor) :] if cursor else ids


def _narrow(what: str) -> Forbidden:
    return Forbidden(
        "narrow_key",
        f"{what} that this key may not read. Use a key without fields and masks, or grant it `segments.ID` or `computed.ID`.",
    )
