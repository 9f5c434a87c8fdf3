"""Sessions: events of a person with no pause of half an hour between them; and the paths that sessions begin with."""

from typing import Annotated

import ibis
import ibis.expr.types as ir
from msgspec import Meta, Struct

from patron.insights.bounds import Days, Gap, Top
from patron.insights.events import events_between, whole
from patron.model.clock import MINUTE
from patron.rules.expressions.days import day_of
from patron.rules.expressions.tables import SUBJECT, At, Lake


class SessionDay(Struct, frozen=True):
    """Sessions that began on a day."""

    day: int
    """Days since 1970-01-01 in the business's zone."""
    sessions: int
    people: int
    events: int
    milliseconds: int
    """Between first and last event, all sessions together."""


class Path(Struct, frozen=True):
    """How many sessions began with this way."""

    path: str
    """Names of events with ` > ` between them."""
    sessions: int
    people: int


class Sessions(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="sessions"):
    """Sessions a day over the last `days`. A new one begins after a pause of more than `gap_minutes`.

    >>> from patron.rules.calendar import Calendar
    >>> from patron.rules.expressions import unbound
    >>> Sessions().expression(unbound(), At(10**12, Calendar("UTC"))).columns
    ('day', 'sessions', 'people', 'events', 'milliseconds')
    """

    days: Days | None = 30
    gap_minutes: Gap = 30

    def expression(self, lake: Lake, at: At) -> ir.Table:
        """The table whose rows are `SessionDay`."""
        rows = events_between(lake, at, (), self.days).select(SUBJECT, "milliseconds", "event_id")
        own = ibis.window(group_by=SUBJECT, order_by=["milliseconds", "event_id"])
        rows = rows.mutate(
            before=rows.milliseconds.lag().over(own),
            after=rows.milliseconds.lead().over(own),
            place=ibis.row_number().over(own),
        )
        begins = _paused(rows.before, rows.milliseconds, self.gap_minutes)
        ends = _paused(rows.milliseconds, rows.after, self.gap_minutes)
        edges = rows.filter(begins | ends).select(
            SUBJECT, "milliseconds", "place", begins=begins, ends=ends
        )  # the rest is counted by the places: only these few are sorted once more
        along = ibis.window(group_by=SUBJECT, order_by="place")
        edges = edges.mutate(
            end=ibis.ifelse(edges.ends, edges.milliseconds, edges.milliseconds.lead().over(along)),
            last=ibis.ifelse(edges.ends, edges.place, edges.place.lead().over(along)),
        )
        sessions = edges.filter(edges.begins)
        sessions = sessions.select(
            SUBJECT, "end", begin=sessions.milliseconds, events=sessions["last"] - sessions.place + 1
        )
        return sessions.group_by(day=day_of(sessions.begin, at.calendar, at.now)).agg(
            sessions=sessions.count(),
            people=sessions[SUBJECT].nunique(),
            events=whole(sessions.events.sum()),
            milliseconds=whole((sessions.end - sessions.begin).sum()),
        )


class Paths(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="paths"):
    """The most frequent first `steps` of sessions, repeats of one name taken as one step.

    Each session gives one path, so that memory is bounded by the number of sessions, and of paths that were taken: no
    combination is made that nobody walked.

    >>> from patron.rules.calendar import Calendar
    >>> from patron.rules.expressions import unbound
    >>> Paths().expression(unbound(), At(10**12, Calendar("UTC"))).columns
    ('path', 'sessions', 'people')
    """

    days: Days | None = 30
    steps: Annotated[int, Meta(ge=1, le=20)] = 4
    top: Top = 50
    gap_minutes: Gap = 30

    def expression(self, lake: Lake, at: At) -> ir.Table:
        """The table whose rows are `Path`, the most frequent first."""
        rows = events_between(lake, at, (), self.days).select(SUBJECT, "milliseconds", "event_id", "name")
        own = ibis.window(group_by=SUBJECT, order_by=["milliseconds", "event_id"])
        rows = rows.mutate(before=rows.milliseconds.lag().over(own), was=rows.name.lag().over(own))
        rows = rows.mutate(begins=_paused(rows.before, rows.milliseconds, self.gap_minutes))
        steps = rows.filter(rows.begins | (rows.was != rows.name))
        going = ibis.ifelse(steps.begins, ibis.null("string"), steps.name)
        steps = steps.select(SUBJECT, "milliseconds", "event_id", "name", "begins", going=going)
        steps = steps.mutate(
            **{f"n{place}": steps.going.lead(place).over(own) for place in range(1, self.steps)}
        )
        walked = steps.filter(steps.begins)
        path: ir.StringValue = ibis.literal("")
        for place in range(self.steps - 1, 0, -1):  # a session's way ends where the next one begins
            step = walked[f"n{place}"]
            path = ibis.ifelse(step.isnull(), "", ibis.literal(" > ") + step + path)
        path = walked.name + path
        counted = (
            walked.select(SUBJECT, path=path)
            .group_by("path")
            .agg(sessions=ibis._.count(), people=ibis._[SUBJECT].nunique())
        )
        return counted.order_by(counted.sessions.desc(), counted.path).limit(self.top)


def _paused(earlier: ir.IntegerValue, later: ir.IntegerValue, gap_minutes: int) -> ir.BooleanValue:
    """Whether two neighbours (ms) lie in different sessions: one of them is missing, or the pause is too long."""
    return ibis.coalesce(later - earlier > gap_minutes * MINUTE, True)
