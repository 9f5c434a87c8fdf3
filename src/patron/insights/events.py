"""What every insight begins with: events with the person they belong to, of some names and of some last days."""

from collections.abc import Collection

import ibis.expr.types as ir

from patron.rules.expressions.days import moment
from patron.rules.expressions.tables import At, Lake, events_of, owners
from patron.rules.tree import Window


def events_between(lake: Lake, at: At, names: Collection[str], days: int | None) -> ir.Table:
    """Events of these names (none: of all) of the last so many calendar days (None: of all time), with `subject`."""
    wanted = None
    if days is not None:
        since = at.calendar.since(Window(days=days), at.now)
        assert since is not None
        wanted = lake.events.time >= moment(since)
    if names:
        named = lake.events.name.isin(sorted(set(names)))
        wanted = named if wanted is None else wanted & named
    return events_of(lake, at, owners(lake, at, "person"), wanted)


def whole(total: ir.NumericValue) -> ir.IntegerValue:
    """A sum of whole numbers as one of 64 bits: DuckDB makes sums wider, which Ibis does not know, so it takes two casts."""
    return total.cast("decimal(38, 0)").cast("int64")
