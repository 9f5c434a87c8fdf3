"""Our own facts: everything that cannot be computed again is an entry of the log, and this is how each is applied.

A fact's body is `{"name": ..., "data": ...}`. Applying is the same live and in replay; it acts on nobody.
"""

from collections.abc import Callable, Collection, Iterator
from typing import Any

import msgspec

from patron.decide.catalogue import parse
from patron.decide.index import CatalogueIndex
from patron.decide.stocks import Count
from patron.feeds.kinds import KINDS
from patron.feeds.rows import Row
from patron.identity.graph import Change
from patron.model.access import ApiKey, Source
from patron.model.clock import SteppedClock
from patron.model.feeds import FeedLoad
from patron.model.log import Entry
from patron.model.people import Key
from patron.model.policies import Move, Policy
from patron.runtime.decisions import catalogues, entered
from patron.runtime.decisions.decided import decision_of, is_packed
from patron.runtime.flow import uncut
from patron.runtime.people import splits
from patron.runtime.segments import definitions
from patron.runtime.sends import sent
from patron.runtime.tables import CATALOGUE, Assignment, AuditRow, DecisionRow, Plain, SplitRecord, User
from patron.runtime.workspace import Workspace

Handler = Callable[[Workspace, Entry, Any], None]
EXPORT = "export/"
"""Before the id of an export, in the table of configuration."""
ERASED = b'{"name":"Erased","data":null}'
ASKED = 50
"""Decisions remembered per node; older ones stay in the log."""


class Fact(msgspec.Struct, frozen=True):
    """One of our own facts, as it stands in the log."""

    name: str
    data: msgspec.Raw = msgspec.Raw(b"null")


_decoder = msgspec.json.Decoder(Fact)


def entry_of(workspace: Workspace, name: str, data: object) -> tuple[Entry, bytes]:
    """Make the log entry of a fact, at the next position and the present time."""
    body = msgspec.json.encode({"name": name, "data": data})
    now = workspace.clock.now()
    return Entry("fact", workspace.log.last + 1, 1, "patron", now, "fact"), body


def apply(workspace: Workspace, entry: Entry, body: bytes) -> None:
    """Apply one fact. An erased fact (`null`) and a name this version does not know change nothing."""
    if body == b"null":
        return
    made = decision_of(body) if is_packed(body) else None
    if made is not None:
        workspace.segments.at(entry.received, entry.base)
        decided(workspace, entry, *made)
        return
    fact = _decoder.decode(body)
    handler = HANDLERS.get(fact.name)
    if handler is not None:
        workspace.segments.at(entry.received, entry.base)
        handler(workspace, entry, fact.data)
        workspace.segments.settle()


def passing(workspace: Workspace) -> Iterator[None]:
    """What follows from a fact over time: when the clock was stepped, people leave segments. In slices."""
    return workspace.segments.passing()


def spoken_of(entry: Entry, body: bytes) -> tuple[set[Key], int]:
    """The identifiers that a fact speaks of, and its time (ms); none for facts about no person.

    >>> spoken_of(Entry("fact", 4, 1, "patron", 9), b'{"name":"Identity Joined","data":["user_id:7","card:3"]}')[1]
    9
    """
    made = decision_of(body)
    if made is not None:
        return {made[1].node} - {""}, made[1].time
    fact = _decoder.decode(body) if body != b"null" else Fact("")
    if fact.name == "Identity Split":
        record = msgspec.json.decode(fact.data, type=SplitRecord)
        return {record.node, *(key for pair in record.pairs for key in pair)} - {""}, record.time
    if fact.name == "Identity Joined":
        return set(msgspec.json.decode(fact.data, type=tuple[str, str])), entry.received
    return set(), entry.received


def index(workspace: Workspace, entry: Entry, body: bytes) -> None:
    """Note the index rows of a fact that the state knows already, as applying it did."""
    keys, time = spoken_of(entry, body)
    for key in keys:
        workspace.log.note(workspace.hashes(key), time, entry.base, False)


def without(entry: Entry, body: bytes, gone: Collection[Key]) -> bytes:
    """A fact as it stands once some identifiers are erased: a split keeps the pairs of others, the rest goes whole."""
    if not spoken_of(entry, body)[0] & set(gone):
        return body
    if is_packed(body):
        return ERASED
    fact = _decoder.decode(body)
    if fact.name == "Identity Split":
        rest = spared(msgspec.json.decode(fact.data, type=SplitRecord), gone)
        if rest is not None:
            return msgspec.json.encode({"name": fact.name, "data": rest})
    return ERASED


def spared(record: SplitRecord, gone: Collection[Key]) -> SplitRecord | None:
    """What a split still separates when some identifiers are erased; None when that is nothing."""
    pairs = tuple(pair for pair in record.pairs if not {*pair} & {*gone})
    if record.node in gone or (record.pairs and not pairs):
        return None
    return msgspec.structs.replace(record, pairs=pairs)


def _source(workspace: Workspace, _entry: Entry, data: msgspec.Raw) -> None:
    source = msgspec.json.decode(data, type=Source)
    workspace.sources.put(source.name, source)
    workspace.ring.reload()


def _key(workspace: Workspace, _entry: Entry, data: msgspec.Raw) -> None:
    key = msgspec.json.decode(data, type=ApiKey)
    workspace.keys.put(key.name, key)
    workspace.ring.reload()


def _user(workspace: Workspace, _entry: Entry, data: msgspec.Raw) -> None:
    user = msgspec.json.decode(data, type=User)
    workspace.users.put(user.name, user)


def _config(workspace: Workspace, entry: Entry, data: msgspec.Raw) -> None:
    changed = msgspec.json.decode(data, type=dict[str, Any])
    for name, value in changed.items():
        workspace.config.put(name, Plain(value))
    if CATALOGUE in changed:
        index = CatalogueIndex(parse(changed[CATALOGUE]), workspace.settings.decide.opt_in)
        catalogues.took(workspace, index, changed, entry.received)
        workspace.given.use(index)
        workspace.entered.use(index)
    workspace.reload()


def _saved(kind: definitions.Kind) -> Handler:
    def apply_saved(workspace: Workspace, entry: Entry, data: msgspec.Raw) -> None:
        saved = msgspec.json.decode(data, type=definitions.Saved)
        workspace.definitions.apply(kind, saved, entry.received)

    return apply_saved


def _clock(workspace: Workspace, _entry: Entry, data: msgspec.Raw) -> None:
    now = msgspec.json.decode(data, type=int)
    workspace.config.put("clock", Plain(now))
    if isinstance(workspace.clock, SteppedClock) and now > workspace.clock.now():
        workspace.clock.step(now)
    workspace.segments.step_to(now)


_decode_decided = msgspec.json.Decoder(tuple[str, DecisionRow]).decode


def _decided(workspace: Workspace, entry: Entry, data: msgspec.Raw) -> None:
    decided(workspace, entry, *_decode_decided(data))


def decided(workspace: Workspace, entry: Entry, name: str, decision: DecisionRow) -> None:
    """Apply a decision: keep it, count it, remember who asked and into which group they fell."""
    workspace.decisions.put(name, decision)
    workspace.decided(name, decision)
    node = decision.node
    workspace.given.release(node, decision.grants)
    workspace.given.apply(node, decision.grants)
    workspace.rewards.decided(name, decision)
    if decision.sent is not None:
        workspace.sent.note(name, decision)
        workspace.entered.decided(name, decision)
    if not node:
        return
    asked = workspace.asked.get(node)
    workspace.asked.put(node, [*asked[1 - ASKED :], name] if asked else [name])
    if decision.holdout > 0 and workspace.assigned.get(node) is None:
        workspace.assigned.put(node, Assignment(decision.time, decision.group))
    workspace.log.note(workspace.hashes(node), decision.time, entry.base, False)


class DecisionWork:
    """A decision on its way through the pipeline: what was just written need not be read from its entry again."""

    __slots__ = ("_entry", "_name", "_row", "_workspace")

    def __init__(self, workspace: Workspace, entry: Entry, name: str, row: DecisionRow) -> None:
        self._workspace = workspace
        self._entry = entry
        self._name = name
        self._row = row

    def apply(self) -> Iterator[None]:
        """Apply it: it is durable."""
        decided(self._workspace, self._entry, self._name, self._row)
        self._workspace.mark(self._entry)
        return iter(())

    def ended(self, error: Exception | None, *, stored: bool) -> None:
        """Nobody else waits for it; what it held is free again when it was never recorded."""
        if error is not None and not stored:
            self._workspace.given.release(self._row.node, self._row.grants)


def _split(workspace: Workspace, entry: Entry, data: msgspec.Raw) -> None:
    record = msgspec.json.decode(data, type=SplitRecord)
    workspace.splits.put(record.id, record)
    workspace.cutting += 1
    splits.enact(workspace, record)
    for key in {record.node, *(k for pair in record.pairs for k in pair)} - {""}:
        workspace.log.note(workspace.hashes(key), record.time, entry.base, False)


def _unsplit(workspace: Workspace, entry: Entry, data: msgspec.Raw) -> None:
    record = workspace.splits.get(msgspec.json.decode(data, type=str))
    if record is not None and record.undone is None:
        workspace.splits.put(record.id, msgspec.structs.replace(record, undone=entry.received))
        workspace.cutting += 1
        splits.undo(workspace, record)


def _joined(workspace: Workspace, entry: Entry, data: msgspec.Raw) -> None:
    a, b = msgspec.json.decode(data, type=tuple[str, str])
    change = workspace.graph.join(a, b, entry.received, f"patron/{entry.base}", entry.base)
    if isinstance(change, Change):
        workspace.world.regrouped(change)
    for key in (a, b):
        workspace.log.note(workspace.hashes(key), entry.received, entry.base, False)


def _erased(workspace: Workspace, _entry: Entry, data: msgspec.Raw) -> None:
    receipt = msgspec.json.decode(data, type=dict[str, Any])
    for mark in receipt["marks"]:
        workspace.tombstones.add(mark, receipt["time"])
    ghosts = receipt.pop("ghosts", None)
    workspace.receipts.put(receipt["id"], receipt)
    for key in list(workspace.idents.keys()) if ghosts else ():
        counts = ghosts.get(workspace.tombstones.mark(uncut(key, workspace.cuts)))
        if counts is not None:
            workspace.world.regrouped(workspace.graph.haunt(key, tuple(counts)))


def _stocks_noted(workspace: Workspace, entry: Entry, data: msgspec.Raw) -> None:
    workspace.given.note(msgspec.json.decode(data, type=str), entry.received)


def _stocks_told(workspace: Workspace, _entry: Entry, data: msgspec.Raw) -> None:
    workspace.given.tell(*msgspec.json.decode(data, type=tuple[str, dict[str, Count]]))


def _retained(workspace: Workspace, _entry: Entry, data: msgspec.Raw) -> None:
    before = msgspec.json.decode(data, type=dict[str, int])
    for table, time in ((workspace.dead, before["dead"]), (workspace.audit, before["audit"])):
        for key in [k for k, row in table.items() if row.time < time]:
            table.delete(key)


def _closed(workspace: Workspace, _entry: Entry, data: msgspec.Raw) -> None:
    change = msgspec.json.decode(data, type=dict[str, str])
    row = workspace.dead.get(change["id"])
    if row is not None:
        workspace.dead.put(change["id"], msgspec.structs.replace(row, status=change["status"]))


def _audited(workspace: Workspace, entry: Entry, data: msgspec.Raw) -> None:
    user, verb, thing = msgspec.json.decode(data, type=tuple[str, str, str])
    workspace.audit.put(f"{entry.base:020d}", AuditRow(entry.received, user, verb, thing))


class FeedRows(msgspec.Struct, frozen=True):
    """Some rows of one load of a feed, as they stand in the log."""

    kind: str
    load: str
    rows: list[Row]


def _fed(workspace: Workspace, entry: Entry, data: msgspec.Raw) -> None:
    part = msgspec.json.decode(data, type=FeedRows)
    if part.kind not in KINDS:  # of a newer Patron
        return
    before = workspace.feeds.locations() if part.kind == "stores" else None
    workspace.feeds.apply(part.kind, entry.base, part.rows)
    if part.kind == "catalogue":
        workspace.model.recategorised()
    if part.kind == "stores":
        workspace.trends.forget()
    if before is not None and before != workspace.feeds.locations():
        workspace.segments.located(workspace.definitions.active())


def _feed_noted(workspace: Workspace, _entry: Entry, data: msgspec.Raw) -> None:
    workspace.feeds.noted(msgspec.json.decode(data, type=FeedLoad))


def _export(workspace: Workspace, _entry: Entry, data: msgspec.Raw) -> None:
    saved = msgspec.json.decode(data, type=dict[str, Any])
    workspace.config.put(EXPORT + saved["id"], Plain(saved["definition"]))


class PolicySaved(msgspec.Struct, frozen=True):
    """A policy as somebody saved it."""

    policy: Policy
    by: str


class PolicyMoved(msgspec.Struct, frozen=True):
    """A policy's step to another stage."""

    id: str
    move: Move


def _policy_saved(workspace: Workspace, entry: Entry, data: msgspec.Raw) -> None:
    saved = msgspec.json.decode(data, type=PolicySaved)
    workspace.launches.saved(saved.policy, saved.by, entry.received, entry.base)


def _policy_moved(workspace: Workspace, entry: Entry, data: msgspec.Raw) -> None:
    moved = msgspec.json.decode(data, type=PolicyMoved)
    workspace.launches.moved(moved.id, moved.move, entry.base)


def _send_started(workspace: Workspace, entry: Entry, data: msgspec.Raw) -> None:
    workspace.sent.started(msgspec.json.decode(data, type=sent.Start), entry.received)


def _send_advanced(workspace: Workspace, _entry: Entry, data: msgspec.Raw) -> None:
    workspace.sent.advanced(msgspec.json.decode(data, type=sent.Advance))


def _send_closed(workspace: Workspace, entry: Entry, data: msgspec.Raw) -> None:
    workspace.sent.closed(msgspec.json.decode(data, type=sent.Close), entry.received)


def _passed(workspace: Workspace, _entry: Entry, data: msgspec.Raw) -> None:
    workspace.entered.passed(msgspec.json.decode(data, type=str))


HANDLERS: dict[str, Handler] = {
    "Source Saved": _source,
    "Key Saved": _key,
    "User Saved": _user,
    "Configuration Changed": _config,
    "Clock Stepped": _clock,
    "Offer Decided": _decided,
    "Identity Split": _split,
    "Identity Split Undone": _unsplit,
    "Identity Joined": _joined,
    "Person Erased": _erased,
    "Stocks Noted": _stocks_noted,
    "Stocks Told": _stocks_told,
    "Dead Letter Closed": _closed,
    "Audited": _audited,
    "Export Saved": _export,
    entered.PASSED: _passed,
    sent.STARTED: _send_started,
    sent.ADVANCED: _send_advanced,
    sent.CLOSED: _send_closed,
    "Retention Applied": _retained,
    "Feed Loaded": _fed,
    "Feed Load Noted": _feed_noted,
    "Policy Saved": _policy_saved,
    "Policy Moved": _policy_moved,
    **{
        name: _saved(kind)
        for kind in definitions.KINDS
        for name in (definitions.SAVED[kind], definitions.REMOVED[kind])
    },
}
