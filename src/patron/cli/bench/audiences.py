"""The row with segments: twenty shapes that shops use, each in ten windows, against the same events without any rule."""

from collections.abc import Callable, Iterator
from typing import Any

from patron.cli.bench import bodies
from patron.cli.bench.figures import PROMISES, Figure
from patron.cli.bench.ingest import send
from patron.cli.bench.target import Target

WINDOWS = (1, 2, 3, 5, 7, 14, 30, 60, 90, 365)
"""Days; one copy of every shape for each."""
Rule = dict[str, Any]


def definitions() -> list[dict[str, Any]]:
    """Two hundred segments as the API takes them.

    >>> len(definitions()), definitions()[0]["id"]
    (200, 'viewers-1')
    """
    return [
        {"id": f"{name}-{days}", "name": f"{name} of {days} days", "rule": shape(days)}
        for name, shape in SHAPES.items()
        for days in WINDOWS
    ]


def _did(event: str, value: float = 1, days: int | None = None, op: str = ">=", **more: Any) -> Rule:
    within = {} if days is None else {"within": {"days": days}}
    return {"kind": "did", "event": event, "op": op, "value": value, **within, **more}


def _all(*rules: Rule) -> Rule:
    return {"kind": "all", "of": list(rules)}


def _not(rule: Rule) -> Rule:
    return {"kind": "not", "rule": rule}


def _where(field: str, op: str, value: Any) -> dict[str, Any]:
    return {"where": [{"field": field, "op": op, "value": value}]}


def _fact(field: str, value: Any, op: str = "=") -> Rule:
    return {"kind": "fact", "field": field, "op": op, "value": value}


_COFFEE = _where("properties.category", "=", "Coffee")
_BOUGHT = "Order Completed"
SHAPES: dict[str, Callable[[int], Rule]] = {
    "viewers": lambda d: _did("Product Viewed", 1, d),
    "regulars": lambda d: _did("*", 5, d),
    "coffee": lambda d: _did("Product Viewed", 2, d, **_COFFEE),
    "basket": lambda d: _did("Product Added", 1, d),
    "abandoned": lambda d: _all(_did("Product Added", 1, d), _not(_did(_BOUGHT, 1, d))),
    "readers": lambda d: _did("Page Viewed", 3, d),
    "web-only": lambda d: _all(
        _did("*", 1, d, **_where("channel", "in", ["web", "app"])),
        _not(_did("*", 1, d, **_where("channel", "=", "pos"))),
    ),
    "gold": lambda d: _all(_fact("traits.plan", "gold"), _did("Product Viewed", 1, d)),
    "new": lambda d: _did("*", d, op="<", measure="first"),
    "lapsing": lambda d: _all(_did("*", d, op=">=", measure="last"), _did("*", 2)),
    "lapsed-buyers": lambda d: _did(_BOUGHT, d, op=">=", measure="last"),
    "repeat-buyers": lambda d: _did(_BOUGHT, 2, d),
    "big-spenders": lambda d: _did(_BOUGHT, 150, d, measure="sum", property="revenue"),
    "dear-baskets": lambda d: _did(_BOUGHT, 60, d, measure="average", property="revenue"),
    "weekend": lambda d: _did("Page Viewed", 2, d, **_where("weekday", ">=", 6)),
    "window-shoppers": lambda d: _all(_did("Product Viewed", 4, d), _not(_did("Product Added", 1, d))),
    "tempted": lambda d: {
        "kind": "sequence",
        "steps": [{"event": "Product Added"}, {"event": _BOUGHT}],
        "limit": {"days": 1},
        "within": {"days": d},
    },
    "dear-tastes": lambda d: _did("Product Viewed", 3, d, **_where("properties.price", ">=", 20)),
    "neighbours": lambda d: _all(_fact("traits.city", ["Bari", "Rome"], "in"), _did("*", 1, d)),
    "trial": lambda d: _all({"kind": "bucket", "salt": "trial", "start": 0.0, "end": 0.1}, _did("*", 3, d)),
}


def segments(quick: bool) -> Iterator[Figure]:
    """The same events on two directories, without rules and with two hundred segments, one after the other."""
    people, count = (10_000, 30_000) if quick else (100_000, 300_000)
    for name, who in (
        ("segments", bodies.uniform(people, count)),
        ("segments_zipf", bodies.zipf(people, count)),
    ):
        data = bodies.batches(bodies.messages(who.tolist(), "seg"))
        plain, _ = _speed(data, count, [])
        ruled, moving = _speed(data, count, definitions())
        note = f"{ruled:,.0f} against {plain:,.0f} ev/cpu-s; {100 * moving:.1f} % of the events change a membership"
        yield Figure(PROMISES[name], 100 * ruled / plain, 0.0, note)


def _speed(data: list[bytes], count: int, rules: list[dict[str, Any]]) -> tuple[float, float]:
    """Events a CPU second, and the share of them that changed a membership."""
    with Target() as target:
        if rules:
            target.save_segments(rules)
        cpu, _, _ = send(target, bodies.tracked(data, target.write_key))
        return count / cpu, target.metric("patron_segments_moving_events_total") / count
