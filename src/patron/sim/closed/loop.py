"""Days of a world against a running Patron: its clock is stepped, its doors get what arrives, its answers are acted on."""

from collections.abc import Callable, Iterator

from msgspec import Struct, field

from patron.model.clock import DAY, HOUR
from patron.sim.api import Api, part
from patron.sim.closed.api import Platform
from patron.sim.engine.day import Plan
from patron.sim.engine.ledger import Ledger
from patron.sim.engine.policy import Policy, Today
from patron.sim.history import arrivals, days
from patron.sim.load import LoadFailed, Sender, bodies, count_of, reply_of
from patron.sim.luck import Ints
from patron.sim.messages import SOURCES, Delivery, Told, iso
from patron.sim.policies import POLICIES, BusinessAsUsual
from patron.sim.town import Town

API = "api"
NAMES = (*POLICIES, API)
"""Policies that a closed loop can run."""


class Outcome(Struct):
    """What some days brought, beside business as usual on the same luck."""

    policy: str
    days: int = 0
    sent: int = 0
    """Messages acknowledged."""
    rejected: int = 0
    asked: int = 0
    shown: int = 0
    refused: int = 0
    last_refusal: str = ""
    ledger: Ledger = field(default_factory=Ledger)
    usual: Ledger = field(default_factory=Ledger)


class _Doors:
    """The clock and the sources of the server."""

    def __init__(self, api: Api, url: str) -> None:
        self._api, self._sender, self._now = api, Sender(url), 0
        self.sent = self.rejected = 0
        self._keys = {name: self._source(name) for name in SOURCES}

    def _source(self, name: str) -> str:
        there = {source["name"]: source for source in self._api.get("/v1/admin/sources")}
        if name not in there:
            assurance = "asserted" if name in {"web", "app", "kiosk"} else "verified"
            body = {"name": name, "channel": name, "kind": "live", "assurance": assurance}
            return str(self._api.post("/v1/admin/sources", body)["writeKey"])
        if (there[name]["kind"], there[name]["channel"]) != ("live", name):
            raise LoadFailed(
                f"the source {name} is no live source of channel {name}; run on a directory of its own"
            )
        return str(self._api.post(f"/v1/admin/sources/{part(name)}/rotate", {})["writeKey"])

    def step(self, now: int) -> None:
        """Let the server's clock go on to `now`; it never goes back."""
        if now > self._now:
            self._api.post("/v1/admin/clock", {"now": now})
            self._now = now

    def send(self, held: list[Delivery]) -> None:
        """Hand over what arrived. Raises LoadFailed when a body is refused."""
        for source, body, count in bodies(held):
            status, answer, _ = self._sender.post("/v1/batch", self._keys[source], body)
            if status != 200:
                raise LoadFailed(
                    f"the server refused a body of {source} with {status}: {answer[:300].decode(errors='replace')}"
                )
            self.sent += count
            self.rejected += count_of(reply_of(answer), "rejected")
        held.clear()

    def close(self) -> None:
        """Let the connection go."""
        self._sender.close()


def run(
    town: Town,
    policy: str,
    url: str,
    api: Api,
    *,
    progress: Callable[[int], None] | None = None,
) -> Outcome:
    """Live all days of a town against a server that was started with `--clock stepped`.

    Parameters
    ----------
    policy : one of `NAMES`; `api` shows what the server decides, the others decide here and only report.
    url : where messages are taken.
    api : administration and decisions, with a key of scope `admin`.
    progress : told each day when it is over.

    Raises Refused when the server's clock is not stepped, and LoadFailed when it does not take what is sent.
    """
    platform = Platform(town, api)
    acting: Policy = platform if policy == API else POLICIES[policy]()
    outcome, doors = Outcome(policy), _Doors(api, url)

    def watch(plan: Plan) -> list[Told]:
        outcome.ledger.add(town.setting, town.people, plan)
        outcome.days += 1
        if progress is not None:
            progress(outcome.days)
        return platform.told(plan) if policy == API else []

    doors.step(town.first * DAY)
    try:
        for hour in _hours(town, acting, watch, doors):
            doors.send(hour)
    finally:
        doors.close()
    for plan in days(town, BusinessAsUsual()):
        outcome.usual.add(town.setting, town.people, plan)
    outcome.sent, outcome.rejected = doors.sent, doors.rejected
    outcome.asked, outcome.shown = platform.asked, platform.shown
    outcome.refused, outcome.last_refusal = platform.refused, platform.last_refusal
    return outcome


def _hours(
    town: Town, policy: Policy, watch: Callable[[Plan], list[Told]], doors: _Doors
) -> Iterator[list[Delivery]]:
    """What arrives, an hour at a time, with the server's clock stepped to the last of it; before a day is lived, to its start."""
    held: list[Delivery] = []
    until = town.first * DAY + HOUR
    for arrival, _, told in arrivals(town, watch, _Stepping(policy, doors)):
        if arrival >= until and held:
            doors.step(held[-1].arrival_ms)
            yield held
        until = max(until, arrival - arrival % HOUR + HOUR)
        held.append(Delivery(arrival, told.source, {**told.message, "sentAt": iso(arrival)}))
    if held:
        doors.step(held[-1].arrival_ms)
        yield held


class _Stepping:
    """A policy on a server whose clock must stand at the day that it decides for."""

    def __init__(self, policy: Policy, doors: _Doors) -> None:
        self._policy, self._doors = policy, doors
        self.messages = policy.messages

    def slots(self, today: Today, rows: Ints, channel: Ints) -> Ints:
        """Step the clock to the day, then ask."""
        self._doors.step(today.date * DAY)
        return self._policy.slots(today, rows, channel)
