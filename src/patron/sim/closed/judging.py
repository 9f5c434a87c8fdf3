"""From a closed loop that was lived to its card: other policies live the same days, and the platform is asked about challengers."""

from collections.abc import Callable

import numpy as np

from patron.sim.closed.card import Card, ChallengerRow, PageRow, difference, holdout, paired, perverse, weekly
from patron.sim.closed.lived import Lived
from patron.sim.closed.loop import Later, Outcome
from patron.sim.engine.letters import Send
from patron.sim.engine.policy import Policy, Today
from patron.sim.engine.state import NEVER
from patron.sim.luck import Ints
from patron.sim.policies import BusinessAsUsual, Oracle
from patron.sim.server.api import Api
from patron.sim.telling.history import days
from patron.sim.town import Town

CHALLENGER = "uniform"
"""The challenger whose true value is known without knowing the platform's scores: all that was eligible, alike."""


def judge(town: Town, done: Outcome, api: Api) -> Card:
    """The card of a closed loop that ran with the policy `api`, while its server still runs.

    Raises ValueError for another policy, LoadFailed or Refused when the server does not answer.
    """
    if done.arms is None:
        raise ValueError("only a loop that asked the platform has a card")
    arms = [
        np.where(one > NEVER, one - done.history, NEVER) for one in (done.arms.treated, done.arms.control)
    ]
    treated = arms[0] > NEVER
    revenue, margin = paired(done.lived, done.usual, treated)
    best = _lives(town, Oracle, done.history)
    left = [np.sum(one.left, axis=0)[treated] > 0 for one in (done.lived, done.usual)]
    sent = [
        float(np.sum(one.sent, axis=0)[treated].mean()) if treated.any() else 0.0
        for one in (done.lived, done.usual)
    ]
    before = done.before.by_person if done.history else np.zeros(len(town.people))
    annoyed = town.people.annoyed & treated
    held = holdout(done.lived, done.usual, before, *arms)
    return Card(
        people=len(town.people),
        treated=int(treated.sum()),
        revenue=revenue,
        margin=margin,
        sent=sent[0],
        sent_usual=sent[1],
        unsubscribed=difference(*left),
        holdout=held,
        weekly_lift=weekly(done.lived.margin, done.usual.margin, treated),
        weekly_regret=[-one for one in weekly(done.lived.margin, best.margin, treated)],
        challengers=[_challenge(api, place, done) for place in sorted(done.screens.asked)],
        perverse=perverse(done.lived, _lives(town, _Silent, done.history), annoyed)
        if annoyed.any()
        else None,
        page=_page(api, held.truth),
    )


def _page(api: Api, truth: float) -> PageRow:
    said = api.get("/v1/effect")
    lift = (said["spent"] or {}).get("lift") or {}
    value, low, high = (
        None if lift.get(name) is None else float(lift[name]) for name in ("value", "low", "high")
    )
    covered = None if low is None or high is None else low <= truth <= high
    return PageRow(said["verdict"], said["sentence"], float(said["in_both"]), value, low, high, covered)


class _Silent:
    """Writes to nobody, and shows what is usual."""

    def __init__(self) -> None:
        self._usual = BusinessAsUsual()

    def messages(self, _today: Today) -> list[Send]:
        """None."""
        return []

    def slots(self, today: Today, rows: Ints, channel: Ints) -> Ints:
        """As usual."""
        return self._usual.slots(today, rows, channel)


def _lives(town: Town, policy: Callable[[], Policy], history: int) -> Lived:
    lived = Lived()
    for plan in days(town, Later(policy(), history)):
        if plan.day >= history:
            lived.add(town, plan)
    return lived


def _challenge(api: Api, placement: str, done: Outcome) -> ChallengerRow:
    """What the platform says of the challenger at a screen, beside the chances by the world's own equations."""
    body = {"placement": placement, "challenger": CHALLENGER, "days": min(366, done.days + 1)}
    said, truth = api.post("/v1/policies/evaluate", body), done.screens.mean(placement)
    told = (said.get("headline") or {}).get("figure")
    value, low, high = (None if told is None else float(told[name]) for name in ("value", "low", "high"))
    return ChallengerRow(
        placement,
        CHALLENGER,
        said["outcome"],
        value,
        low,
        high,
        float(said["effective"]),
        truth,
        None if low is None or high is None else low <= truth <= high,
    )
