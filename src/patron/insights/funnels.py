"""Funnels: how many people went how far, in order and in time; over all channels, by entry channel, and inside each channel."""

from typing import Annotated

import ibis
import ibis.expr.types as ir
from msgspec import Meta, Struct

from patron.insights.bounds import Days, Event, Within
from patron.insights.events import events_between, whole
from patron.model.clock import DAY
from patron.rules.expressions.tables import SUBJECT, At, Lake

ACROSS, ENTERED, WITHIN = "across", "entered", "within"
_FIRST = ibis.literal(1, "int64")


class Reached(Struct, frozen=True):
    """How many people reached a step. Over all channels of `entered` they add up to `across`."""

    scope: str
    """`across`: steps in any channels; `entered`: the same people by the channel of their first step; `within`: every step
    in this channel."""
    channel: str
    step: int
    """1 is the first."""
    people: int


class Funnel(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="funnel"):
    """Steps (names of events) in this order, the last at most `within_days` times 24 hours after the first.

    Everyone counts once a step, with the chain that leads farthest. Events of the last `days` calendar days are read.

    >>> from patron.rules.calendar import Calendar
    >>> from patron.rules.expressions import unbound
    >>> Funnel(("Product Viewed", "Order Completed")).expression(unbound(), At(10**12, Calendar("UTC"))).columns
    ('scope', 'channel', 'step', 'people')
    """

    steps: Annotated[tuple[Event, ...], Meta(min_length=2, max_length=12)]
    within_days: Within = 7
    days: Days | None = 30

    def expression(self, lake: Lake, at: At) -> ir.Table:
        """The table whose rows are `Reached`."""
        events = events_between(lake, at, self.steps, self.days)
        rows = events.select(SUBJECT, "channel", "name", "milliseconds", "event_id")
        begun = rows.filter(rows.name == self.steps[0]).group_by(SUBJECT, "channel")
        begun = begun.agg(first=ibis._.milliseconds.min())
        alone = ibis.union(
            begun.select(SUBJECT, "channel", far=_FIRST), self._later(rows, [SUBJECT, "channel"])
        )
        within = alone.group_by(SUBJECT, "channel").agg(far=alone.far.max())
        stamp = begun.first.cast("string").lpad(16, "0") + begun.channel
        entry = begun.group_by(SUBJECT).agg(channel=stamp.min().substr(16))
        went = self._later(rows, [SUBJECT]).group_by(SUBJECT).agg(far=ibis._.far.max())
        across = entry.left_join(went, SUBJECT).select("channel", far=ibis.coalesce(went.far, _FIRST))
        entered = self._counted(across, ENTERED)
        everyone = entered.group_by("step").agg(people=whole(entered.people.sum()))
        total = everyone.select(
            scope=ibis.literal(ACROSS), channel=ibis.literal("*"), step="step", people=everyone.people
        )
        return ibis.union(total, entered, self._counted(within.select("far", "channel"), WITHIN))

    def _later(self, rows: ir.Table, by: list[str]) -> ir.Table:
        """For each event that ends a step after the first: `by`, and that step (`far`).

        `begin` is the latest time at which the chain that an event ends may have begun. Events that can tell nothing more are
        let go after each step, so that the next one has fewer to sort.
        """
        before = ibis.window(group_by=by, order_by=["milliseconds", "event_id"], preceding=(None, 1))
        none = ibis.null("int64")
        rows = rows.mutate(
            begin=ibis.ifelse(rows.name == self.steps[0], rows.milliseconds, none),
            far=ibis.literal(0, "int64"),
        )
        for place, name in enumerate(self.steps[1:], 2):
            rows = rows.mutate(earlier=rows.begin.max().over(before))
            ends = (rows.name == name) & (rows.milliseconds - rows.earlier <= self.within_days * DAY)
            rows = rows.mutate(begin=ibis.ifelse(ends, rows.earlier, none)).drop("earlier")
            rows = rows.mutate(far=ibis.ifelse(rows.begin.notnull(), place, rows.far))
            rows = rows.filter((rows.far > 0) | rows.name.isin(sorted(set(self.steps[place:]))))
        return rows.filter(rows.far > 0).select(*by, "far")

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
