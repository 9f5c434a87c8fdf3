"""The past of a town, as it arrived: late till files, apps without network, messages sent twice, some lost."""

import heapq
from collections.abc import Callable, Iterator

from patron.model.clock import DAY, HOUR
from patron.sim.engine.day import Plan, live_day
from patron.sim.engine.policy import Policy
from patron.sim.engine.state import Noted, State, begin, nothing_noted
from patron.sim.luck import Dice
from patron.sim.messages import Delivery, Told, iso
from patron.sim.policies import BusinessAsUsual
from patron.sim.telling.scenes import tell
from patron.sim.town import Town
from patron.sim.world.geography import STORE_LUCK
from patron.sim.world.shops import local_midnight

BURN_IN = 45
"""Days lived before the first day that is told, so that needs have their usual spread."""
_DELAYS = {
    "web": (120, 900),
    "app": (200, 2_500),
    "kiosk": (150, 900),
    "associate_tablet": (200, 2_000),
    "call_centre": (500, 4_000),
    "email": (1_000, 60_000),
    "sms": (1_000, 30_000),
    "push": (500, 20_000),
    "crm": (1_000, 600_000),
    "pos": (1_000, 45_000),
}
"""How long messages of each source usually travel, ms."""


def history(town: Town) -> Iterator[Delivery]:
    """Everything that arrived up to the end of yesterday, ordered by arrival; each message carries `receivedAt`.

    Messages under way at the end (a late till file, a refund to come) are left out, as they would be today.
    The memory in use is that of a few days, whatever the length.
    """
    for arrival, _, told in arrivals(town):
        message = dict(told.message)
        message["receivedAt"] = iso(arrival)
        yield Delivery(arrival, told.source, message)


def arrivals(
    town: Town,
    watch: Callable[[Plan], list[Told] | None] | None = None,
    policy: Policy | None = None,
    hear: Callable[[list[Told]], None] | None = None,
    ahead: int = 12 * HOUR,
) -> Iterator[tuple[int, str, Told]]:
    """The same with the truth beside it: (arrival, messageId, what is told and whose life it is).

    Parameters
    ----------
    watch : is shown the plan of each day before it is told, and may give messages of its own.
    policy : what the retailer does; business as usual when left out.
    hear : is told everything that is told of a day, whether it arrives or not.
    ahead : how long before its midnight (UTC, ms) a day may already tell something: a visit is prepared on the web the evening
        before. With less, all that arrived by that much before a day comes before the day is lived, and what is
        prepared comes after it, late and out of order.
    """
    waiting: list[tuple[int, str, int, Told]] = []
    count = 0
    for plan in days(town, policy):
        more = watch(plan) if watch is not None else None
        everything = [*tell(town, plan), *(more or ())]
        if hear is not None:
            hear(everything)
        for told in everything:
            for arrival in _arrivals(town, told):
                count += 1
                heapq.heappush(waiting, (arrival, told.message["messageId"], count, told))
        horizon = (plan.date + 1) * DAY - ahead
        while waiting and waiting[0][0] < horizon:
            yield _first(waiting)
    end = (town.until + 1) * DAY
    while waiting and waiting[0][0] < end:
        yield _first(waiting)


def _first(waiting: list[tuple[int, str, int, Told]]) -> tuple[int, str, Told]:
    arrival, message_id, _, told = heapq.heappop(waiting)
    return arrival, message_id, told


def days(town: Town, policy: Policy | None = None) -> Iterator[Plan]:
    """The plans of all days told, after a burn-in as usual that nobody hears of."""
    yield from _days(town, *_begin(town), policy)


def state_today(town: Town) -> State:
    """Everybody's needs, memory and mailing list as they stand when the history ends."""
    state, noted = _begin(town)
    for _ in _days(town, state, noted):
        pass
    return state


def _begin(town: Town) -> tuple[State, Noted]:
    return begin(town.setting, town.people, -BURN_IN), nothing_noted(len(town.people))


def _days(town: Town, state: State, noted: Noted, policy: Policy | None = None) -> Iterator[Plan]:
    usual = BusinessAsUsual()
    for day in range(-BURN_IN, town.days):
        does = policy if policy is not None and day >= 0 else usual
        plan = live_day(town.setting, town.people, state, noted, does, day, town.first + day)
        if day >= 0:
            yield plan


def _arrivals(town: Town, told: Told) -> list[int]:
    """When copies of one message arrive: mostly one, now and then two, none when it is lost."""
    dice = Dice(town.seed, told.person, int(told.message["messageId"][-12:], 16))
    transport = town.parameters.transport
    if transport.lost and dice.chance(transport.lost, "lost"):
        return []
    low, high = _DELAYS[told.source]
    arrival = told.at + told.delay + int(dice.between(low, high, "travels"))
    if told.source == "pos" and told.place:
        arrival = max(arrival, _file(town, told.place, told.at))
    if not dice.chance(transport.twice, "twice"):
        return [arrival]
    return [arrival, arrival + int(dice.between(1_500, 5 * HOUR, "again"))]


def _file(town: Town, place: str, at: int) -> int:
    """When the till file of a store-day arrives: 0 when the line was up, else a night later or two."""
    number, date = town.setting.geography.index[place], at // DAY
    country = town.setting.geography.country_of(number)
    dice = Dice(town.seed, STORE_LUCK + number, date % 4096)
    if not dice.chance(town.parameters.transport.late_files, "late file"):
        return 0
    return local_midnight(country, date + 1 + dice.below(2, "nights")) + 4 * HOUR + dice.below(HOUR, "file")
