"""Reading placements, frequency caps and quiet hours."""

from typing import Any

from patron.decide.reading.fields import Problems, names_of
from patron.decide.reading.offers import MOST
from patron.decide.reading.scalars import (
    choice_of,
    id_of,
    ids_of,
    minute_of,
    number_of,
    text_of,
    truth_of,
    whole_of,
)
from patron.decide.reading.tables import Reader, Table
from patron.model.events import CHANNELS
from patron.model.offers import Cap, Placement, Quiet

REWARDS = ("view", "click", "visit", "order", "margin")
"""What can count as success at a placement."""
EACH = ("offer", "family", "channel")
MAX_SLOTS = 100
MAX_DAYS = 366
"""The longest time of a cap, and of the window in which a success is credited."""


def placement_of(table: Table) -> Placement:
    """One placement; what is wrong is noted and left at its default."""
    return Placement(**{"id": "", "name": "", **table.read(_PLACEMENT, required=("id", "name"))})


def cap_of(table: Table) -> Cap:
    """One cap; what is wrong is noted and left at its default."""
    good = table.read(_CAP, required=("id", "limit"))
    if "days" in table.row and "hours" in table.row:
        table.fault(
            "hours", "stands beside `days`: a cap has one of them (days of the calendar, or rolling hours)"
        )
    elif "days" not in table.row and "hours" not in table.row:
        table.fault("days", "is missing: say `days = 1` (of the calendar) or `hours = 24` (rolling)")
    return Cap(**{"id": "", "limit": 1, **good})


def quiet_of(table: Table) -> Quiet:
    """Quiet hours; what is wrong is noted and left at its default."""
    good = table.read(_QUIET, required=("start", "end"))
    quiet = Quiet(**{"start": 0, "end": 0, **good})
    if {"start", "end"} <= table.row.keys() and quiet.start == quiet.end:
        table.fault("end", "is the same as `start`: is the whole day meant, or none of it? Make them differ")
    return quiet


def _channel(value: Any) -> tuple[str, Problems]:
    return ("", []) if value == "" else choice_of(value, CHANNELS)


def _id_or_none(value: Any) -> tuple[str, Problems]:
    return ("", []) if value == "" else id_of(value)


def _each(value: Any) -> tuple[str, Problems]:
    return ("", []) if value == "" else choice_of(value, EACH)


_PLACEMENT: dict[str, Reader] = {
    "id": id_of,
    "name": lambda v: text_of(v, 200),
    "channel": _channel,
    "slots": lambda v: whole_of(v, 1, MAX_SLOTS),
    "needs": lambda v: names_of(v, None),
    "families": ids_of,
    "outbound": truth_of,
    "reward": lambda v: choice_of(v, REWARDS),
    "explore": truth_of,
    "fill": truth_of,
    "window_hours": lambda v: whole_of(v, 1, MAX_DAYS * 24),
    "holdout": lambda v: number_of(v, 0, 1),
    "fallback": _id_or_none,
    "trigger": lambda v: ("", []) if v == "" else text_of(v, 100),
    "cooldown_hours": lambda v: whole_of(v, 0, MAX_DAYS * 24),
}
_CAP: dict[str, Reader] = {
    "id": id_of,
    "limit": lambda v: whole_of(v, 1, MOST),
    "days": lambda v: whole_of(v, 1, MAX_DAYS),
    "hours": lambda v: whole_of(v, 1, MAX_DAYS * 24),
    "channels": lambda v: names_of(v, CHANNELS),
    "families": ids_of,
    "each": _each,
    "outbound": truth_of,
}
_QUIET: dict[str, Reader] = {
    "start": minute_of,
    "end": minute_of,
    "channels": lambda v: names_of(v, CHANNELS),
}
