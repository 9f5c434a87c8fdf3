"""What people and other systems are shown: frozen views, made by `runtime/people/views.py`, drawn by console and API.

Times are milliseconds UTC; money is `{currency: "41.30"}`; nothing here is personal beyond what it names.
"""

from typing import Any, Literal

from msgspec import Struct

from patron.model.offers import Decision, Outcome
from patron.model.policies import Figure


class ChannelRate(Struct, frozen=True):
    """Live traffic of one channel."""

    channel: str
    per_second: float
    today: int
    last: int | None


class Status(Struct, frozen=True):
    """Positions of the log, and how far behind the state is."""

    accepted: int
    applied: int
    durable: int
    lag_ms: float


class Health(Struct, frozen=True):
    """How the process and its directory are."""

    status: Status
    people: int
    identifiers: int
    events: int
    uptime_s: float
    memory_mb: float
    log_mb: float
    state_mb: float
    disk_free_mb: float
    last_checkpoint: int | None
    dead_letters: int
    clock: str
    now: int
    version: str
    checks: list[tuple[str, bool, str]]
    """(what, is it well, a sentence)"""


class Need(Struct, frozen=True):
    """One thing that waits for a person on the home page."""

    kind: str
    title: str
    detail: str
    href: str
    action: str


class IdentifierView(Struct, frozen=True):
    """One identifier of a person."""

    type: str
    value: str
    first_seen: int
    last_seen: int
    shared: bool = False


class TraitView(Struct, frozen=True):
    """A trait with its provenance."""

    name: str
    value: Any
    time: int
    source: str
    message_id: str


class ConsentView(Struct, frozen=True):
    """A consent as it stands, with its proof."""

    purpose: str
    channel: str
    granted: bool
    time: int
    text_version: str
    place: str
    source: str


class LinkView(Struct, frozen=True):
    """One edge of the identity graph, in words."""

    a: str
    b: str
    status: str
    """`accepted`, `refused`, `shared`, `cut`, `proposed`."""
    strength: int
    assurance: str
    time: int
    event: str
    source: str
    rule: str
    reason: str


class TimelineEvent(Struct, frozen=True, rename={"message_id": "messageId", "received_at": "receivedAt"}):
    """One event of a timeline, by its own time."""

    message_id: str
    type: str
    event: str
    timestamp: str
    channel: str
    source: str
    properties: dict[str, Any]
    received_at: str
    position: int
    node: str
    sentence: str
    """What happened, for people: `Bought Espresso beans 1 kg`."""
    detail: str = ""
    money: str = ""
    """`€21.90`, when the event is about money."""
    late_days: int = 0
    ours: bool = False
    time: int = 0


class TimelinePage(Struct, frozen=True):
    """A page of a timeline and the cursor of the next one."""

    data: list[TimelineEvent]
    cursor: str | None
    total: int


class PersonRow(Struct, frozen=True):
    """One hit of a search."""

    id: str
    name: str
    identifiers: list[IdentifierView]
    matched: str
    last_seen: int | None
    orders: int
    revenue: dict[str, str]
    channels: list[str]


class DecisionView(Struct, frozen=True):
    """A decision with what followed it."""

    decision: Decision
    outcome: Outcome
    offer: str
    """The name of the action for people, `Nothing shown` for nothing."""
    who: str
    names: dict[str, str] = {}
    """offer id -> its name for people, for every candidate."""


class PersonView(Struct, frozen=True):
    """Everything the person page shows."""

    id: str
    name: str
    summary: str
    """One sentence: `Customer since March 2024, mostly in store. Last bought on 19 November.`"""
    identifiers: list[IdentifierView]
    traits: list[TraitView]
    consents: list[ConsentView]
    links: list[LinkView]
    decisions: list[DecisionView]
    counters: dict[str, int]
    orders: int
    revenue: dict[str, str]
    channels: dict[str, tuple[int, int, int]]
    """channel -> (first, last, events)"""
    first_seen: int | None
    last_seen: int | None
    groups: list[tuple[str, dict[str, Any]]]
    """Accounts this person is a member of: (group id, its traits)."""
    nodes: list[str]
    crowded: bool
    retired: list[str]
    group: str = ""
    """Comparison group: `treated`, `control`, or empty before the first decision."""
    holdout: float = 0.0
    """Probability with which people are drawn into `control`."""
    splits: list["SplitView"] = []
    """Splits that touched this person and can be undone."""
    seen_by: int = 0
    """How many accounts opened this person in the last 30 days."""


class SplitView(Struct, frozen=True):
    """What a split did: the people that came out of it, and the id that undoes it."""

    id: str
    people: list[str]
    cut: list[tuple[str, str]]
    message: str
    time: int = 0


class SplitPreview(Struct, frozen=True):
    """What a split would do, without doing it: each side's identifiers and how many events it would hold."""

    sides: list[tuple[list[str], int]]
    message: str
    possible: bool = True


class DeadLetter(Struct, frozen=True):
    """A message that was not accepted, kept with its reason."""

    id: str
    time: int
    source: str
    code: str
    message: str
    path: str
    position: int
    status: str
    """`open`, `replayed`, `dismissed`."""
    channel: str = ""
    size: int = 0


class EffectLine(Struct, frozen=True):
    """The honest line: what deciding changed, against the people held out."""

    shown: int
    held_out: int
    verdict: str
    """`early`, `up`, `down`, `none`."""
    sentence: str
    treated_rate: float
    control_rate: float
    value: float | None
    low: float | None
    high: float | None


class Spent(Struct, frozen=True):
    """Revenue a person in both groups from the first decision until now, returns taken off, as if all had spent as much before."""

    currency: str
    """That of most orders; others do not count."""
    treated: float
    control: float
    lift: Figure | None
    """Relative; None while the data cannot say."""


class Cycle(Struct, frozen=True):
    """The same within one purchase cycle after the first decision, of those who have seen its end."""

    number: int
    """From 1. A gain of the first that the second takes back is a sale that only came sooner."""
    people: int
    lift: Figure | None


class ProgrammeEffect(EffectLine, frozen=True):
    """What deciding changed in all: revenue since the first decision, orders soon after it, and revenue over purchase cycles.

    The rates are shares of people who ordered. All intervals hold whenever one looks.
    """

    judged_by: Literal["revenue", "orders"] = "orders"
    """What the verdict, its sentence and its change are of: revenue, once somebody has bought."""
    bought: Figure | None = None
    """Change of the share of people who ordered within the window; None while the data cannot say."""
    in_both: float = 0.0
    """Share of them drawn into both groups, by identifiers that were joined later: changes look smaller by about that share."""
    spent: Spent | None = None
    """None while nobody has bought, and where the groups are not as drawn."""
    cycle_days: int = 0
    """Days between two orders of a person, the median; 0 while nobody bought twice."""
    cycles: list[Cycle] = []


class EraseReceipt(Struct, frozen=True):
    """Proof of an erasure: what was removed from each store."""

    id: str
    time: int
    stores: list[tuple[str, int, str]]
    """(store, number of things removed, a sentence)"""


class PreviewAsk(Struct, frozen=True, forbid_unknown_fields=True):
    """Whom and what a preview is about."""

    person: str = ""
    """A person id or an identifier as `type:value`; empty = nobody is known."""
    proved: bool = True
    """As if they had proved who they are; else a device alone asks."""
    hour: int | None = None
    """0 to 23, by the clock of the business; None = now."""
    context: dict[str, Any] = {}
    """As a touchpoint would send it: weather, store_id, cart, language."""
    placement: str = ""
    """Empty = every placement."""
    channel: str = ""
    """Of placements that name none; empty = web."""


class PlacePreview(Struct, frozen=True):
    """What one placement would show."""

    placement: str
    name: str
    channel: str
    view: DecisionView
    """As a decision that was not made: its action is the likeliest one."""


class Preview(Struct, frozen=True):
    """What somebody would see, place by place. Nothing of it was reserved, recorded or learned."""

    person: str
    who: str
    time: int
    places: list[PlacePreview]
