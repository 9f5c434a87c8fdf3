"""Retention: of those who began in a week or month, how many came back in each later one."""

from typing import Annotated

import ibis
import ibis.expr.types as ir
from msgspec import Meta, Struct

from patron.insights.bounds import Event, Within
from patron.insights.events import events_between
from patron.rules.expressions.days import day_of
from patron.rules.expressions.tables import SUBJECT, At, Lake
from patron.rules.tree import ANY_EVENT


class Kept(Struct, frozen=True):
    """People of a cohort who came back in a period after it; period 0 is the cohort's own, and has all of them."""

    cohort: int
    """Its first day, as days since 1970-01-01 in the business's zone."""
    period: int
    people: int


class Retention(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="retention"):
    """Cohorts by first `start` event; a person is kept in a period with a `back` event in it.

    Periods are `every` calendar days, counted from Monday 5 January 1970, so that 7 are weeks. The cohort is by the first such
    event of all time; the last `periods` of them are shown.

    >>> from patron.rules.calendar import Calendar
    >>> from patron.rules.expressions import unbound
    >>> Retention("Order Completed").expression(unbound(), At(10**12, Calendar("UTC"))).columns
    ('cohort', 'period', 'people')
    """

    start: Event = ANY_EVENT
    back: Event = ANY_EVENT
    every: Within = 7
    periods: Annotated[int, Meta(ge=1, le=60)] = 12

    def expression(self, lake: Lake, at: At) -> ir.Table:
        """The table whose rows are `Kept`."""
        names = () if ANY_EVENT in (self.start, self.back) else (self.start, self.back)
        events = events_between(lake, at, names, None)
        days = events.select(
            SUBJECT, "name", period=(day_of(events.milliseconds, at.calendar, at.now) - _MONDAY) // self.every
        )
        seen = days.group_by(SUBJECT, "period").agg(
            starts=_is(days, self.start).any(), backs=_is(days, self.back).any()
        )
        own = ibis.window(group_by=SUBJECT)
        seen = seen.mutate(cohort=seen.period.min(where=seen.starts).over(own))
        this = (at.calendar.day(at.now) - _MONDAY) // self.every
        kept = seen.filter(
            (seen.cohort > this - self.periods)
            & ((seen.period == seen.cohort) | (seen.backs & (seen.period > seen.cohort)))
        )
        return kept.group_by(cohort=kept.cohort * self.every + _MONDAY, period=kept.period - kept.cohort).agg(
            people=kept.count()
        )


_MONDAY = 4


def _is(events: ir.Table, name: str) -> ir.BooleanValue:
    return events.name.notnull() if name == ANY_EVENT else events.name == name
