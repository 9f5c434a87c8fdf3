"""Who is in a segment and what computed traits are worth, as the live execution has it; and how many a rule would reach."""

import heapq
import re
from collections.abc import Iterable
from typing import Any

from patron.model.access import ApiKey
from patron.model.errors import BadRequest, Forbidden, NotFound
from patron.profiles.public import iso, mask_identifiers
from patron.rules.tree import Segment
from patron.runtime.crowd.reach import count
from patron.runtime.crowd.sample import Crowd
from patron.runtime.people import parts
from patron.runtime.people.everybody import Everybody
from patron.runtime.segments.belonging import shown
from patron.runtime.segments.definitions import Active
from patron.runtime.segments.live import Change, Live
from patron.runtime.segments.readable import may_read_segment, may_read_trait
from patron.runtime.workspace import Workspace

SCANNED = 20_000
"""People looked at for one page of values; a rare trait gives short pages."""
_VERSION = re.compile(r"v([1-9][0-9]{0,8})")


class Audience:
    """Questions about many people at once, over one workspace."""

    def __init__(self, workspace: Workspace, crowd: Crowd) -> None:
        self._workspace = workspace
        self._crowd = crowd
        self._everybody = Everybody(workspace)

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
        if active.traits[name].subject != "person":
            return self._of_others(name, cursor, limit)
        last, scanned = None, 0
        async for person in self._everybody.after(cursor):
            if len(found) == limit or scanned == SCANNED:
                return {"data": found, "cursor": last}
            await self._workspace.above.ready(person)
            value = self.live.computed(person).get(name)
            if value is not None:
                row = self._row(person.id, is_person=True, key=key)
                found.append({**row, "value": shown(active.traits[name], value)})
            last, scanned = person.id, scanned + 1
        return {"data": found, "cursor": None}

    def _of_others(self, name: str, cursor: str, limit: int) -> dict[str, Any]:
        """The same of accounts."""
        held = self._workspace.from_lake.values(name)
        names = heapq.nsmallest(limit + 1, (one for one in held if one > cursor))
        rows = [{"id": one, "identifiers": [], "value": held[one]} for one in names[:limit]]
        return {"data": rows, "cursor": rows[-1]["id"] if len(names) > limit else None}

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
        counted = await count(self._crowd, segment, active)
        if counted is None:
            return None
        low, high = counted.interval
        return {
            "sampled": counted.sampled,
            "matched": len(counted.inside),
            "without_basis": counted.without,
            "people": counted.total,
            "estimate": counted.members,
            "low": low,
            "high": high,
        }


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


def _narrow(what: str) -> Forbidden:
    return Forbidden(
        "narrow_key",
        f"{what} that this key may not read. Use a key without fields and masks, or grant it `segments.ID` or `computed.ID`.",
    )
