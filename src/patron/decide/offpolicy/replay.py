"""The same situations with another choice: a rule, a cap or the formula changed. Who would have got what, worth how much.

Each logged decision is asked again by itself, with what was known then: its candidates, their scores, and what the person
had really got before. What people would have done after another decision, and so been asked later, no log can tell.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import Struct, field

from patron.decide.offpolicy.logged import Logged

_SLACK = 1e-6


class Slate(Struct, frozen=True):
    """One logged decision: the situation, the executed action, what it earned."""

    id: str
    person: str
    time: int
    """ms UTC."""
    action: str
    propensity: float
    """Of the executed action, after all gates."""
    reward: float
    scores: Mapping[str, float]
    """Every candidate that could have been chosen -> its score."""
    chances: Mapping[str, float] | None = None
    """Candidate -> its probability under the logging policy; None: every one of `scores` had some."""
    stopped: Mapping[str, tuple[str, float]] = field(default_factory=dict)
    """Candidate that a gate stopped -> (gate, score): with the gate lifted it could be chosen."""


class Got(Struct, frozen=True):
    """What a person got at a time, ms UTC."""

    time: int
    action: str


Choice = Callable[[Slate, Sequence[Got]], Mapping[str, float]]
"""(situation, what the person got before it, oldest first) -> probability of each action; the rest have 0."""
Rule = Callable[[Slate, Sequence[Got], str], bool]
"""Whether an action is stopped in this situation."""


class Would(Struct, frozen=True):
    """One decision as it would have been."""

    id: str
    person: str
    was: str
    now: str
    """The likeliest action; the alphabet settles ties."""
    chance: float
    """Its probability."""
    same: float
    """Probability that the executed action would be given again."""
    worth: float
    """Mean score under the new choice."""
    worth_before: float
    """Mean score under the logging policy's probabilities; the executed action's where they are not known."""


class Replayed(Struct, frozen=True):
    """All decisions as they would have been, and the rows from which `evaluate` and `compare` judge the new choice."""

    rows: Logged
    would: tuple[Would, ...]
    given: dict[str, float]
    """Action -> how many times it would have been given, on average over the draws."""
    given_before: dict[str, int]
    """Action -> how many times it was executed."""
    worth: float
    """Mean score a decision under the new choice: what the model expects, not what people did."""
    worth_before: float


def replay(slates: Iterable[Slate], choose: Choice) -> Replayed:
    """Ask every logged decision again. Slates come oldest first, so that `choose` sees what a person got before.

    Raises
    ------
    ValueError : `choose` gave something that is no probability, or probabilities that do not sum to 1, or an action
        that is no candidate; with the decision's id.

    >>> log = [Slate("d_1", "p_1", 0, "tea", 0.5, 1.0, {"tea": 0.2, "mug": 0.3}),
    ...        Slate("d_2", "p_1", 9, "mug", 0.5, 0.0, {"tea": 0.2, "mug": 0.3})]
    >>> found = replay(log, greedy)
    >>> found.would[0].was, found.would[0].now, found.given, found.rows.target.tolist()
    ('tea', 'mug', {'mug': 2.0}, [0.0, 1.0])
    """
    had: dict[str, list[Got]] = {}
    would: list[Would] = []
    kept: list[tuple[float, float, float, float]] = []
    given: dict[str, float] = {}
    before: dict[str, int] = {}
    for slate in slates:
        past = had.setdefault(slate.person, [])
        chances = _checked(slate, choose(slate, past))
        past.append(Got(slate.time, slate.action))
        would.append(_would(slate, chances))
        same = chances.get(slate.action, 0.0)
        kept.append((slate.reward, slate.propensity, same, _outside(slate, chances)))
        before[slate.action] = before.get(slate.action, 0) + 1
        for action, chance in chances.items():
            given[action] = given.get(action, 0.0) + chance
    reward, propensity, target, outside = zip(*kept, strict=True) if kept else ((), (), (), ())
    rows = Logged.of(reward, propensity, target, outside=outside, person=[one.person for one in would])
    count = max(1, len(would))
    worth = sum(one.worth for one in would) / count
    return Replayed(rows, tuple(would), given, before, worth, sum(one.worth_before for one in would) / count)


def greedy(slate: Slate, _past: Sequence[Got] = ()) -> Mapping[str, float]:
    """The highest score; equal ones share. Nothing to choose from: the executed action stays.

    >>> greedy(Slate("d_1", "p_1", 0, "tea", 0.5, 1.0, {"tea": 1.0, "mug": 1.0}))
    {'tea': 0.5, 'mug': 0.5}
    """
    if not slate.scores:
        return {slate.action: 1.0}
    best = max(slate.scores.values())
    first = [action for action, score in slate.scores.items() if score == best]
    return {action: 1 / len(first) for action in first}


def without(choose: Choice, stops: Rule) -> Choice:
    """The same choice with one more rule or a tighter cap: actions for which `stops` holds are no candidates.

    >>> tea = Slate("d_1", "p_1", 0, "tea", 0.5, 1.0, {"tea": 0.2, "mug": 0.3})
    >>> without(greedy, lambda slate, past, action: action == "mug")(tea, ())
    {'tea': 1.0}
    """

    def choice(slate: Slate, past: Sequence[Got]) -> Mapping[str, float]:
        left = {action: score for action, score in slate.scores.items() if not stops(slate, past, action)}
        return choose(_with(slate, left), past)

    return choice


def lifted(choose: Choice, gate: str) -> Choice:
    """The same choice without one gate: what it stopped are candidates again. The log cannot show what they earn.

    >>> tea = Slate("d_1", "p_1", 0, "tea", 1.0, 1.0, {"tea": 0.2}, stopped={"mug": ("cap", 0.3)})
    >>> lifted(greedy, "cap")(tea, ())
    {'mug': 1.0}
    """

    def choice(slate: Slate, past: Sequence[Got]) -> Mapping[str, float]:
        back = {action: score for action, (by, score) in slate.stopped.items() if by == gate}
        return choose(_with(slate, {**slate.scores, **back}), past)

    return choice


def rescored(choose: Choice, score: Callable[[Slate, str], float]) -> Choice:
    """The same choice with another formula.

    >>> tea = Slate("d_1", "p_1", 0, "tea", 0.5, 1.0, {"tea": 0.2, "mug": 0.3})
    >>> rescored(greedy, lambda slate, action: -slate.scores[action])(tea, ())
    {'tea': 1.0}
    """

    def choice(slate: Slate, past: Sequence[Got]) -> Mapping[str, float]:
        return choose(_with(slate, {action: score(slate, action) for action in slate.scores}), past)

    return choice


def _with(slate: Slate, scores: Mapping[str, float]) -> Slate:
    return Slate(
        slate.id,
        slate.person,
        slate.time,
        slate.action,
        slate.propensity,
        slate.reward,
        scores,
        slate.chances,
        slate.stopped,
    )


def _checked(slate: Slate, chances: Mapping[str, float]) -> dict[str, float]:
    odd = [f"{action}: {chance}" for action, chance in chances.items() if not 0.0 <= chance <= 1.0 + _SLACK]
    if odd or abs(sum(chances.values()) - 1) > _SLACK:
        raise ValueError(
            f"decision {slate.id}: the choice must give probabilities that sum to 1, this one gave "
            f"{', '.join(odd) or f'a sum of {sum(chances.values())}'}"
        )
    kept = {action: min(1.0, chance) for action, chance in chances.items() if chance > 0.0}
    unknown = kept.keys() - slate.scores.keys() - slate.stopped.keys() - {slate.action}
    if unknown:
        raise ValueError(f"decision {slate.id}: {', '.join(sorted(unknown))} was no candidate")
    return kept


def _outside(slate: Slate, chances: Mapping[str, float]) -> float:
    """Probability of what the logging policy could not have done."""
    if slate.chances is None:
        return sum(
            chance
            for action, chance in chances.items()
            if action not in slate.scores and action != slate.action
        )
    return sum(chance for action, chance in chances.items() if not slate.chances.get(action, 0.0))


def _would(slate: Slate, chances: Mapping[str, float]) -> Would:
    now = min(chances, key=lambda action: (-chances[action], action))
    before = slate.chances or {slate.action: 1.0}
    return Would(
        slate.id,
        slate.person,
        slate.action,
        now,
        chances[now],
        chances.get(slate.action, 0.0),
        sum(chance * _score(slate, action) for action, chance in chances.items()),
        sum(chance * _score(slate, action) for action, chance in before.items()),
    )


def _score(slate: Slate, action: str) -> float:
    found = slate.scores.get(action)
    return slate.stopped.get(action, ("", 0.0))[1] if found is None else found
