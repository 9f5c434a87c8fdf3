"""Decisions: why this, and why not the others?"""

from typing import Any

from starlette.responses import Response

from patron.console import words
from patron.console.visit import Visit
from patron.model.errors import NotFound
from patron.model.events import CHANNELS
from patron.model.offers import NOTHING, Decision
from patron.model.views import DecisionView

PAGE = 50


async def log(visit: Visit) -> Response:
    """All decisions, newest first."""
    channel = visit.query.get("channel", "")
    found, cursor = visit.app.decisions(visit.query.get("cursor") or None, channel, PAGE)
    context: dict[str, Any] = {
        "decisions": found,
        "cursor": cursor,
        "channel": channel,
        "channels": CHANNELS,
        "effect": visit.app.effect(),
    }
    return visit.page("decisions.html", **context)


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
        rows=_rows(view),
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


def _rows(view: DecisionView) -> list[dict[str, Any]]:
    """The candidates: the chosen one, the other survivors with their probability, the dropped with their reason."""
    decision = view.decision
    drawn = decision.action if decision.group == "treated" else decision.would
    even = decision.policy.startswith("uniform") and bool(decision.eligible)
    rows: list[dict[str, Any]] = []
    for offer in sorted(decision.eligible, key=lambda one: (one != drawn, one == NOTHING, one)):
        chance = 1 / len(decision.eligible) if even else decision.propensity if offer == drawn else None
        rows.append(
            {
                "name": _name(view, offer),
                "chosen": offer == drawn,
                "chance": chance,
                "why": _fate(view, offer, drawn),
            }
        )
    rows += [
        {
            "name": _name(view, one.offer),
            "chosen": False,
            "chance": None,
            "why": (f"Dropped: {words.dropped(one.gate)}", one.reason),
        }
        for one in decision.dropped
    ]
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
