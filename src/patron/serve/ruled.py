"""What the operations on segments, computed traits and conditions answer, as the OpenAPI document tells it."""

from typing import Any

from msgspec import Struct

from patron.model.errors import Fault
from patron.serve.answers import Identifier


class Runs(Struct, frozen=True):
    """How a definition is run: `live` (exact at once) or `lake` (exact within some minutes), and what that costs."""

    way: str
    bytes_per_person: int
    """Kept for a usual person to answer at once."""
    most_bytes: int
    """The same at most, for each identifier of a person."""
    reasons: list[str]
    """Why it is not live; sentences."""
    costs: list[str]
    """What reads without bound; sentences."""
    notes: list[str] = []
    """What it would have to know and no feed says; sentences."""


class Defined(Struct, frozen=True):
    """A definition with its version, its sentence, and how it is run."""

    id: str
    version: int
    saved: str | None
    by: str
    definition: dict[str, Any]
    sentence: str
    runs: Runs | None
    """None for a condition (whoever uses it is run) and for what cannot be read."""


class DefinedList(Struct, frozen=True):
    """All definitions of a kind by id; `version` rises with every change of any definition."""

    data: list[Defined]
    version: int


class SegmentState(Struct, frozen=True):
    """How a segment stands now."""

    state: str
    members: int
    without_basis: int
    capped: int
    minutes: int
    progress: float


class DefinedSegment(Defined, frozen=True):
    """A segment with how it stands."""

    status: SegmentState | None


class DefinedSegments(Struct, frozen=True):
    """All segments by id; `version` rises with every change of any definition."""

    data: list[DefinedSegment]
    version: int


class Saved(Defined, frozen=True):
    """What was saved; `changed` is false when just this content was in force already."""

    changed: bool


class OldVersion(Struct, frozen=True):
    """One version of a definition; a removal is one, without definition."""

    id: str
    version: int
    saved: str | None
    by: str
    definition: dict[str, Any] | None
    removed: bool


class OldVersions(Struct, frozen=True):
    """Every version, newest first."""

    data: list[OldVersion]


class Removed(Struct, frozen=True):
    """It is out of force; its versions stay."""

    id: str
    version: int
    removed: bool


class Reach(Struct, frozen=True):
    """How many people a rule would hold for, estimated from a random sample; `low` to `high` with 95 % confidence."""

    sampled: int
    matched: int
    without_basis: int
    people: int
    estimate: int
    low: int
    high: int


class Checked(Struct, frozen=True):
    """What saving would say."""

    ok: bool
    problems: list[Fault]
    definition: dict[str, Any] | None
    sentence: str
    runs: Runs | None
    reach: Reach | None


class Changed(Struct, frozen=True):
    """What applying does to one definition: `new`, `changed` or `same`."""

    kind: str
    id: str
    change: str
    version: int
    before: dict[str, Any] | None
    after: dict[str, Any]


class Applied(Struct, frozen=True):
    """What was saved, or with `dry` would be, in the order of saving."""

    changes: list[Changed]
    dry: bool


class MemberRow(Struct, frozen=True):
    """A member, with the identifiers that the key may read (none for an account)."""

    id: str
    identifiers: list[Identifier]


class Members(Struct, frozen=True):
    """A page of members by id; `cursor` is null on the last one."""

    data: list[MemberRow]
    cursor: str | None
    total: int


class Evidence(Struct, frozen=True):
    """One event on which an answer rests."""

    id: str
    time: str | None
    event: str
    source: str
    channel: str


class ExplainedNode(Struct, frozen=True):
    """One part of a rule. `held` and `value` are null where the key may not read what it reads (`hidden`)."""

    kind: str
    text: str
    held: bool | None
    hidden: bool
    value: Any
    events: list[Evidence]
    more_events: int
    until: str | None
    of: list["ExplainedNode"]


class Explained(Struct, frozen=True):
    """Why somebody is in a segment, or is not; every part of the rule with what it rests on."""

    segment: str
    version: int
    subject: str
    member: bool | None
    basis: bool
    purpose: str
    sentence: str
    now: str | None
    leaves: str | None
    """When time alone takes them out; null when only an event can, or they are no member."""
    joins: str | None
    """When time alone brings them in; null when only an event can, or they are a member."""
    whole: bool
    """False when only the newest events of a very long history were read."""
    verdict: str
    rule: ExplainedNode


class TraitExplained(Struct, frozen=True):
    """The value of a computed trait for somebody, with the events it rests on."""

    trait: str
    version: int
    subject: str
    value: Any
    hidden: bool
    basis: bool
    sentence: str
    now: str | None
    whole: bool
    events: list[Evidence]
    more_events: int


class TraitValue(Struct, frozen=True):
    """The value of a computed trait for one person."""

    id: str
    identifiers: list[Identifier]
    value: Any


class TraitValues(Struct, frozen=True):
    """A page of people who have a value, by id; `cursor` is null on the last one (a page may be short)."""

    data: list[TraitValue]
    cursor: str | None


class Move(Struct, frozen=True):
    """Somebody who came in or left, and when they last did."""

    id: str
    identifiers: list[Identifier]
    time: str | None
    cause: str


class Difference(Struct, frozen=True):
    """Who is in a segment at `until` and was not at `since`, and the other way round."""

    segment: str
    since: str | None
    until: str | None
    complete: bool
    """False when changes are not kept as far back as `since`."""
    entered: list[Move]
    left: list[Move]
    entered_total: int
    left_total: int


class Ready(Struct, frozen=True):
    """A ready definition: what it says, what it needs, what of that has been seen, and whether it is in force."""

    id: str
    kind: str
    name: str
    sentence: str
    needs: list[str]
    missing: list[str]
    ready: bool
    saved: bool
    runs: Runs | None
    definition: dict[str, Any]


class Library(Struct, frozen=True):
    """The ready library."""

    data: list[Ready]


class Differing(Struct, frozen=True):
    """A person of whom the two executions say different things, and what their own events say."""

    person: str
    live: Any
    batch: Any
    events: Any


class ComparedRow(Struct, frozen=True):
    """A segment or computed trait, compared. `way` is `live`, or else it is not compared: `filling`, `lake`, `off`."""

    kind: str
    id: str
    name: str
    way: str
    live: int
    """Members, or people with a value."""
    batch: int
    capped: int
    """People above a cap: their live answer is worked out from their own events."""
    cut_off: int
    """Those of them who differ."""
    moved: int
    """People who had events while it was compared, and seem to differ."""
    differ: int
    example: Differing | None


class Agreement(Struct, frozen=True):
    """What is live beside what the lake says. `differ` counts definitions on which somebody differs."""

    now: str
    position: int
    people: int
    capped: int
    differ: int
    seconds: float
    rows: list[ComparedRow]
