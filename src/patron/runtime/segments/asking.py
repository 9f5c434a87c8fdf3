"""Asking the lake of everybody, for segments and computed traits: by whom, as of when, and what its answers hold."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from patron.runtime.analysis import Analyst, Moment
from patron.runtime.lake.processes import bounds_of
from patron.runtime.segments.definitions import Active

if TYPE_CHECKING:
    from patron.runtime.app import App
    from patron.runtime.workspace import Workspace

SECONDS = 900.0
"""Longest time of a question about everybody."""
IN = 1
STANDS = ("out", "in", "without basis")
"""How somebody stands to a segment, in words, by the code that the lake gives."""


def analyst_of(app: "App") -> Analyst:
    """Who has the time to read everything."""
    return Analyst(app.lake, msgspec.structs.replace(bounds_of(app.workspace), seconds=SECONDS))


def moment_of(workspace: "Workspace", active: Active) -> Moment:
    """Now, with what definitions refer to."""
    settings = workspace.settings
    return Moment(
        workspace.clock.now(),
        settings.business.timezone,
        tuple(settings.decide.opt_in),
        tuple(active.segments.values()),
        tuple(active.traits.values()),
        dict(workspace.feeds.locations()),
        household_people=settings.identity.household_people,
    )


def read(value: Any, is_decimal: bool) -> Any:
    """A cell of the lake's answer as profiles show it; decimals come as text.

    >>> read("2.500000", True), read("7.000000", True), read("7", False), read(None, True)
    (2.5, 7, '7', None)
    """
    if not is_decimal or value is None:
        return value
    exact = Decimal(value)
    return int(exact) if exact == exact.to_integral_value() else float(exact)
