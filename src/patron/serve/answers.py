"""What each operation answers, as the OpenAPI document tells it. The fuzz test holds real answers against these."""

from typing import Any

from msgspec import Struct

from patron.model.views import DeadLetter, DecisionView, LinkView, PersonRow, TimelineEvent


class Alive(Struct, frozen=True):
    """The process answers."""

    ok: bool


class Ready(Struct, frozen=True):
    """Traffic is taken."""

    ready: bool
    applied: int


class Totals(Struct, frozen=True):
    """Orders net of refunds; money is decimal text by currency."""

    orders: int
    revenue: dict[str, str]
    gross: dict[str, str]
    refunded: dict[str, str]


class Identifier(Struct, frozen=True):
    """One identifier of a person."""

    type: str
    value: str | None
    first_seen: str | None
    last_seen: str | None
    shared: bool


class ProfileAnswer(Struct, frozen=True):
    """A person as their nodes tell together."""

    id: str
    identifiers: list[Identifier]
    traits: dict[str, Any]
    consents: dict[str, Any]
    first_seen: str | None
    last_seen: str | None
    events: int
    counters: dict[str, int]
    totals: Totals
    other_revenue: dict[str, dict[str, str]]
    channels: dict[str, Any]
    first_campaign: dict[str, Any] | None
    last_campaign: dict[str, Any] | None
    orders: list[dict[str, Any]]
    computed: dict[str, Any]


class ListedPerson(Struct, frozen=True):
    """A person in the list of all people."""

    id: str
    identifiers: list[Identifier]
    events: int
    first_seen: str | None
    last_seen: str | None
    totals: Totals


class Everyone(Struct, frozen=True):
    """A page of all people by id; `cursor` is null on the last one, `total` counts people as of now."""

    data: list[ListedPerson]
    cursor: str | None
    total: int


class Trait(Struct, frozen=True, rename={"message_id": "messageId"}):
    """A trait and where it comes from."""

    name: str
    value: Any
    time: str | None
    source: str
    message_id: str


class Traits(Struct, frozen=True):
    """All traits."""

    traits: list[Trait]


class ExternalIds(Struct, frozen=True):
    """All identifiers."""

    data: list[Identifier]


class Links(Struct, frozen=True):
    """The edges between identifiers, each with its rule and reason."""

    data: list[LinkView]


class Belonging(Struct, frozen=True):
    """One segment that a person is in."""

    id: str
    name: str
    since: str | None
    until: str | None


class Segments(Struct, frozen=True):
    """The segments a person is in, by id, as far as the key may know; `hidden` counts those that it may not."""

    data: list[Belonging]
    hidden: int


class Consents(Struct, frozen=True):
    """What stands, and the explicit changes, newest first."""

    data: list[dict[str, Any]]
    history: list[dict[str, Any]]


class Metadata(Struct, frozen=True):
    """How the person is put together."""

    id: str
    retired_ids: list[str]
    events: int
    nodes: list[str]
    crowded: bool
    groups: list[tuple[str, dict[str, Any]]]


class Decisions(Struct, frozen=True):
    """The latest decisions, newest first."""

    data: list[DecisionView]


class Events(Struct, frozen=True):
    """A page of the timeline; `cursor` is null on the last one."""

    data: list[TimelineEvent]
    cursor: str | None
    total: int


class Why(Struct, frozen=True):
    """Whether two identifiers are one person, and the reasons."""

    joined: bool
    steps: list[str]


class Merged(Struct, frozen=True):
    """Whether two people are one now."""

    joined: bool
    id: str
    message: str


class Shown(Struct, frozen=True):
    """One more of a list."""

    action: str
    content: dict[str, Any]


class Decided(Struct, frozen=True, rename={"decision_id": "decisionId"}):
    """The next best action; `nothing` is one."""

    decision_id: str
    placement: str
    """Where it is to be shown: of several that were asked for, the best."""
    channel: str
    action: str
    content: dict[str, Any]
    propensity: float
    reasons: list[str]
    group: str
    holdout: float
    policy: str
    expires: str | None
    eligible: list[str]
    slate: list[Shown] = []
    """What else to show behind the action, the best first."""


class LiveKey(Struct, frozen=True):
    """A write key by its first characters."""

    hint: str
    created: int
    revoked: int | None


class SourceAnswer(Struct, frozen=True):
    """A source of events."""

    name: str
    channel: str
    kind: str
    assurance: str
    keys: list[LiveKey]
    created: int
    rate: int


class NewWriteKey(Struct, frozen=True, rename={"write_key": "writeKey"}):
    """A write key, shown only now."""

    write_key: str


class SourceSecret(Struct, frozen=True):
    """The secret of a source."""

    name: str
    secret: str


class MadeSource(Struct, frozen=True, rename={"write_key": "writeKey"}):
    """A source and its write key, shown only now."""

    name: str
    write_key: str


class KeyAnswer(Struct, frozen=True):
    """A secret key by its first characters."""

    name: str
    hint: str
    scopes: list[str]
    fields: list[str]
    masked: list[str]
    sources: list[str]
    created: int
    revoked: int | None


class MadeKey(Struct, frozen=True):
    """A secret key, shown only now."""

    name: str
    key: str


class Made(Struct, frozen=True):
    """The name of what was made."""

    name: str


class Revoked(Struct, frozen=True):
    """It lets nobody in any more."""

    revoked: bool


class Letters(Struct, frozen=True):
    """A page of open dead letters, and how many there are of each reason."""

    data: list[DeadLetter]
    cursor: str | None
    counts: dict[str, int]


class Letter(Struct, frozen=True):
    """A dead letter and its message as it came."""

    letter: DeadLetter
    message: str


class Replayed(Struct, frozen=True):
    """Whether the message was taken this time, and what became of it."""

    accepted: bool
    message: str


class Mapped(Struct, frozen=True):
    """How many messages of a channel were taken, and how many are still refused."""

    replayed: int
    failing: int


class Stepped(Struct, frozen=True):
    """Log position of the step."""

    position: int


class Checkpointed(Struct, frozen=True):
    """Log position up to which the state is on disk."""

    applied: int


class BackedUp(Struct, frozen=True):
    """Where the copy is, and what it holds."""

    path: str
    position: int
    files: int
    bytes: int


class Setting(Struct, frozen=True):
    """A setting, its value and where that comes from."""

    key: str
    value: Any
    origin: str


class PartitionDiff(Struct, frozen=True):
    """What other identity rules would change."""

    people_before: int
    people_after: int
    merges: int
    splits: int
    merge_examples: list[dict[str, Any]]
    split_examples: list[dict[str, Any]]


class Verified(Struct, frozen=True):
    """Whether a replay of the log gives the same bytes."""

    equal: bool
    messages: int
    rows: int
    differences: list[str]


class Retained(Struct, frozen=True):
    """How much was dropped of each class."""

    segments: int
    dead_letters: int
    audit: int


Sources = list[SourceAnswer]
Keys = list[KeyAnswer]
Settings = list[Setting]
People = list[PersonRow]
