"""Sessions: events of a person with no pause of half an hour between them; and the paths that sessions begin with."""

import ibis
import ibis.expr.types as ir
from msgspec import Struct

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


class Sessions(Struct, frozen=True, tag_field="kind", tag="sessions"):
    """Sessions a day over the last `days`. A new one begins after a pause of more than `gap_minutes`.

    >>> from patron.rules.calendar import Calendar
    >>> from patron.rules.expressions import unbound
    >>> Sessions().expression(unbound(), At(10**12, Calendar("UTC"))).columns
    ('day', 'sessions', 'people', 'events', 'milliseconds')
    """

    days: int | None = 30
    gap_minutes: int = 30

    def expression(self, lake: Lake, at: At) -> ir.Table:
        """The table whose rows are `SessionDay`."""
        events = events_between(lake, at, (), self.days)
        rows = _numbered(events.select(SUBJECT, "milliseconds", "event_id"), self.gap_minutes)
        sessions = rows.group_by(SUBJECT, "session").agg(
            begin=rows.milliseconds.min(), end=rows.milliseconds.max(), events=rows.count()
        )
        return sessions.group_by(day=day_of(sessions.begin, at.calendar, at.now)).agg(
            sessions=sessions.count(),
            people=sessions[SUBJECT].nunique(),
            events=whole(sessions.events.sum()),
            milliseconds=whole((sessions.end - sessions.begin).sum()),
        )


class Paths(Struct, frozen=True, tag_field="kind", tag="paths"):
    """The most frequent first `steps` of sessions, repeats of one name taken as one step.

    Each session gives one path, so that memory is bounded by the number of sessions, and of paths that were taken: no
    combination is made that nobody walked.

    >>> from patron.rules.calendar import Calendar
    >>> from patron.rules.expressions import unbound
    >>> Paths().expression(unbound(), At(10**12, Calendar("UTC"))).columns
    ('path', 'sessions', 'people')
    """

    days: int | None = 30
    steps: int = 4
    top: int = 50
    gap_minutes: int = 30

    def expression(self, lake: Lake, at: At) -> ir.Table:
        """The table whose rows are `Path`, the most frequent first."""
        events = events_between(lake, at, (), self.days)
        rows = _numbered(events.select(SUBJECT, "milliseconds", "event_id", "name"), self.gap_minutes)
        within = ibis.window(group_by=[SUBJECT, "session"], order_by=["milliseconds", "event_id"])
        rows = rows.mutate(before=rows.name.lag().over(within))
        steps = rows.filter(rows.before.isnull() | (rows.before != rows.name))
        steps = steps.mutate(place=ibis.row_number().over(within))
        steps = steps.filter(steps.place < self.steps)
        walked = steps.group_by(SUBJECT, "session").agg(
            **{f"n{place}": steps.name.max(where=steps.place == place) for place in range(self.steps)}
        )
        path = walked.n0
        for place in range(1, self.steps):
            path = path + ibis.coalesce(ibis.literal(" > ") + walked[f"n{place}"], "")
        counted = (
            walked.select(SUBJECT, path=path)
            .group_by("path")
            .agg(sessions=ibis._.count(), people=ibis._[SUBJECT].nunique())
        )
        return counted.order_by(counted.sessions.desc(), counted.path).limit(self.top)


def _numbered(rows: ir.Table, gap_minutes: int) -> ir.Table:
    """Each event with the number of its session among the person's."""
    own = ibis.window(group_by=SUBJECT, order_by=["milliseconds", "event_id"])
    rows = rows.mutate(previous=rows.milliseconds.lag().over(own))
    rows = rows.mutate(
        begins=(rows.previous.isnull() | (rows.milliseconds - rows.previous > gap_minutes * MINUTE)).cast(
            "int64"
        )
    )
    return rows.mutate(
        session=rows.begins.sum().over(
            ibis.cumulative_window(group_by=SUBJECT, order_by=["milliseconds", "event_id"])
        )
    ).drop("previous", "begins")
