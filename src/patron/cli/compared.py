"""Live beside batch, as text: a table, an example of each difference with what the person's events say, and a verdict."""

from collections.abc import Mapping, Sequence
from typing import Any

from patron.cli.explained import drawn, shown
from patron.cli.output import table

Row = Mapping[str, Any]
SECONDS = 3600.0
"""Longest time that a comparison is waited for."""


def table_of(rows: Sequence[Row]) -> str:
    """Definitions with the people that either side has, and how many differ."""
    heads = ["", "id", "way", "live", "lake", "differ", "capped", "cut off", "moved"]
    cells = [
        [
            row["kind"],
            row["id"],
            row["way"],
            *(f"{row[n]:,}" for n in ("live", "batch", "differ", "capped", "cut_off", "moved")),
        ]
        for row in rows
    ]
    return table(heads, cells)


def example(row: Row, explained: Row) -> list[str]:
    """One person of whom the two say different things: what each says, what their events say, and why."""
    one = row["example"]
    said = ", ".join(
        f"{who}: {shown(one[key])}"
        for who, key in (("live", "live"), ("lake", "batch"), ("events", "events"))
    )
    lines = [f"{row['kind']} {row['id']}, {one['person']}: {said}"]
    if row["kind"] == "segment":
        return [*lines, *(f"  {line}" for line in drawn(explained).splitlines()[2:])]
    return [
        *lines,
        *(f"  {e['time']}  {e['event']}  {e['channel']}, {e['source']}" for e in explained["events"]),
    ]


def verdict(value: Row) -> str:
    """One line: what was compared, and whether all agree.

    >>> rows = [{"way": "live", "kind": "segment"}, {"way": "filling", "kind": "trait"}]
    >>> verdict({"rows": rows, "people": 2, "capped": 0, "differ": 0, "seconds": 1.2})
    '1 segments and 0 computed traits of 2 people, 0 of them above a cap: live and lake agree (1.2 s). Not compared, as not live: 1.'
    """
    live = [row["kind"] for row in value["rows"] if row["way"] == "live"]
    what = f"{live.count('segment')} segments and {live.count('trait')} computed traits"
    whom = f"of {value['people']:,} people, {value['capped']:,} of them above a cap"
    outcome = f"{value['differ']} DIFFER" if value["differ"] else "live and lake agree"
    rest = len(value["rows"]) - len(live)
    return f"{what} {whom}: {outcome} ({value['seconds']:g} s)." + (
        f" Not compared, as not live: {rest}." if rest else ""
    )
