"""All leaves of all rules together: what each needs of the events, counted in one pass and joined by subject."""

from collections.abc import Callable
from typing import NamedTuple

import ibis
import ibis.expr.types as ir

from patron.rules.expressions.days import moment
from patron.rules.expressions.tables import SUBJECT, At, Lake, events_of, owners
from patron.rules.tree import ANY_EVENT, Subject

Aggregate = Callable[[ir.Table], ir.Scalar]
Side = Callable[[ir.Table, str], ir.Table]
"""From the events a table of `subject` and a column of the name given."""


class _Need(NamedTuple):
    name: str
    since: int | None


class Gather:
    """What the leaves of many rules ask for; equal leaves are counted once.

    Leaves call `aggregate` or `side` and get the name of a column of `table`, in which every subject has one row. Columns are
    null for subjects without such events.

    Parameters
    ----------
    among : `person`: of accounts only these people count.
    """

    def __init__(
        self, lake: Lake, at: At, subject: Subject = "person", among: ir.Table | None = None
    ) -> None:
        self.lake = lake
        self.at = at
        self.subject = subject
        self._among = among
        self._aggregates: dict[str, Aggregate] = {}
        self._sides: dict[str, Side] = {}
        self._names: dict[str, str] = {}
        self._needs: set[_Need] = set()
        self._columns: set[str] = set()
        self._derived: list[dict[str, Aggregate]] = []

    def aggregate(self, key: str, make: Aggregate) -> str:
        """Have an aggregate over each subject's events; `key` says what it is."""
        name = self._name(key)
        self._aggregates.setdefault(name, make)
        return name

    def side(self, key: str, make: Side) -> str:
        """Have a value that needs a grouping of its own."""
        name = self._name(key)
        self._sides.setdefault(name, make)
        return name

    def derive(self, key: str, stage: int, make: Aggregate) -> str:
        """Have a column worked out of others of the table, those of earlier stages among them (0, 1, ...).

        What is used often is so written once: an expression that is written out at each use grows with the power of their nesting.
        """
        name = self._name(key)
        while len(self._derived) <= stage:
            self._derived.append({})
        self._derived[stage].setdefault(name, make)
        return name

    def needs(self, name: str, since: int | None) -> None:
        """Read events of this name from that moment on (ms)."""
        self._needs.add(_Need(name, since))

    def needs_column(self, column: str) -> None:
        """Read events that have something in this column."""
        self._columns.add(column)

    def table(self, *, everyone: bool = True) -> ir.Table:
        """One row a subject: `subject` and a column for each thing asked for.

        Without `everyone`, subjects that have no events of those read may be missing: whoever asks has no use for them.
        """
        found = self._gathered(everyone)
        for stage in self._derived:
            found = found.mutate(**{name: make(found) for name, make in stage.items()})
        return found

    def _gathered(self, everyone: bool) -> ir.Table:
        owned = owners(self.lake, self.at, self.subject, self._among)
        found = owned.select(SUBJECT).distinct()
        if not self._needs and not self._columns:
            return found
        events = events_of(self.lake, self.at, owned, self._wanted())
        if self._aggregates:
            made = {name: make(events) for name, make in self._aggregates.items()}
            counted = events.group_by(SUBJECT).agg(**made)
            found = _beside(found, counted) if everyone else counted
        for name, make in self._sides.items():
            found = _beside(found, make(events, name))
        return found

    def _name(self, key: str) -> str:
        return self._names.setdefault(key, f"c{len(self._names)}")

    def _wanted(self) -> ir.BooleanValue | None:
        """Which events any leaf reads; None for all of them."""
        events = self.lake.events
        by_start: dict[int | None, set[str]] = {}
        for need in self._needs:
            by_start.setdefault(need.since, set()).add(need.name)
        starts = [since for since in by_start if since is not None]
        parts = [events[column].notnull() for column in sorted(self._columns)]
        for since, names in sorted(by_start.items(), key=lambda part: part[0] or 0):
            inside: ir.BooleanValue = ibis.literal(True) if since is None else events.time >= moment(since)
            parts.append(inside if ANY_EVENT in names else inside & events.name.isin(sorted(names)))
        if None in by_start and ANY_EVENT in by_start[None]:
            return None
        if (
            len(starts) > 3
        ):  # many windows: the widest, and all the names, are nearly as sharp and much cheaper to ask
            names = set().union(*by_start.values())
            since = None if None in by_start else min(starts)
            inside = ibis.literal(True) if since is None else events.time >= moment(since)
            wide = inside if ANY_EVENT in names else inside & events.name.isin(sorted(names))
            parts = [*(events[column].notnull() for column in sorted(self._columns)), wide]
        wanted = parts[0]
        for part in parts[1:]:
            wanted = wanted | part
        return wanted


def _beside(left: ir.Table, right: ir.Table) -> ir.Table:
    return left.left_join(right, SUBJECT).drop(f"{SUBJECT}_right")
