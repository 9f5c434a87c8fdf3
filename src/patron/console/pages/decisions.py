"""Decisions: why this, and why not the others?"""

from typing import Any, NamedTuple

from starlette.responses import Response

from patron.console import words
from patron.console.policy_words import small
from patron.console.visit import Visit
from patron.decide.explain import why_not
from patron.decide.rating import propensities, scores_of
from patron.model.errors import NotFound
from patron.model.events import CHANNELS
from patron.model.offers import NOTHING, Decision
from patron.model.views import DecisionView, ProgrammeEffect

PAGE = 50
MOST = 10
"""Ranked offers that a decision's page lists."""


async def log(visit: Visit) -> Response:
    """All decisions, newest first."""
    channel = visit.query.get("channel", "")
    found, cursor = visit.app.decisions(visit.query.get("cursor") or None, channel, PAGE)
    effect = await visit.app.effect()
    context: dict[str, Any] = {
        "decisions": found,
        "cursor": cursor,
        "channel": channel,
        "channels": CHANNELS,
        "effect": effect,
        "reach": _reach(effect),
    }
    return visit.page("decisions.html", **context)


def _reach(effect: ProgrammeEffect) -> float:
    """The greatest change that an interval reaches: all stand below each other on one scale."""
    lifts = [effect.bought, *(one.lift for one in (effect.spent, *effect.cycles) if one is not None)]
    return max((abs(end) for one in lifts if one for end in (one.low, one.high)), default=0.0)


async def show(visit: Visit) -> Response:
    """One decision with its reasons, gates, losers, outcome and record."""
    view = visit.app.decision(visit.path["id"])
    if view is None:
        raise NotFound(
            "unknown_decision", "There is no decision with this id. It may have been erased with its person."
        )
    if view.decision.person:
        visit.app.audit(visit.user.name, "view", view.decision.person)
    return visit.page(
        "decision.html",
        view=view,
        decision=view.decision,
        gates=gates(view.decision),
        rows=rows_of(view),
        rated=bool(ranked(view.decision)),
        slate=[_name(view, offer) for offer in view.decision.slate],
        small=small,
        revenue=[
            words.money(str(units / 10_000), currency) for currency, units in view.outcome.revenue.items()
        ],
    )


def gates(decision: Decision) -> list[tuple[str, int, int]]:
    """How many candidates were left after each gate, in the order in which the gates first dropped one.

    Returns
    -------
    list of (gate, dropped there, left after)
        The first row is all candidates.

    Examples
    --------
    >>> from patron.model.offers import Dropped
    >>> d = Decision(id="d", time=0, node="n", person="p", placement="till", channel="pos", action="a",
    ...     propensity=0.5, group="treated", holdout=0.5, would="a", candidates=("a", "b", "nothing"),
    ...     eligible=("a", "nothing"), dropped=(Dropped("b", "consent", "No consent"),))
    >>> gates(d)
    [('All candidates', 0, 3), ('Consent', 1, 2)]
    """
    left = len(decision.candidates)
    steps = [("All candidates", 0, left)]
    counts: dict[str, int] = {}
    for one in decision.dropped:
        counts[one.gate] = counts.get(one.gate, 0) + 1
    for gate, number in counts.items():
        left -= number
        steps.append((words.gate(gate), number, left))
    return steps


class Ranked(NamedTuple):
    """An offer that could be chosen, as it was ranked."""

    rank: int
    offer: str
    score: float
    chance: float
    slot: int
    """Its place in the list that was shown, from 1; 0 = not shown."""


def ranked(decision: Decision, most: int = MOST) -> list[Ranked]:
    """The best ranked offers of a decision with a rating, best first, and always those that were drawn.

    Equal scores share a rank.

    Examples
    --------
    >>> from patron.decide.rating import rate
    >>> import numpy as np
    >>> d = Decision(id="d", time=0, node="n", person="p", placement="till", channel="pos", action="b", propensity=0.2,
    ...     group="treated", holdout=0.5, would="b", eligible=("a", "b", "nothing"), rating=rate(np.array([2.0, 1.0, 0.0]), 1.0))
    >>> [(one.rank, one.offer, one.slot) for one in ranked(d, 1)]
    [(1, 'a', 0), (2, 'b', 1)]
    """
    if decision.rating is None or len(decision.rating.codes) != len(decision.eligible):
        return []
    scores = scores_of(decision.rating).tolist()
    chances = propensities(decision.rating).tolist()
    ordered = sorted(scores, reverse=True)
    first = {score: at for at, score in reversed(list(enumerate(ordered, 1)))}
    slots = {offer: at for at, offer in enumerate((decision.would, *decision.slate), 1)}
    rows = [
        Ranked(first[score], offer, score, chance, slots.get(offer, 0))
        for offer, score, chance in zip(decision.eligible, scores, chances, strict=True)
    ]
    rows.sort(key=lambda one: (one.rank, one.offer == NOTHING, one.offer))
    return [one for at, one in enumerate(rows) if at < most or one.slot == 1]


def rows_of(view: DecisionView) -> list[dict[str, Any]]:
    """The candidates: those that could be chosen with their probability, then the dropped with their reason."""
    rows = [_rated(view, one) for one in ranked(view.decision)] or _alike(view)
    rows += [
        {
            "name": _name(view, one.offer),
            "chosen": False,
            "chance": None,
            "rank": 0,
            "why": (f"Dropped: {words.dropped(one.gate)}", one.reason),
        }
        for one in view.decision.dropped
    ]
    return rows


def _rated(view: DecisionView, one: Ranked) -> dict[str, Any]:
    decision, chosen = view.decision, one.slot == 1
    said = _fate(view, one.offer, decision.would)[0] if chosen else why_not(decision, one.offer)
    place = "Shown first of a list" if chosen and decision.slate and decision.group != "control" else ""
    return {
        "name": _name(view, one.offer),
        "chosen": chosen,
        "chance": one.chance,
        "rank": one.rank,
        "score": one.score,
        "why": (said, place),
    }


def _alike(view: DecisionView) -> list[dict[str, Any]]:
    """The survivors of a decision that ranked nothing: the chosen one, then the others."""
    decision = view.decision
    drawn = decision.action if decision.group == "treated" else decision.would
    even = decision.policy == "uniform-1" and bool(decision.eligible)
    rows: list[dict[str, Any]] = []
    for offer in sorted(decision.eligible, key=lambda one: (one != drawn, one == NOTHING, one)):
        chance = 1 / len(decision.eligible) if even else decision.propensity if offer == drawn else None
        rows.append(
            {
                "name": _name(view, offer),
                "chosen": offer == drawn,
                "chance": chance,
                "rank": 0,
                "why": _fate(view, offer, drawn),
            }
        )
    return rows


def _name(view: DecisionView, offer: str) -> str:
    if offer == view.decision.action and offer != NOTHING:
        return view.offer
    return view.names.get(offer) or ("Nothing" if offer == NOTHING else words.trait(offer.replace("-", "_")))


def _fate(view: DecisionView, offer: str, drawn: str) -> tuple[str, str]:
    if offer == drawn:
        held = view.decision.group == "control"
        return (
            ("Drawn, then held back", "In the comparison group nothing is shown")
            if held
            else ("Chosen", "Drawn by lot")
        )
    return ("Not drawn", "Always a candidate" if offer == NOTHING else "Had the same chance")
