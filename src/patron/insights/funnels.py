"""Funnels: how many people went how far, in order and in time; over all channels, by entry channel, and inside each channel."""

from typing import Any

import ibis
import ibis.expr.types as ir
from msgspec import Struct

from patron.insights.events import events_between, whole
from patron.model.clock import DAY
from patron.rules.expressions.tables import SUBJECT, At, Lake

ACROSS, ENTERED, WITHIN = "across", "entered", "within"


class Reached(Struct, frozen=True):
    """How many people reached a step. Over all channels of `entered` they add up to `across`."""

    scope: str
    """`across`: steps in any channels; `entered`: the same people by the channel of their first step; `within`: every step
    in this channel."""
    channel: str
    step: int
    """1 is the first."""
    people: int


class Funnel(Struct, frozen=True, tag_field="kind", tag="funnel"):
    """Steps (names of events) in this order, the last at most `within_days` times 24 hours after the first.

    Everyone counts once a step, with the chain that leads farthest. Events of the last `days` calendar days are read.

    >>> from patron.rules.calendar import Calendar
    >>> from patron.rules.expressions import unbound
    >>> Funnel(("Product Viewed", "Order Completed")).expression(unbound(), At(10**12, Calendar("UTC"))).columns
    ('scope', 'channel', 'step', 'people')
    """

    steps: tuple[str, ...]
    within_days: int = 7
    days: int | None = 30

    def expression(self, lake: Lake, at: At) -> ir.Table:
        """The table whose rows are `Reached`."""
        events = events_between(lake, at, self.steps, self.days)
        rows = events.select(SUBJECT, "channel", "name", "milliseconds", "event_id")
        across = self._farthest(self._chains(rows, [SUBJECT]), [SUBJECT])
        within = self._farthest(self._chains(rows, [SUBJECT, "channel"]), [SUBJECT, "channel"])
        entered = self._counted(across.select(far=across.far, channel=across.entry), ENTERED)
        everyone = entered.group_by("step").agg(people=whole(entered.people.sum()))
        total = everyone.select(
            scope=ibis.literal(ACROSS), channel=ibis.literal("*"), step="step", people=everyone.people
        )
        return ibis.union(total, entered, self._counted(within.select("far", "channel"), WITHIN))

    def _chains(self, rows: ir.Table, by: list[str]) -> ir.Table:
        """For each event the step it ends, and the latest time at which that chain may have begun."""
        before = ibis.window(group_by=by, order_by=["milliseconds", "event_id"], preceding=(None, 1))
        begin = ibis.ifelse(rows.name == self.steps[0], rows.milliseconds, ibis.null("int64"))
        rows = rows.mutate(b1=begin)
        for place, name in enumerate(self.steps[1:], 2):
            earlier = rows.mutate(earlier=rows[f"b{place - 1}"].max().over(before))
            inside = (earlier.name == name) & (
                earlier.milliseconds - earlier.earlier <= self.within_days * DAY
            )
            rows = earlier.mutate(
                **{f"b{place}": ibis.ifelse(inside, earlier.earlier, ibis.null("int64"))}
            ).drop("earlier")
        return rows

    def _farthest(self, rows: ir.Table, by: list[str]) -> ir.Table:
        """One row a person (and channel): the farthest step, and the channel of their first `steps[0]`."""
        ended: Any = ibis.cases(
            *((rows[f"b{place}"].notnull(), place) for place in range(len(self.steps), 0, -1)), else_=0
        )
        first = (rows.name == self.steps[0]) & rows.b1.notnull()
        stamp = rows.milliseconds.cast("string").lpad(16, "0") + rows.channel
        people = rows.group_by(by).agg(far=ended.max(), entry=stamp.min(where=first).substr(16))
        return people.filter(people.far > 0)

    def _counted(self, people: ir.Table, scope: str) -> ir.Table:
        """How many reached each step, not only how many ended there."""
        counts = people.group_by("channel").agg(
            **{
                f"p{place}": people.count(where=people.far >= place)
                for place in range(1, len(self.steps) + 1)
            }
        )
        parts = [
            counts.select(
                scope=ibis.literal(scope),
                channel=counts.channel,
                step=ibis.literal(place, "int64"),
                people=counts[f"p{place}"].cast("int64"),
            )
            for place in range(1, len(self.steps) + 1)
        ]
        return ibis.union(*parts) if len(parts) > 1 else parts[0]
