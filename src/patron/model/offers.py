"""Actions that Patron can decide for: a declared catalogue of offers, and the answer that is given and recorded."""

from typing import Any

from msgspec import Struct

NOTHING = "nothing"
"""The action that is always a candidate: leave this person alone."""


class Condition(Struct, frozen=True):
    """One plain condition on a profile: `field` `op` `value`, for example `totals.orders >= 2`.

    Fields: `traits.NAME`, `counters.EVENT`, `totals.orders`, `totals.revenue.EUR`, `first_seen_days`,
    `last_seen_days`, `channels.CHANNEL`, of the ask itself `context.NAME`, and `stock.quantity`. Operators: `= != > >= < <= in has exists missing`.
    """

    field: str
    op: str
    value: Any = None


class Offer(Struct, frozen=True):
    """One action of the catalogue: what is shown, where, when, to whom, and the consent purpose it rests on."""

    id: str
    name: str
    content: dict[str, Any] = {}
    placements: tuple[str, ...] = ()
    """Empty = every placement."""
    channels: tuple[str, ...] = ()
    """Empty = every channel."""
    valid_from: int | None = None
    valid_until: int | None = None
    purpose: str = "personalization"
    conditions: tuple[Condition, ...] = ()
    because: str = ""
    """A sentence template for people, e.g. `Bought {last_category} {days} days ago`."""


class Ask(Struct, frozen=True):
    """A request for a decision at a touchpoint."""

    placement: str
    user_id: str | None = None
    anonymous_id: str | None = None
    channel: str = "web"
    context: dict[str, Any] = {}


class Dropped(Struct, frozen=True):
    """A candidate that did not survive, the gate that stopped it, and why in a sentence."""

    offer: str
    gate: str
    reason: str
    detail: int = 0
    """Which of the gate's reasons, or which of the offer's conditions (from 0): a record keeps this, not the text."""


class Decision(Struct, frozen=True):
    """One decision, recorded before the answer leaves.

    `propensity` is the probability of `action` given the group drawn; `group` is `treated` or `control`
    (held out: nothing is shown), drawn once per person with `holdout` as the probability of control.
    `would` is what a treated person would have got (kept for held-out people: intention to treat).
    """

    id: str
    time: int
    node: str
    person: str
    placement: str
    channel: str
    action: str
    propensity: float
    group: str
    holdout: float
    would: str
    candidates: tuple[str, ...] = ()
    eligible: tuple[str, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    reasons: tuple[str, ...] = ()
    seed: int = 0
    policy: str = "uniform-1"
    catalogue: str = ""
    content: dict[str, Any] = {}
    expires: int | None = None
    identified: str = "anonymous"
    """`verified` (may see personal content), `asserted`, or `anonymous`."""
    used: tuple[tuple[str, Any, int], ...] = ()
    """What feeds said and was looked at: (field, value, since when it was known, ms UTC)."""


class Outcome(Struct, frozen=True):
    """What followed a decision inside its window: whether it was shown, and the orders credited to it."""

    shown: int | None = None
    orders: tuple[str, ...] = ()
    revenue: dict[str, int] = {}
    """Currency -> units of 1/10,000, net of refunds."""
