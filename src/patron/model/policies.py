"""What is shown of the policies that decide: arms, days, and a challenger judged from the log."""

from msgspec import Struct


class ArmRow(Struct, frozen=True):
    """One action at a placement, in the time asked for."""

    action: str
    name: str
    decisions: int
    share: float
    """Of all decisions of people who are not held out."""
    rewarded: float
    """Mean reward a decision, windows that are still open among them."""


class PolicyDay(Struct, frozen=True):
    """One UTC day at a placement."""

    day: str
    decisions: int
    rewarded: float
    """Mean reward a decision."""
    shown: float
    """Share of decisions that showed something."""


class PolicyView(Struct, frozen=True):
    """How a placement was decided lately."""

    placement: str
    name: str
    reward: str
    window_hours: int
    policies: dict[str, int]
    """Policy -> its decisions."""
    decisions: int
    held_out: int
    closed: int
    """Decisions whose window is over: what evaluation rests on."""
    arms: list[ArmRow]
    days: list[PolicyDay]


class Figure(Struct, frozen=True):
    """A value with its 95 % interval."""

    value: float
    low: float
    high: float


class EstimateRow(Struct, frozen=True):
    """One estimator of off-policy evaluation."""

    name: str
    figure: Figure


class Judged(Struct, frozen=True):
    """A challenger judged from the decisions of the policy that ran. Figures are rewards a decision."""

    challenger: str
    placement: str
    outcome: str
    """`better`, `worse`, `unclear`, or `refused`."""
    sentence: str
    verdict: str
    """`accepted`, `caution` or `refused`."""
    reason: str
    decisions: int
    people: int
    effective: float
    """How many decisions of its own these count for."""
    largest_weight: float
    outside: float | None
    """Share of what it would do that the log cannot show."""
    logging: Figure | None
    headline: EstimateRow | None
    lift: Figure | None
    estimates: list[EstimateRow]
    given: dict[str, float]
    """Action -> how often it would have been given."""
    given_before: dict[str, int]
