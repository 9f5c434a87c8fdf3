"""Funnels, retention, paths, baskets and RFM as the doors ask for them: each asked of the lake in a process of its own."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, Literal

from patron.feeds.kinds import KINDS
from patron.model.audiences import (
    BasketRow,
    Baskets,
    Cohort,
    Cohorts,
    Funnel,
    FunnelStep,
    PathRow,
    Paths,
    Rfm,
)
from patron.profiles.public import iso
from patron.runtime.analysis import Analyst, Moment
from patron.runtime.app import App
from patron.runtime.lake.processes import bounds_of
from patron.runtime.segments.subjects import calendar_of

EVERY = {"week": 7, "month": 28}
"""Days of a period of retention; a month is four weeks, so that each has as many weekends."""
_EPOCH = dt.date(1970, 1, 1)
_NAME = KINDS["catalogue"].values.index("name")


class LocalInsights:
    """`console.audience_port.Insights` over one running workspace."""

    def __init__(self, app: App) -> None:
        self._workspace = app.workspace
        self._analyst = Analyst(app.lake, bounds_of(self._workspace))

    async def ask(self, kind: str, options: dict[str, Any]) -> dict[str, Any]:
        """The answer to a question of `patron.insights` as it is: columns and rows. Raises BadRequest with what to do, or Busy."""
        moment = self._moment()
        head, rows = await self._analyst.run({**options, "kind": kind}, moment)
        return {
            "now": iso(moment.now),
            "columns": head.columns,
            "rows": rows,
            "truncated": head.truncated,
        }

    def _moment(self) -> Moment:
        settings, stores = self._workspace.settings, dict(self._workspace.feeds.locations())
        return Moment(
            self._workspace.clock.now(),
            settings.business.timezone,
            tuple(settings.decide.opt_in),
            stores=stores,
        )

    async def _ask(self, kind: str, **fields: Any) -> list[list[Any]]:
        # as plain data: the values of `patron.insights` load the engine of the expressions, and this process stays light
        _, rows = await self._analyst.run({"kind": kind, **fields}, self._moment())
        return rows

    async def funnel(self, steps: Sequence[str], days: int, within_days: int) -> Funnel:
        """People who did the first of these events in the last `days`, then each next within `within_days` of the first."""
        rows = await self._ask("funnel", steps=list(steps), within_days=within_days, days=days)
        across, entered = dict[int, int](), dict[str, dict[int, int]]()
        for scope, channel, step, people in rows:
            if scope == "across":
                across[int(step)] = int(people)
            elif scope == "entered":
                entered.setdefault(channel or "", {})[int(step)] = int(people)
        numbers = range(1, len(steps) + 1)
        channels = sorted(entered.items(), key=lambda item: (-item[1].get(1, 0), item[0]))
        return Funnel(
            tuple(FunnelStep(name, across.get(n, 0)) for n, name in zip(numbers, steps, strict=True)),
            tuple((channel, tuple(counts.get(n, 0) for n in numbers)) for channel, counts in channels),
        )

    async def cohorts(
        self, event: str, again: str, period: Literal["week", "month"], periods: int
    ) -> Cohorts:
        """People by the period of their first `event`, and the share that did `again` in each later period."""
        every = EVERY[period]
        rows = await self._ask("retention", start=event, back=again, every=every, periods=periods)
        found: dict[int, dict[int, int]] = {}
        for cohort, number, people in rows:
            found.setdefault(int(cohort), {})[int(number)] = int(people)
        today = calendar_of(self._workspace).day(self._workspace.clock.now())
        return Cohorts(tuple(_cohort(start, found[start], every, today) for start in sorted(found)), period)

    async def paths(self, days: int, length: int, limit: int) -> Paths:
        """The most frequent beginnings of sessions."""
        rows = await self._ask("paths", days=days, steps=length, top=limit)
        every_day = await self._ask("sessions", days=days)
        ways = tuple(PathRow(tuple(path.split(" > ")), int(sessions)) for path, sessions, _ in rows)
        return Paths(ways, sum(int(day[1]) for day in every_day))

    async def baskets(self, days: int, limit: int) -> Baskets:
        """Products that are bought together most often, by their names where the catalogue feed has them."""
        rows = await self._ask("pairs", days=days, top=limit)
        return Baskets(
            tuple(
                BasketRow(self._product(a), self._product(b), int(both), int(first), int(second))
                for a, b, both, first, second in rows
            )
        )

    def _product(self, sku: str) -> str:
        now = self._workspace.clock.now()
        version = self._workspace.feeds.as_of("catalogue", sku, now, now)
        name = version.values[_NAME] if version is not None and version.values else None
        return name if isinstance(name, str) and name else sku

    async def rfm(self, days: int) -> Rfm:
        """Buyers by fifths of recency and of frequency and money together."""
        rows = await self._ask("rfm", days=days)
        people: dict[tuple[int, int], int] = {}
        for recency, frequency, monetary, count in rows:
            worth = (int(frequency) + int(monetary) + 1) // 2
            people[int(recency), worth] = people.get((int(recency), worth), 0) + int(count)
        return Rfm(
            tuple(tuple(people.get((r, w), 0) for w in range(1, 6)) for r in range(5, 0, -1)),
            sum(people.values()),
        )


def _cohort(start: int, kept: dict[int, int], every: int, today: int) -> Cohort:
    """One cohort; only periods that are over have a figure.

    >>> _cohort(0, {0: 9, 1: 4, 3: 1}, 7, 22)
    Cohort(start='1 Jan 1970', people=9, back=(4, 0))
    """
    over = max(0, (today - start) // every - 1)
    day = _EPOCH + dt.timedelta(days=start)
    back = tuple(kept.get(number, 0) for number in range(1, over + 1))
    return Cohort(f"{day.day} {day:%b %Y}", kept.get(0, 0), back)
