"""The past of a town, as it arrived: late till files, apps without network, messages sent twice, some lost."""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from itertools import count

import numpy as np

from patron.model.clock import DAY, HOUR
from patron.sim.engine.day import Plan, live_day
from patron.sim.engine.policy import Policy
from patron.sim.engine.state import Noted, State, begin, nothing_noted
from patron.sim.luck import Dice, Luck
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


_Arrival = tuple[int, str, int, Told]
"""When, messageId, a number that no other has, what is told."""


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
    waiting: list[_Arrival] = []
    numbers = count()
    for plan in days(town, policy):
        more = watch(plan) if watch is not None else None
        everything = [*tell(town, plan), *(more or ())]
        if hear is not None:
            hear(everything)
        waiting.extend(_sent(town, everything, numbers))
        yield from _due(waiting, (plan.date + 1) * DAY - ahead)
    yield from _due(waiting, (town.until + 1) * DAY)


def _due(waiting: list[_Arrival], horizon: int) -> Iterator[tuple[int, str, Told]]:
    """Take out, in order, what arrives before a time."""
    waiting.sort()  # once a day, and the rest of yesterday is in order: cheaper than a heap
    due = bisect_left(waiting, (horizon,))
    arrived = waiting[:due]
    del waiting[:due]
    for arrival, message_id, _, told in arrived:
        yield arrival, message_id, told


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


def _sent(town: Town, everything: list[Told], numbers: Iterator[int]) -> Iterator[_Arrival]:
    """When copies of some messages arrive: of each mostly one, now and then two, none when it is lost.

    The luck of each message is that of its person and its id, drawn for all at once: a third of a world's draws are these.
    """
    ids = [told.message["messageId"] for told in everything]
    marks = np.array([int(message_id[-12:], 16) for message_id in ids], dtype=np.int64)
    luck = Luck(town.seed, np.array([told.person for told in everything], dtype=np.int64))
    low, high = np.array([_DELAYS[told.source] for told in everything], dtype=np.int64).reshape(-1, 2).T
    left = np.array([told.at + told.delay for told in everything], dtype=np.int64)
    arrives = left + (low + (high - low) * luck.uniform(marks, "travels")).astype(np.int64)
    lost = luck.uniform(marks, "lost") < town.parameters.transport.lost
    twice = luck.uniform(marks, "twice") < town.parameters.transport.twice
    again = (1_500 + (5 * HOUR - 1_500) * luck.uniform(marks, "again")).astype(np.int64)
    copies = np.where(twice, again, 0)
    for told, message_id, arrival, gone, later in zip(
        everything, ids, arrives.tolist(), lost.tolist(), copies.tolist(), strict=True
    ):
        if gone:
            continue
        if told.source == "pos" and told.place:
            arrival = max(arrival, _file(town, told.place, told.at))
        yield arrival, message_id, next(numbers), told
        if later:
            yield arrival + later, message_id, next(numbers), told


def _file(town: Town, place: str, at: int) -> int:
    """When the till file of a store-day arrives: 0 when the line was up, else a night later or two."""
    number, date = town.setting.geography.index[place], at // DAY
    country = town.setting.geography.country_of(number)
    dice = Dice(town.seed, STORE_LUCK + number, date % 4096)
    if not dice.chance(town.parameters.transport.late_files, "late file"):
        return 0
    return local_midnight(country, date + 1 + dice.below(2, "nights")) + 4 * HOUR + dice.below(HOUR, "file")
