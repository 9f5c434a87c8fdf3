"""Sends: decisions for many people at once, for channels that reach them without their asking (e-mail, text, push, call)."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from patron.model.views import EffectLine

Id = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}\Z")]
Hour = Annotated[int, Meta(ge=0, le=24)]
State = Literal["running", "stopped", "ended"]


class Send(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is sent: to whom, by which placements, which offers, when, and who is held out so that it can be measured.

    >>> Send("spring", "Spring", ("mail",), segment="vip").hours
    (9, 20)
    """

    id: Id
    name: Annotated[str, Meta(min_length=1, max_length=200)]
    placements: Annotated[tuple[str, ...], Meta(min_length=1, max_length=20)]
    """Placements with `outbound = true`; a person gets at most one offer, by one of them."""
    segment: str = ""
    """Empty = everybody known."""
    offers: Annotated[tuple[str, ...], Meta(max_length=1000)] = ()
    """Empty = all that the placements may show."""
    holdout: Annotated[float, Meta(ge=0.0, le=0.9)] = 0.0
    """Share of the people who get nothing of this send, drawn by a keyed hash, beside every other holdout."""
    hours: tuple[Hour, Hour] = (9, 20)
    """From the beginning of the first until the beginning of the second, where the person is; past midnight when the
    first is greater."""
    within: Annotated[int, Meta(ge=1, le=168)] = 24
    """Hours from the start in which all of it is to be sent."""


class Sent(Struct, frozen=True, array_like=True):
    """What a decision made for a send, or for an event that a placement waits for, says beside its record."""

    send: str
    due: int
    """When it is to be sent, ms UTC."""
    hour: int
    """The hour of `due` where the person is."""
    arm: str = "treated"
    """`control`: held out from this send."""
    would: str = "nothing"
    """What they would have got without this send's holdout."""
    moments: int = 0
    """Visits and answers that the hour rests on; 0 = nothing was known, so it is the first that was open."""
    position: int = 0
    """Log position of the event that began it; 0 = it is of a send that somebody began."""
    store: str = ""
    """The store of that event."""


class SendRow(Struct, frozen=True):
    """A send as kept: what it is and how far it got. What it decided stands in the decisions."""

    send: Send
    state: State
    started: int
    by: str
    ended: int = 0
    cursor: str = ""
    """Everybody whose id comes before it was looked at."""
    pass_: int = 1
    """2: once more over everybody, for those whose id changed meanwhile."""
    looked: int = 0
    unreachable: int = 0
    """No address for any of its channels is known."""


class Mix(Struct, frozen=True):
    """How different what people got was: (product, content, channel, hour) combinations.

    `effective` is exp(entropy): so many equally common combinations would be as different.
    """

    people: int
    """Or decisions, of a placement where people ask."""
    distinct: int
    effective: float
    commonest: float
    """Share of the commonest combination."""
    products: int
    contents: int
    channels: int
    hours: int
    placeholders: tuple[str, ...]
    """Slots such as `{name}` by which alone contents vary; empty when there are none, or when they vary by more."""
    sentence: str


class Counted(Struct, frozen=True):
    """One value of what, where or when, and how many people got it."""

    id: str
    name: str
    people: int


class Stopped(Struct, frozen=True):
    """Why people got nothing: the gate at which the last of their offers fell, in a sentence."""

    gate: str
    name: str
    people: int


class SendReport(Struct, frozen=True):
    """Who gets what, where and when; who does not, and why."""

    audience: int
    """People in the segment, or everybody known, as far as looked at."""
    looked: int
    decided: int
    """People for whom a decision was made: all who can be reached."""
    given: int
    held_out: int
    """Held out from this send."""
    cost: float
    """Of all that is given, in the business's currency."""
    expected: float
    """Sum of the scores over doing nothing of what is given: an expectation of the model, not a promise."""
    what: list[Counted]
    where: list[Counted]
    when: list[Counted]
    """By the hour where the people are."""
    why_not: list[Stopped]
    hours_known: int
    """Given at an hour that rests on the person's own visits and answers."""
    mix: Mix
    sampled: bool = False
    """Whether only a sample was looked at."""


class Gain(Struct, frozen=True):
    """Revenue per person in both arms, and the difference with its 95 % interval."""

    currency: str
    """That of most orders; others do not count. Empty when nothing was bought."""
    treated: float
    control: float
    more: float | None
    """None while the data cannot say."""
    low: float | None
    high: float | None


class SendEffect(Struct, frozen=True):
    """What a send changed, against those held out from it who would have got something."""

    window_days: int
    """Days from the hour of the message that each person is watched."""
    waiting: int
    """People whose days are not over: they do not count yet."""
    bought: EffectLine
    spent: Gain


class SendView(Struct, frozen=True):
    """A send with how far it is."""

    id: str
    send: Send
    state: State
    started: int
    ended: int
    by: str
    looked: int
    unreachable: int
    decided: int


class SentRow(Struct, frozen=True):
    """One decision of a send, for whoever sends it."""

    decision: str
    person: str
    node: str
    placement: str
    channel: str
    address: bool
    """Whether an address for the channel is known now."""
    allowed: bool
    """Whether the consents of this moment still allow it."""
    offer: str
    variant: str
    """Which content: `own`, or the number of the offer's variant."""
    language: str
    due: str
    """When to send it, ISO 8601 UTC."""
    hour: int
    """The same, where the person is."""
    moments: int
    """Visits and answers that the hour rests on; 0 = nothing was known, so it is the first that was open."""
    expires: str
    """Until then it is reserved."""
    arm: str
    reason: str
    """Why somebody gets nothing; empty for who gets something."""
    store: str = ""
    """Where the person came in, of what an event began."""


class SentPage(Struct, frozen=True):
    """A page of decisions, and where the next begins."""

    data: list[SentRow]
    cursor: str | None
