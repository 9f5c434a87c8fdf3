"""Days of a world against a running Patron: its clock is stepped, its doors get what arrives, its answers are acted on."""

import datetime as dt
from collections.abc import Callable, Mapping
from contextlib import closing

from msgspec import Struct, field

from patron.model.clock import DAY, HOUR
from patron.sim.closed.actions import catalogue
from patron.sim.closed.api import Arms, Asked, Platform
from patron.sim.closed.asking import Asking
from patron.sim.closed.lived import Lived
from patron.sim.closed.screens import Screens
from patron.sim.engine.day import Plan
from patron.sim.engine.ledger import Ledger
from patron.sim.engine.letters import Send
from patron.sim.engine.policy import Policy, Today
from patron.sim.luck import Ints
from patron.sim.messages import SOURCES, Delivery, Told, iso
from patron.sim.policies import POLICIES, BusinessAsUsual
from patron.sim.server.api import PATIENCE, Api, Refused
from patron.sim.server.load import MEET, LoadFailed, NoAnswer, Sender, bodies, count_of, hand_over
from patron.sim.server.sources import write_keys
from patron.sim.telling.history import arrivals, days
from patron.sim.town import Town
from patron.sim.world.shops import EPOCH

API, USUAL = "api", "business-as-usual"
NAMES = (*POLICIES, API)
"""Policies that a closed loop can run."""


class Outcome(Struct):
    """What some days brought, beside business as usual on the same luck."""

    policy: str
    history: int = 0
    """Days lived as usual before, which are not counted."""
    days: int = 0
    """Days lived with the policy."""
    sent: int = 0
    """Messages acknowledged."""
    rejected: int = 0
    """Of these, dead letters."""
    asked: Asked = field(default_factory=Asked)
    before: Ledger = field(default_factory=Ledger)
    """The days lived as usual before."""
    lived: Lived = field(default_factory=Lived)
    usual: Lived = field(default_factory=Lived)
    """The same days as usual, on the same luck."""
    arms: Arms | None = None
    """Whom the platform treated and whom it held out; None for a policy that asks nobody."""
    screens: Screens = field(default_factory=Screens)
    """What each choice on a screen would have brought."""

    @property
    def ledger(self) -> Ledger:
        """What the days with the policy brought."""
        return self.lived.ledger


class _Doors:
    """The clock and the sources of the server: what arrives is handed over by the hour."""

    def __init__(
        self, api: Api, sender: Sender, keys: Mapping[str, str], outcome: Outcome, now: int, every: int
    ) -> None:
        self._api, self._sender, self._keys, self._outcome = api, sender, keys, outcome
        self._held: list[tuple[int, Told]] = []
        self._now, self._every, self._turn = now, every, 0

    def take(self, arrival: int, told: Told) -> None:
        """Hold what arrives next; when an hour (or day) is over, hand over what is held."""
        turn = arrival // self._every
        if turn > self._turn:
            self._hand_over()
            self._turn = turn
        self._held.append((arrival, told))

    def until(self, now: int) -> None:
        """Hand over what has arrived, and let the server's clock go on to `now`."""
        self._hand_over()
        self._step(now)

    def _hand_over(self) -> None:
        if not self._held:
            return
        self._step(max(arrival for arrival, _ in self._held))
        # sent when the hour is over: the server takes any other time for a wrong clock, and moves the event by it
        sent_at, held, self._held = iso(self._now), self._held, []
        told = (Delivery(arrival, one.source, {**one.message, "sentAt": sent_at}) for arrival, one in held)
        for source, body, count in bodies(told):
            said, _ = hand_over(self._sender, source, self._keys[source], body)
            self._outcome.sent += count
            self._outcome.rejected += count_of(said, "rejected")

    def _step(self, now: int) -> None:
        """The server's clock never goes back."""
        if now > self._now:
            self._api.post("/v1/admin/clock", {"now": now})
            self._now = now


def run(
    town: Town,
    policy: str,
    url: str,
    api: Api,
    *,
    history: int = 0,
    actions: bool = True,
    every: int = HOUR,
    progress: Callable[[int], None] | None = None,
) -> Outcome:
    """Live all days of a town against a server that was started with `--clock stepped`.

    Parameters
    ----------
    policy : one of `NAMES`; `api` shows what the server decides, the others decide here and only report.
    url : where messages are taken.
    api : administration and decisions, with a key of scope `admin`.
    history : how many of these days are lived as usual before the policy acts; they are told, too.
    actions : whether the policy `api` loads the catalogue of the world's own actions (`closed.actions`) first.
    every : how often what arrived is handed over, ms: by the hour, or quicker by the day, which decides the same, since
        questions are put at midnight.
    progress : told each day when it is over.

    Raises Refused when the server's clock is not stepped, and LoadFailed when it stands after the first day already, or when
    the server does not take what is sent; NoAnswer when it went away, with the day on which to go on.
    """
    _begin(api, town.first * DAY)
    outcome, channels = Outcome(policy, history), {source: source for source in SOURCES}
    if policy == API and actions:
        api.put("/v1/catalogue", {"text": catalogue(town.setting)})
    try:
        with (
            closing(Sender(url, meet=MEET, give_up=PATIENCE)) as sender,
            write_keys(api, "live", channels) as keys,
        ):
            _live(
                town,
                policy,
                api,
                _Doors(api, sender, keys, outcome, town.first * DAY, every),
                outcome,
                progress,
            )
    except NoAnswer as gone:
        raise _gone(town, outcome.history + outcome.days, gone.problem) from None
    outcome.usual = outcome.lived if policy == USUAL else _lived_as_usual(town, history)
    return outcome


def _begin(api: Api, now: int) -> None:
    try:
        api.post("/v1/admin/clock", {"now": now})
    except Refused as refused:
        if refused.code != "clock_back":
            raise
        raise LoadFailed(f"{refused} Begin on a later day (--first), or in a directory of its own") from None


def _gone(town: Town, days: int, problem: str) -> NoAnswer:
    """What to do when the server went away on the last of these days: its clock stands in it, and does not go back."""
    after = EPOCH + dt.timedelta(days=town.first + days)
    return NoAnswer(
        f"the server went away on day {max(1, days)} of {town.days}: {problem}. Its clock does not go back, so these days "
        f"cannot be lived again: start it and begin on a later day (--first {after}), or live all days in a directory of its "
        "own",
        problem,
    )


def _live(
    town: Town,
    policy: str,
    api: Api,
    doors: _Doors,
    outcome: Outcome,
    progress: Callable[[int], None] | None,
) -> None:
    with closing(Asking(api.url, api.key)) as asking:
        platform = Platform(town, asking, outcome.asked, doors.until, outcome.history)
        acting: Policy = platform if policy == API else Later(POLICIES[policy](), outcome.history)

        def watch(plan: Plan) -> list[Told]:
            if plan.day < outcome.history:
                outcome.before.add(town.setting, town.people, plan)
            else:
                outcome.lived.add(town, plan)
                outcome.days += 1
            if progress is not None:
                progress(plan.day + 1)
            return platform.told(plan)

        # a day is asked about at its midnight: all that arrived before it is handed over first
        for arrival, _, told in arrivals(town, watch, acting, ahead=0):
            doors.take(arrival, told)
        doors.until((town.until + 1) * DAY)
    if policy == API:
        outcome.arms, outcome.screens = platform.arms, platform.screens


class Later:
    """A policy that begins some days after the first one told."""

    def __init__(self, policy: Policy, begins: int) -> None:
        self._policy, self._begins, self._usual = policy, begins, BusinessAsUsual()

    def messages(self, today: Today) -> list[Send]:
        """As usual, until it begins."""
        return (self._policy if today.day >= self._begins else self._usual).messages(today)

    def slots(self, today: Today, rows: Ints, channel: Ints) -> Ints:
        """As usual, until it begins."""
        return (self._policy if today.day >= self._begins else self._usual).slots(today, rows, channel)


def _lived_as_usual(town: Town, history: int) -> Lived:
    lived = Lived()
    for plan in days(town):
        if plan.day >= history:
            lived.add(town, plan)
    return lived
