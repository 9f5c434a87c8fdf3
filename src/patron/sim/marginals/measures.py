"""The marginals that are compared: what each is on either side, and from when on it counts as different."""

from collections.abc import Callable, Iterator
from typing import Literal

import numpy as np
from msgspec import Struct

from patron.sim.luck import Floats, Ints
from patron.sim.marginals import curves
from patron.sim.marginals.baskets import Baskets
from patron.sim.marginals.curves import Curve

Kind = Literal["number", "profile", "share"]

WINDOW = 84
"""Days in which orders a customer are counted; fewer when one side has fewer."""
HORIZON = 180
"""Longest wait looked at, days."""
WITHIN = (7, 14, 28, 60)
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
ALIKE: dict[Kind, float] = {"number": 0.10, "profile": 0.05, "share": 0.02}
"""Distance up to which two marginals count as alike: Wasserstein-1 relative to the real mean, total variation, points."""
DECILES = tuple(k / 10 for k in range(1, 10))


class Measure(Struct, frozen=True, kw_only=True):
    """One marginal of both sides."""

    name: str
    title: str
    unit: str
    kind: Kind
    simulated: Curve
    real: Curve
    counts: tuple[int, int]
    """Observations on either side."""
    labels: tuple[str, ...] = ("",)
    """Of a profile: its classes."""
    grid: Floats | None = None
    """Of a number: where its distribution function is known."""
    within: tuple[int, ...] = ()
    """Of a number: points at which the distribution function itself is of interest."""
    note: str = ""


def measures(simulated: Baskets, real: Baskets) -> Iterator[Measure]:
    """Everything that can be compared between two sets of baskets."""
    both = (simulated, real)
    yield _number(
        "lines", "Lines a basket", "lines", both, lambda side: (side.lines.astype(float), side.customer)
    )
    yield _number("value", "Value of a basket", "EUR, USD", both, lambda side: (side.value, side.customer),
        note="Paid after discounts; pounds as euros by the catalogue's own prices, euros beside dollars one to one.")  # fmt: skip
    yield _number("spread", "Value of a basket over its own median", "times the median", both,
        lambda side: (np.round(side.value / np.median(side.value), 3), side.customer),
        note="The same values without their scale: only how unequal baskets are.")  # fmt: skip
    yield _waits(both)
    window = min(WINDOW, simulated.days, real.days)
    yield _number("orders", f"Orders a customer in {window} days", "orders", both, lambda side: _orders(side, window),
        note=f"Of customers who bought at least once in the {window} days; a longer history gives several such windows.")  # fmt: skip
    yield _profile("weekday", "Weekday", WEEKDAYS, both, lambda side: (side.date + 3) % 7, per=_weekdays)
    yield _profile(
        "hour", "Hour of the day", tuple(f"{hour:02d}" for hour in range(24)), both, lambda side: side.hour
    )
    yield _share(
        "coupon", "Baskets with a coupon", both, lambda side: (side.coupon.astype(float), np.ones(len(side)))
    )
    if simulated.reduced is not None and real.reduced is not None:
        yield _share("reduced_baskets", "Baskets with a line below list price", both, _reduced_baskets)
        yield _share("reduced_lines", "Lines sold below list price", both, _reduced_lines)
    yield Measure(
        name="top_tenth", title="Share of the top tenth of customers in revenue", unit="%", kind="share",
        simulated=curves.top_tenth(_spent(simulated, window)), real=curves.top_tenth(_spent(real, window)),
        counts=(simulated.known, real.known), note=f"Within {window} days, of the customers who bought in them.",
    )  # fmt: skip


Sides = tuple[Baskets, Baskets]


def _number(
    name: str,
    title: str,
    unit: str,
    both: Sides,
    of: Callable[[Baskets], tuple[Floats, Ints]],
    note: str = "",
) -> Measure:
    found = [of(side) for side in both]
    grid, codes = np.unique(np.concatenate([values for values, _ in found]), return_inverse=True)
    cut = len(found[0][0])
    parts = zip((codes[:cut], codes[cut:]), (who for _, who in found), strict=True)
    simulated, real = (curves.distribution(mine, who, len(grid)) for mine, who in parts)
    return Measure(
        name=name, title=title, unit=unit, kind="number", simulated=simulated, real=real,
        counts=(cut, len(codes) - cut), grid=grid, note=note,
    )  # fmt: skip


def _waits(both: Sides) -> Measure:
    horizon = min(HORIZON, *(side.days - 1 for side in both))
    found = [_gaps(side) for side in both]
    simulated, real = (curves.waiting(days, ended, who, horizon) for days, ended, who in found)
    return Measure(
        name="wait", title="Days from a basket to the customer's next", unit="days", kind="number",
        simulated=simulated, real=real, counts=(len(found[0][0]), len(found[1][0])),
        grid=np.arange(horizon + 1.0), within=tuple(days for days in WITHIN if days <= horizon),
        note=f"Waits that were not over on the last day count as such (Kaplan and Meier), up to {horizon} days; 0 = the same day.",
    )  # fmt: skip


def _gaps(side: Baskets) -> tuple[Ints, np.ndarray, Ints]:
    """For each basket of somebody known: days until their next one or the end, whether there was one, and whose."""
    mine = side.customer < side.known
    order = np.lexsort((side.date[mine], side.customer[mine]))
    who, date = side.customer[mine][order], side.date[mine][order]
    ended = np.append(who[1:] == who[:-1], False)
    following = np.where(ended, np.append(date[1:], 0), side.first + side.days - 1)
    return following - date, ended, who


def _windows(side: Baskets, window: int) -> tuple[Ints, Ints]:
    """Indexes of baskets that lie in whole windows before the end, and the window of each (0 = the last)."""
    back = (side.first + side.days - 1 - side.date) // window
    inside = np.flatnonzero((back < side.days // window) & (side.customer < side.known))
    return inside, back[inside]


def _orders(side: Baskets, window: int) -> tuple[Floats, Ints]:
    inside, back = _windows(side, window)
    cells, counted = np.unique(back * side.known + side.customer[inside], return_counts=True)
    return counted.astype(float), cells % side.known


def _spent(side: Baskets, window: int) -> list[tuple[Ints, Floats]]:
    inside, back = _windows(side, window)
    spent: list[tuple[Ints, Floats]] = []
    for which in np.unique(back):
        chosen = inside[back == which]
        much: Floats = np.bincount(side.customer[chosen], weights=side.value[chosen]).astype(np.float64)
        who = np.flatnonzero(much).astype(np.int64)
        spent.append((who, much[who]))
    return spent


def _weekdays(side: Baskets) -> Floats:
    """How many Mondays .. Sundays there were."""
    return np.bincount((np.arange(side.first, side.first + side.days) + 3) % 7, minlength=7).astype(float)


def _profile(
    name: str,
    title: str,
    labels: tuple[str, ...],
    both: Sides,
    of: Callable[[Baskets], Ints],
    per: Callable[[Baskets], Floats] | None = None,
) -> Measure:
    simulated, real = (
        curves.shares(of(side)[side.in_store], side.customer[side.in_store], len(labels), per and per(side))
        for side in both
    )
    return Measure(
        name=name, title=title, unit="%", kind="profile", simulated=simulated, real=real, labels=labels,
        counts=(int(both[0].in_store.sum()), int(both[1].in_store.sum())),
        note="Sales at tills, by local time of the store.",
    )  # fmt: skip


def _share(name: str, title: str, both: Sides, of: Callable[[Baskets], tuple[Floats, Floats]]) -> Measure:
    simulated, real = (curves.ratio(*of(side), side.customer) for side in both)
    return Measure(
        name=name, title=title, unit="%", kind="share", simulated=simulated, real=real,
        counts=(len(both[0]), len(both[1])),
    )  # fmt: skip


def _reduced_baskets(side: Baskets) -> tuple[Floats, Floats]:
    assert side.reduced is not None
    return (side.reduced > 0).astype(float), np.ones(len(side))


def _reduced_lines(side: Baskets) -> tuple[Floats, Floats]:
    assert side.reduced is not None
    return side.reduced.astype(float), side.lines.astype(float)
