"""Charts as pure functions: values in, SVG out. The same values give the same bytes."""

from patron.console.charts.bars import bar, hours
from patron.console.charts.identity import identity_graph
from patron.console.charts.lift import lift

__all__ = ["bar", "hours", "identity_graph", "lift"]
