"""Policies: what one is, how it goes from a draft to everybody, and what is shown of those that decide."""

from typing import Literal

from msgspec import Struct

Kind = Literal["learned", "greedy", "uniform", "rules"]
Metric = Literal["reward", "unsubscribed", "nothing", "unscored"]
Stage = Literal["draft", "shadow", "evaluated", "1%", "10%", "50%", "100%", "stopped", "rolled_back"]


class Guard(Struct, frozen=True, forbid_unknown_fields=True):
    """What must not get worse while a policy is shown to some: as soon as it has for sure, the policy is rolled back."""

    metric: Metric
    """`reward` of a decision; share of people who `unsubscribed`; share of decisions that gave `nothing`; share of decisions
    in which the formula gave an offer no number (`unscored`)."""
    tolerated: float = 0.0
    """How much worse it may be than the champion: of `reward` in parts of the champion's, of shares in points (0.1 = 10)."""


GUARDS = (Guard("reward"), Guard("unsubscribed"), Guard("nothing", 0.2), Guard("unscored", 0.02))
"""What is guarded where a policy says nothing else."""


class Policy(Struct, frozen=True, forbid_unknown_fields=True):
    """How offers are ranked and drawn at some placements: a named thing that is launched step by step."""

    id: str
    name: str
    placements: tuple[str, ...]
    """Where it is to decide."""
    kind: Kind = "learned"
    """`learned`: by what was learned, trying others now and then; `greedy`: always the best ranked; `uniform`: all alike;
    `rules`: the best by the formula's other terms, as if every offer were equally likely to succeed."""
    formula: str = ""
    """Another formula than the catalogue's; empty = the catalogue's."""
    explore: float = 1.0
    """How often it tries what is not ranked first, against the usual: 0.1 to 10. Of `learned` alone."""
    guards: tuple[Guard, ...] = GUARDS
    alpha: float = 0.05
    """Chance that a policy no worse than the champion is ever rolled back, over all its guards and stages."""
    minimum: int = 100
    """Decisions of its own with a closed window, at each placement, before it is shown to more people."""


class Move(Struct, frozen=True):
    """One step of a policy, with who took it and why."""

    time: int
    by: str
    before: str
    """The stage it left; empty when it was saved for the first time."""
    to: Stage
    version: int
    why: str = ""
    """What the person wrote, or what tripped."""
    evidence: str = ""
    """What was known then: the judgement, or the figures of the guards."""
    overridden: str = ""
    """The refusal that was overridden with `why`."""


class Launch(Struct, frozen=True):
    """A policy and how far it has come."""

    policy: Policy
    version: int
    """Rises with every change of the definition."""
    stage: Stage
    since: int
    """When it came to this stage, ms."""
    position: int
    """Log position of that."""
    moves: tuple[Move, ...] = ()
    """Oldest first."""
    earlier: tuple[Policy, ...] = ()
    """The definitions of its earlier versions, from the first."""

    @property
    def decides_as(self) -> str:
        """Its name in records: who decided.

        >>> Launch(Policy("bold", "Bold", ("web_home",)), 2, "1%", 0, 9).decides_as
        'bold-2'
        """
        return f"{self.policy.id}-{self.version}"


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


class MessageBudget(Struct, frozen=True):
    """How often people hear from the business, beside how often they should."""

    wanted: float
    """Messages that a person gets in 30 days, on average over those who are asked about."""
    got: float | None
    """The same as it was in the seven days before today; None when nobody was asked about."""
    price: float
    """What a message must be worth today beside its cost."""


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
    messages: MessageBudget | None = None
    """Of all placements of messages together; None at another placement, or without a budget."""


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
    otherwise: float | None = None
    """Share of decisions in which it would have chosen otherwise."""


class GuardFigure(Struct, frozen=True):
    """One guard at one placement in this stage: how much worse the challenger is than the champion."""

    placement: str
    metric: str
    state: str
    """`early` (too few people), `fine` or `tripped`."""
    worse: Figure | None
    """Harm, with an interval that holds at every look at once: above 0 is worse. None while it is early."""
    limit: float
    """The guard trips when the whole interval is above."""
    challenger: float
    champion: float
    """Means of the two."""
    people: int
    people_champion: int
    decisions: int
    decisions_champion: int
    sentence: str


class Option(Struct, frozen=True):
    """Something that may be done with a policy now."""

    to: str
    does: str
    """What it does, in a sentence."""
    refusal: str = ""
    """Why it may not be done now, and what to do; empty when it may. Judging is not part of it: that takes time."""
    overridable: bool = False
    """Whether a written reason opens it all the same."""


class LaunchView(Struct, frozen=True):
    """A policy with all that is known of its way."""

    policy: Policy
    version: int
    stage: str
    since: int
    decides_as: str
    share: float
    """Of people for whom it decides."""
    options: list[Option]
    guards: list[GuardFigure]
    moves: list[Move]
    """Newest first."""


class LaunchRow(Struct, frozen=True):
    """A policy in a list."""

    id: str
    name: str
    kind: str
    version: int
    placements: tuple[str, ...]
    stage: str
    since: int
    by: str
    """Who moved it last."""
