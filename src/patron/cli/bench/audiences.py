"""The rows with segments: the ready library over and over in other windows, against the same events without any rule."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import msgspec

from patron.cli.bench import bodies
from patron.cli.bench.figures import PROMISES, Figure
from patron.cli.bench.ingest import send
from patron.cli.bench.target import Target
from patron.segments import library

ACTIVE = 200
WIDTHS = (1.0, 0.5, 0.75, 0.25, 0.9, 0.35, 0.6)
"""Each copy of the library has its windows and ages this many times as long."""
HISTORY_DAYS = 90.0
TURN = 30
"""Bodies of a hundred messages that one server gets at a time."""
_MOVING = "patron_segments_moving_events_total"
ROWS = ("segments_new", "segments", "segments_zipf")
"""People nobody has seen, those of before uniformly, and by Zipf."""


def definitions() -> list[dict[str, Any]]:
    """Two hundred segments as the API takes them.

    >>> found = definitions()
    >>> len(found), found[0]["id"], found[-1]["id"] == found[0]["id"]
    (200, 'new-buyers-1.0', False)
    """
    return list(islice(_copies(), ACTIVE))


def _copies() -> Iterator[dict[str, Any]]:
    for width in WIDTHS:
        for segment in library.segments():
            row = msgspec.to_builtins(segment)
            name = f"{row['name']} {width}"
            yield {**row, "id": f"{row['id']}-{width}", "name": name, "rule": _wider(row["rule"], width)}


def _wider(rule: Any, width: float) -> Any:
    """A rule with other windows and ages, nothing else changed."""
    if isinstance(rule, list | tuple):
        return [_wider(one, width) for one in rule]
    if not isinstance(rule, dict):
        return rule
    found = {name: _wider(value, width) for name, value in rule.items()}
    aged = rule.get("measure") in ("first", "last")
    for name in ("days", "value") if aged else ("days",):
        if isinstance(rule.get(name), int):
            found[name] = max(1, round(rule[name] * width))
    return found


def segments(quick: bool) -> Iterator[Figure]:
    """The same events on two directories, without rules and with two hundred segments, turn by turn: a machine that slows down
    for a minute slows both.

    First come the events of the last three months, of people nobody has seen; then they go on.
    """
    people, count = (10_000, 30_000) if quick else (100_000, 300_000)
    shop = bodies.SHOPPING
    history = bodies.messages(
        bodies.uniform(people, count, seed=5).tolist(),
        "seg",
        shop,
        bodies.spread(HISTORY_DAYS, count),
        part="h",
    )
    parts = [
        bodies.batches(history),
        bodies.batches(bodies.messages(bodies.uniform(people, count).tolist(), "seg", shop, part="n")),
        bodies.batches(bodies.messages(bodies.zipf(people, count).tolist(), "seg", shop, part="z")),
    ]
    with Target() as plain, Target() as ruled:
        ruled.save_segments(definitions())
        for name, data in zip(ROWS, parts, strict=True):
            moved = ruled.metric(_MOVING)
            bare, speed = (count / cpu for cpu in _turn_by_turn((plain, ruled), data))
            share = (ruled.metric(_MOVING) - moved) / count
            note = f"{speed:,.0f} against {bare:,.0f} ev/cpu-s; {100 * share:.1f} % of the events change a membership"
            yield Figure(PROMISES[name], 100 * speed / bare, 0.0, note)


def _turn_by_turn(targets: tuple[Target, Target], data: list[bytes]) -> list[float]:
    """CPU seconds of each server, all that it does while the other has its turn among them."""
    before = [target.cpu() for target in targets]
    for at, begin in enumerate(range(0, len(data), TURN)):
        for target in targets if at % 2 else reversed(targets):
            send(target, bodies.tracked(data[begin : begin + TURN], target.write_key))
    return [target.cpu() - spent for target, spent in zip(targets, before, strict=True)]
