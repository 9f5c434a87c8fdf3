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


class Variant(Struct, frozen=True):
    """An offer's content for some placements and languages; the first one that fits is shown, over the offer's own."""

    content: dict[str, Any]
    placements: tuple[str, ...] = ()
    """Empty = every placement."""
    languages: tuple[str, ...] = ()
    """`it` fits `it-CH` too. Empty = every language."""


class Offer(Struct, frozen=True):
    """One action of the catalogue: what is shown, where, when, to whom, what it is worth, and the consent purpose it rests on."""

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
    variants: tuple[Variant, ...] = ()
    segments: tuple[str, ...] = ()
    """Only for people in one of these segments; empty = for all."""
    not_segments: tuple[str, ...] = ()
    """For nobody in one of these segments."""
    family: str = ""
    """Offers of one family say the same: over all channels a person holds one of them at a time."""
    products: tuple[str, ...] = ()
    """What it is about; the `sku` of its content when empty."""
    value: float = 1.0
    """Worth of one acceptance, in the business's currency."""
    cost: float = 0.0
    """What giving it once costs, in the same currency: a sent message; a coupon's discount times the share of coupons that are used."""
    margin: float = 1.0
    """Share of credited revenue that is kept."""
    priority: float = 1.0
    """The business's lever on the score, 0.1 to 10."""
    stock: int | None = None
    """How many may be given in all (coupons); None = without end."""
    budget: float | None = None
    """What may be spent on it in all, at `cost` each."""
    daily_budget: float | None = None
    """The same for one day of the business."""
    cooldown_hours: int = 0
    """Not again to the same person for so long."""


class Placement(Struct, frozen=True):
    """A place where something may be shown or sent, and what it may show."""

    id: str
    name: str
    channel: str = ""
    """The channel of asks that name none."""
    slots: int = 1
    """The longest list it shows."""
    needs: tuple[str, ...] = ()
    """Names that the content shown here must have, e.g. `title`, `image`."""
    families: tuple[str, ...] = ()
    """Only offers of these families; empty = all."""
    outbound: bool = False
    """Reaches people who did not come by themselves (push, e-mail, SMS): quiet hours hold here."""
    reward: str = "click"
    """What counts as success here: `view`, `click`, `visit`, `order` or `margin`."""
    window_hours: int = 168
    """How long after a decision a success is credited to it."""
    holdout: float | None = None
    """Share of people who get nothing here, beside the universal holdout; None = none."""
    fallback: str = ""
    """The offer to show while Patron is away; empty = the best few for nobody in particular."""
    explore: bool = True
    """False: always what is ranked first, so nothing is learned about the rest here."""
    fill: bool = False
    """True: something is shown whenever anything may be; doing nothing scores far below every offer."""
    trigger: str = ""
    """The event at which it decides by itself, e.g. `Store Entered`; empty = only when somebody asks."""
    cooldown_hours: int = 4
    """After such a decision nothing is decided for the same person by the trigger for so long."""


class Cap(Struct, frozen=True):
    """At most so many in a time. Counted per person, over what the filters name.

    Exactly one of `days` and `hours` is given: `days` are calendar days in the person's time zone (that of the business
    when unknown), today being the first; `hours` roll.
    """

    id: str
    limit: int
    days: int = 0
    hours: int = 0
    channels: tuple[str, ...] = ()
    """Empty = over all channels."""
    families: tuple[str, ...] = ()
    """Empty = over all families."""
    each: str = ""
    """`offer`, `family` or `channel`: counts each of them by itself; empty = all that the filters name together."""
    outbound: bool = False
    """Counts and stops only what is sent to people who did not come by themselves."""


class Quiet(Struct, frozen=True):
    """Hours in which nothing is sent out, in the person's time zone: minutes of the day; past midnight when `start` > `end`."""

    start: int
    end: int
    channels: tuple[str, ...] = ()
    """Empty = every channel."""


class Weight(Struct, frozen=True):
    """A factor on the score of some offers while all conditions on the ask's context hold."""

    factor: float
    conditions: tuple[Condition, ...] = ()
    offers: tuple[str, ...] = ()
    families: tuple[str, ...] = ()


class Scoring(Struct, frozen=True):
    """How offers are ranked: a formula over named terms, and what goes into it."""

    formula: str = "propensity * value * weight * priority - cost - unsubscribe * unsubscribe_cost"
    unsubscribe_cost: float = 0.0
    """What losing somebody's consent is worth, in the business's currency."""
    nothing: float = 0.0
    """The score that an offer must beat."""
    weights: tuple[Weight, ...] = ()
    messages_a_month: float | None = None
    """Messages that a person who is asked about gets in 30 days, on average over all; None: as many as are worth sending."""


class Catalogue(Struct, frozen=True):
    """All that deciding rests on beside people: one text, one version."""

    offers: tuple[Offer, ...] = ()
    placements: tuple[Placement, ...] = ()
    """Empty = any name may ask; else an ask at another one is refused."""
    caps: tuple[Cap, ...] = ()
    quiet: Quiet | None = None
    scoring: Scoring = Scoring()


class Ahead(Struct, frozen=True):
    """What an ask says that is decided before it is shown: for somebody who does not come by themselves."""

    at: int
    """When it will be shown, ms UTC: limits and quiet hours hold for that moment."""
    offers: int = -1
    """Mask of the offers that it may bring; -1 = all."""
    held: bool = False
    """Whether this person is held out from just this."""
    closed: bool = False
    """Whether no hour that was open for it is left where this person is."""


class Ask(Struct, frozen=True):
    """A request for a decision at a touchpoint."""

    placement: str
    user_id: str | None = None
    anonymous_id: str | None = None
    channel: str = "web"
    context: dict[str, Any] = {}
    count: int = 1
    """How many to show at most; the placement's own limit holds too."""
    ahead: Ahead | None = None
    """None: it is shown at once."""
    beside: tuple[str, ...] = ()
    """Further placements that would do, each with a channel of its own: it is decided for the one whose best offer scores highest."""


class Dropped(Struct, frozen=True):
    """A candidate that did not survive, the gate that stopped it, and why in a sentence."""

    offer: str
    gate: str
    reason: str
    detail: int = 0
    """Which of the gate's reasons, or which of the offer's conditions (from 0): a record keeps this, not the text."""


class Rating(Struct, frozen=True, array_like=True):
    """How the choices of a decision were ranked (`decide.rating` reads it): a byte each, `nothing` last."""

    codes: bytes = b""
    """255 times the root of its gap to the best, in parts of the widest gap."""
    best: float = 0.0
    """The best score."""
    widest: float = 0.0
    """The gap between the best score and the worst."""
    gamma: float = 0.0
    """Of inverse gap weighting, for gaps in the score's own unit; 0 draws all alike."""
    seen: int = 0
    """Observations that the model rested on."""
    features: bytes = b""
    """What the model looked at, as it packs it."""
    noise: float = 1.0
    """Standard deviation of one reward, as the model had it: in parts of it gaps were weighed."""


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
    rating: Rating | None = None
    """How `eligible` was ranked; None: all alike."""
    slate: tuple[str, ...] = ()
    """What else is shown, behind `action`, the best first."""
    language: str = ""
    """Of the person, as far as was known: it chose the content."""


class Outcome(Struct, frozen=True):
    """What followed a decision inside its window: whether it was shown, and the orders credited to it."""

    shown: int | None = None
    orders: tuple[str, ...] = ()
    revenue: dict[str, int] = {}
    """Currency -> units of 1/10,000, net of refunds."""
