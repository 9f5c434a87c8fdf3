"""One data directory, opened: the log, the state, the people in it, and the only place that names concrete stores."""

import contextlib
import heapq
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from patron.collect.limits import Limits
from patron.collect.segment_api import ReadRules, read_message
from patron.identity.accounts import Account, Membership
from patron.identity.claims import locate
from patron.identity.graph import Graph, Group, Ident
from patron.identity.households import HouseholdIds, Households
from patron.model.access import ApiKey, Source
from patron.model.clock import DAY, HOUR, Clock, SteppedClock, SystemClock
from patron.model.events import Batch, Event
from patron.model.log import Entry
from patron.model.offers import NOTHING
from patron.model.people import Key, Located
from patron.model.ports import Table
from patron.profiles.partial import Partial
from patron.runtime import settings as config
from patron.runtime.bodies import Bodies
from patron.runtime.dead import DeadLetters
from patron.runtime.decisions.deciding import Deciding
from patron.runtime.feeds.feeds import Feeds
from patron.runtime.flow import KeyHash, World
from patron.runtime.keys import KeyRing
from patron.runtime.lake.links import Links
from patron.runtime.lake.past import Past, Replayed
from patron.runtime.privacy.tombstones import Tombstones
from patron.runtime.reading import Found, origin_of, place_batch, read_entry
from patron.runtime.segments.census import Census
from patron.runtime.segments.definitions import Definitions
from patron.runtime.segments.from_lake import FromLake
from patron.runtime.segments.heard import Heard
from patron.runtime.segments.live import Above, Live
from patron.runtime.segments.memberships import Memberships
from patron.runtime.segments.segments import Segments
from patron.runtime.sends.sent import Sent
from patron.runtime.specs import table_specs
from patron.runtime.tables import (
    Assignment,
    AuditRow,
    DayCount,
    DeadRow,
    DecisionRow,
    Plain,
    SplitRecord,
    User,
    sent_key,
)
from patron.segments.execution import Execution
from patron.storage.embedded import directory
from patron.storage.embedded.dedup import Dedup
from patron.storage.embedded.log import SegmentLog
from patron.storage.embedded.mark import read_mark
from patron.storage.embedded.state import State

__all__ = ["Crash", "Found", "Workspace", "crash_at", "plain"]
NEWEST = 200
Crash = Callable[[str], None]


class Workspace:
    """A brand's or legal entity's directory with its own keys, log, state and people. Nothing crosses to another.

    Open it with `recovery.open_workspace`; it holds the directory until `close`.
    """

    def __init__(
        self, path: Path, hold: directory.Hold, clock: str = "system", crash: Crash | None = None
    ) -> None:
        self.path = path
        self.hold = hold
        self.settings, self.origins = config.load(path)
        storage = self.settings.storage
        self.log = SegmentLog.open(path / "log", segment_bytes=storage.segment_mb << 20, crash=crash)
        self.state = State.open(path, table_specs(storage.resident_people), (hold.fileno(),))
        self.dedup = Dedup.open(path / "dedup")
        self.secret = directory.secret(path)
        self.limits = Limits()
        self.bodies = Bodies(self.log, self.limits)
        self.crash = crash or (lambda _name: None)
        self._open_tables()
        self.applied = self.state.offset
        self.cutting = 0
        """Rises with every split made or undone: what was judged before must be placed again."""
        self.clock: Clock = self.clock_of(clock)

    def _open_tables(self) -> None:
        table = self.state.table
        self.nodes: Table[Partial] = table("nodes")
        self.idents: Table[Ident] = table("idents")
        self.groups: Table[Group] = table("groups")
        self.accounts: Table[Account] = table("accounts")
        self.members: Table[Membership] = table("members")
        self.households = Households(table("homes"), HouseholdIds(self.secret))
        self.decisions: Table[DecisionRow] = table("decisions")
        self.asked: Table[list[str]] = table("asked")
        self.shown: Table[int] = table("shown")
        self.assigned: Table[Assignment] = table("assigned")
        self.dead = DeadLetters(table("dead"))
        self.cuts: Table[list[int]] = table("cuts")
        self.splits: Table[SplitRecord] = table("splits")
        self.sources: Table[Source] = table("sources")
        self.keys: Table[ApiKey] = table("keys")
        self.users: Table[User] = table("users")
        self.audit: Table[AuditRow] = table("audit")
        self.days: Table[DayCount] = table("days")
        self.receipts: Table[dict[str, Any]] = table("receipts")
        self.config: Table[Plain] = table("config")
        zone = self.settings.workspace.zone
        self.feeds = Feeds(table("feed_rows"), table("feed_kinds"), table("feed_loads"), zone)
        self.definitions = Definitions(table("definitions"))
        self.ring = KeyRing(self.sources, self.keys)
        self.tombstones = Tombstones(table("tombstones"), self.cuts, self.secret)
        self.graph = Graph(self.idents, self.groups, self.settings.identity, self.secret)
        self.hashes = KeyHash(self.secret)
        parts = Deciding(table, self.settings, self.graph, self.feeds, self._now, self.secret)
        self.catalogues, self.grants, self.given = parts.catalogues, parts.grants, parts.given
        self.interests, self.model, self.rewards = parts.interests, parts.model, parts.rewards
        self.pace = parts.pace
        self.launches, self.trends, self.entered = parts.launches, parts.trends, parts.entered
        self.trends.at(int(self.state.meta.get("now", 0)))
        self.world = World(
            graph=self.graph,
            nodes=self.nodes,
            accounts=self.accounts,
            members=self.members,
            households=self.households,
            heard=Heard(table("heard")),
            shown=self.shown,
            given=self.given,
            interests=self.interests,
            trends=self.trends,
            entered=self.entered,
            rewards=self.rewards,
            rules=self.settings.profiles,
            cuts=self.cuts,
            note=self.log.note_all,
            hashes=self.hashes,
            split=len(self.cuts) > 0,
            people=int(self.state.meta.get("people", 0)),
        )
        lake = self.settings.lake
        self.thinned = read_mark(self.path / "log")
        """Log position up to which messages may be in the lake only."""
        self.past = Past(lake.url or str((self.path / "lake").absolute()), lake.options)
        self.links = Links(self.graph.person_of, self.cuts, self.hashes, self.state.offset)
        self.world.changed = self.links.fresh.append
        self.segments = self._segments()
        self.from_lake = self.world.from_lake = FromLake(self)
        self.live: Live = Memberships(self.segments, self.from_lake)
        self.above: Above
        """Set where the workspace is opened, and `live` with it: it works over the whole of it."""
        self.read_rules = self._read_rules()
        self.sent = Sent(table("sends"))
        latest = heapq.nlargest(NEWEST, self.sent.noting(self.decisions.items()))
        self.newest: deque[tuple[int, str]] = deque(latest, maxlen=NEWEST)
        """Time and id of the newest decisions, newest first."""

    def _now(self) -> int:
        return self.clock.now()

    def _segments(self) -> Segments:
        table, settings = self.state.table, self.settings
        tallies = table("tallies")
        self.census = Census(self.graph, self.groups, self.nodes, tallies, settings.profiles)
        segments = Segments(
            self.census, self.groups, tallies, table("standings"), table("series"), table("served"),
            settings.business.timezone, settings.decide.opt_in, self.history, self._run, self.feeds.locations,
        )  # fmt: skip
        self.definitions.on_change(segments.take)
        return segments

    def _run(self, execution: Execution | None) -> None:
        self.world.segments = execution

    def clock_of(self, kind: str) -> Clock:
        """A clock (`system` or `stepped`) that never falls below what the log has seen."""
        floor = int(self.state.meta.get("now", 0))
        if kind != "stepped":
            return SystemClock(floor)
        start = self.config.get("clock")
        return SteppedClock(max(floor, int(start.value) if start else 0))

    def _read_rules(self) -> ReadRules:
        collect = self.settings.collect
        mapped = self.config.get("channel_map")
        return ReadRules(
            collection_purposes=collect.collection_purposes,
            channel_map=mapped.value if mapped else {},
            skew_max=collect.skew_hours * HOUR,
        )

    def reload(self) -> None:
        """Take up configuration kept in tables after it changed: keys, sources, channel map."""
        self.ring.reload()
        self.read_rules = self._read_rules()

    # --- reading the log ------------------------------------------------------------------------------------

    def decode(self, entry: Entry, body: bytes) -> Found:
        """The messages of a stored body that have an identifier: event, where it belongs, and whether it is no copy."""
        return self.located(entry, self.read(entry, body))

    def read(self, entry: Entry, body: bytes) -> Batch:
        """A stored body read again as when it was accepted; the refused messages are passed over."""
        return read_entry(entry, body, self.limits, self.read_rules)

    def located(self, entry: Entry, batch: Batch) -> Found:
        """The messages of a stored body that have an identifier, each with its place."""
        return place_batch(entry, batch, self.settings.identity, self.cuts)

    def history(self, start: int) -> Iterator[tuple[Event, Key]]:
        """Accepted events from a log position on, each with its node; duplicates and what was erased left out.

        The source of every filling of series: what only the lake has is read from there.
        """
        replayed = self.replayed(start)
        for entry, body in self.log.read(start):
            if entry.kind == "fact":
                continue
            batch = self.read(entry, body)
            if replayed is not None and entry.base <= replayed.last:
                batch = replayed.whole(entry, batch)
            for event, located, fresh in self.located(entry, batch):
                if event.position >= start and fresh and not self.tombstones.bars(located, event.time):
                    yield event, located.node

    def event_at(self, position: int) -> tuple[Event, Located] | None:
        """The event at a log position; None when it was erased or is none."""
        try:
            found = self.bodies.at(position)
        except KeyError:
            return None
        entry, body, rules = found.entry, found.body, self.read_rules
        origin, at = origin_of(entry), position - entry.base
        event = read_message(found.parts, body, entry.route, origin, entry.received, entry.base, rules, at)
        if event is None and position <= self.thinned:
            event = self.past.at(position)
        located = None if event is None else locate(event, self.settings.identity, self.cuts)
        return None if event is None or located is None else (event, located)

    def replayed(self, first: int) -> Replayed | None:
        """What gives the messages back that only the lake has, from a position on; None when the log has all."""
        return Replayed(self.past, first, self.thinned) if first <= self.thinned else None

    def recall(self, positions: Iterable[int]) -> None:
        """Read the events at these positions that only the lake has at once, before `event_at` is asked for each."""
        old = [position for position in positions if position <= self.thinned]
        if old:
            self.past.recall(old)

    # --- counting what happens -------------------------------------------------------------------------------

    def decided(self, name: str, row: DecisionRow) -> None:
        """Count a decision by its hour and by who made it, and keep it among the newest."""
        self.newest.appendleft((row.time, name))
        self.launches.decided(row)
        hour = row.time // HOUR
        for kind in ("~decided", "~nothing") if row.action == NOTHING else ("~decided",):
            self.count_day(f"{hour}{kind}", DayCount(kind, hour, 1, row.time))

    def count_day(self, key: str, more: DayCount) -> None:
        """Add to a count of a day (or hour)."""
        held = self.days.get(key)
        if held is None:
            self.days.put(key, more)
        else:
            self.days.touch(key)
            held.count += more.count
            held.last = max(held.last, more.last)

    def sent_today(self) -> dict[str, int]:
        """Messages accepted today (UTC) by source; sources that sent none are left out."""
        day = self.clock.now() // DAY
        rows = ((name, self.days.get(sent_key(day, name))) for name, _ in self.sources.items())
        return {name: row.count for name, row in rows if row is not None}

    def decisions_at(self, hour: int) -> tuple[int, int]:
        """Decisions of one UTC hour, and those that showed nothing."""
        made, nothing = (self.days.get(f"{hour}{kind}") for kind in ("~decided", "~nothing"))
        return made.count if made else 0, nothing.count if nothing else 0

    def visits(self, day: int) -> tuple[int, int]:
        """Purchases at tills received on a UTC day, and how many of them were of somebody identified."""
        unknown, known = (self.days.get(f"{day}/{who}") for who in ("~till", "~known"))
        named = known.count if known else 0
        return named + (unknown.count if unknown else 0), named

    def bury(self, entry: Entry, position: int, code: str, message: str, path: str) -> None:
        """Keep a dead letter for the message at `position`."""
        self.dead.put(
            str(position),
            DeadRow(position, entry.received, entry.source, entry.channel, code, message, path),
        )

    def mark(self, entry: Entry) -> None:
        """An entry is applied to its end."""
        self.applied = entry.last
        if self.links.fresh:
            self.links.settle(entry.base, entry.received)
        self.log.applied(entry.last)
        self.dedup.settled(entry.last)
        meta = self.state.meta
        meta["people"] = self.world.people
        self.trends.at(entry.received)
        if entry.received > meta.get("now", 0):
            meta["now"] = entry.received

    # --- checkpoints and closing ------------------------------------------------------------------------------

    def checkpoint(self) -> None:
        """Write the whole state as of now, and wait until it is on disk."""
        self.dedup.flush(self.applied)
        self.state.checkpoint_now(self.applied, self.state.meta)

    def close(self, *, checkpoint: bool = True) -> None:
        """Let go of the directory; with a checkpoint, the next start has nothing to replay."""
        with contextlib.ExitStack() as stack:  # each is closed, also when one before it could not be
            for end in (self.hold.release, self.state.close, self.dedup.close, self.log.close):
                stack.callback(end)
            if checkpoint:
                self.checkpoint()


def crash_at(spec: str | None) -> Crash | None:
    """Build the named crash point of `PATRON_CRASH_AT=name[:count]`: the process dies there as by SIGKILL."""
    if not spec:
        return None
    name, _, count = spec.partition(":")
    left = [int(count or 1)]

    def crash(point: str) -> None:
        if point == name:
            left[0] -= 1
            if left[0] <= 0:
                os._exit(137)

    return crash


def plain(value: object) -> Any:
    """Structs as plain data, for facts and JSON."""
    return msgspec.to_builtins(value)
