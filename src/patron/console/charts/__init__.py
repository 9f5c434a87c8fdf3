"""Charts as pure functions: values in, SVG out. The same values give the same bytes."""

from patron.console.charts.bars import bar, hours, swatch
from patron.console.charts.cohorts import cohorts
from patron.console.charts.days import interval, stacked, steps
from patron.console.charts.funnels import funnel
from patron.console.charts.identity import identity_graph
from patron.console.charts.lift import lift
from patron.console.charts.lines import bounds, line
from patron.console.charts.overlaps import overlap

__all__ = [
    "bar",
    "bounds",
    "cohorts",
    "funnel",
    "hours",
    "identity_graph",
    "interval",
    "lift",
    "line",
    "overlap",
    "stacked",
    "steps",
    "swatch",
]
