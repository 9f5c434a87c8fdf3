"""The whole flow of one event, readable in one place: each room is named once, in order.

    resolve who it is -> fold it into the node's profile -> move segments -> remember accounts and homes -> credit what was shown -> index it

The same function runs live, in replay and in tests. It acts on nobody: what must be done outside follows from the state.
"""

import hashlib
from collections.abc import Callable

from msgspec import Struct

from patron.identity.accounts import Account, Membership, observe_group
from patron.identity.graph import Change, Graph
from patron.identity.households import Households
from patron.model.events import Event
from patron.model.people import Key, Located
from patron.model.ports import Table
from patron.profiles import interests
from patron.profiles.fold import fold, told_traits
from patron.profiles.partial import Partial
from patron.profiles.rules import ProfileRules
from patron.runtime.decisions import given, rewards
from patron.runtime.decisions.entered import Entered
from patron.runtime.decisions.given import Given
from patron.runtime.decisions.interests import LiveInterests
from patron.runtime.decisions.rewards import Rewards
from patron.runtime.decisions.trends import Trends
from patron.runtime.segments.from_lake import FromLake
from patron.runtime.segments.heard import Heard
from patron.segments.execution import Execution


class World(Struct):
    """What `advance` may look at and change: the tables of the people in an event, and nothing else."""

    graph: Graph
    nodes: Table[Partial]
    accounts: Table[Account]
    members: Table[Membership]
    households: Households
    heard: Heard
    shown: Table[int]
    given: Given
    interests: LiveInterests
    trends: Trends
    entered: Entered
    rewards: Rewards
    rules: ProfileRules
    cuts: Table[list[int]]
    note: Callable[[int, list[int]], None]
    hashes: "KeyHash"
    rows: list[int] = []
    """Rows of the log's index, flat, of events applied since `noted` was called."""
    split: bool = False
    """Whether any identifier was ever cut at a time."""
    people: int = 0
    """How many people there are: kept by the changes, so that nobody has to count."""
    segments: Execution | None = None
    """Everybody against the rules in force; None where there is none."""
    from_lake: FromLake | None = None
    """What the lake answers, minutes behind: it is told what counts at once."""

    changed: Callable[[Change], None] | None = None
    """Told of every change of people."""

    def met(self, change: Change | None) -> None:
        """Take note of people whom an event changed, before it is folded."""
        if change is not None:
            self._counted(change)
            if self.segments is not None:
                self.segments.met(change.before, change.after)

    def regrouped(self, change: Change | None) -> None:
        """Take note of a change of people by hand; `Segments.settle` judges them when it is over."""
        if change is not None:
            self._counted(change)
            if self.segments is not None:
                self.segments.regrouped(person.id for person in (*change.before, *change.after))

    def _counted(self, change: Change) -> None:
        self.people += len(change.after) - len(change.before)
        if change.moved:
            if self.from_lake is not None:
                self.from_lake.regrouped(change)
            if self.changed is not None:
                self.changed(change)
            self.rewards.regrouped(person.members for person in change.after)

    def noted(self, position: int) -> None:
        """Hand the rows to the log's index; they are all of the body that holds `position`."""
        if self.rows:
            self.note(position, self.rows)
            self.rows.clear()


class KeyHash(dict[str, int]):
    """Keyed 64-bit hashes of identifiers for the log's index; a look-up remembers what it had to work out.

    Keyed with the workspace secret, so that an index file alone says nothing about whom it holds.

    >>> hashes = KeyHash(b"a secret of sixteen bytes")
    >>> hashes["user_id:7"] == hashes("user_id:7") == KeyHash(b"a secret of sixteen bytes")("user_id:7")
    True
    """

    __call__ = dict.__getitem__

    def __init__(self, secret: bytes, capacity: int = 100_000) -> None:
        super().__init__()
        self._secret = hashlib.blake2b(secret, digest_size=32, person=b"patron-index").digest()
        self._capacity = capacity

    def __missing__(self, key: str) -> int:
        if len(self) >= self._capacity:
            self.clear()
        text = key.encode("utf-8", "surrogatepass")
        digest = hashlib.blake2b(text, digest_size=8, key=self._secret).digest()
        found = self[key] = int.from_bytes(digest, "little")
        return found

    def forget(self) -> None:
        """Drop what is remembered (after an erasure)."""
        self.clear()


def advance(event: Event, located: Located, world: World) -> None:
    """Carry one event through every room, once."""
    graph, time, assurance = world.graph, event.time, event.assurance
    if not graph.knows(time, assurance, located):
        world.met(graph.observe(time, event.uid, event.position, assurance, located))
    node, nodes = located.node, world.nodes
    partial = nodes.get(node)
    if partial is None:
        partial = Partial()
        fold(partial, event, world.rules)
        nodes.put(node, partial)
    else:
        nodes.touch(node)
        fold(partial, event, world.rules)
    if world.segments is not None:
        world.segments.event(event, node)
    if event.consents and world.from_lake is not None:
        world.from_lake.told(node)
    if event.group_id is not None:
        observe_group(event, located, world.accounts, world.members)
    settle_home(event, node, world)
    name = event.name
    if name in world.heard.missing:
        world.heard.add(name)
    if name in interests.TOLD:
        world.interests.event(event, node)
        world.trends.event(event, node)
    if name in world.entered.triggers:
        world.entered.event(event, node)
    if name in given.TOLD:
        if name == "Offer Shown":
            _shown(event, world.shown)
        world.given.event(event, node)
    if name in rewards.TOLD:
        world.rewards.event(event, node)
    index(event, located, world, is_node=True)


def settle_home(event: Event, node: Key, world: World) -> None:
    """Take in the home that an event tells, live and where a node is made anew."""
    if event.traits or "traits" in event.context:
        world.households.tell(node, told_traits(event, world.rules), event.time, event.uid)


def index(event: Event, located: Located, world: World, *, is_node: bool) -> None:
    """Note where an event stands in the log, under its node and under every identifier it mentions."""
    hashes, rows, node, split = world.hashes, world.rows, located.node, world.split
    time, place = event.time, event.position << 1
    rows += (hashes[uncut(node, world.cuts) if split else node], time, place | is_node)
    for claim in located.claims:
        key = claim.key
        if key != node:
            rows += (hashes[uncut(key, world.cuts) if split else key], time, place)


def uncut(key: str, cuts: Table[list[int]]) -> str:
    """The identifier as events carry it: without the time of a cut. The index knows only that."""
    if "~" in key and (whole := key.rpartition("~")[0]) in cuts:
        return whole
    return key


def _shown(event: Event, shown: Table[int]) -> None:
    decision = event.properties.get("decision_id") or event.properties.get("decisionId")
    if isinstance(decision, str):
        before = shown.get(decision)
        if before is None or event.time < before:
            shown.put(decision, event.time)
