"""The comparison as one HTML page that needs nothing else: light and dark, wide and narrow, charts in the text."""

from pathlib import Path

import jinja2
from markupsafe import Markup

from patron.sim.marginals import words
from patron.sim.marginals.charts import chart
from patron.sim.marginals.measures import ALIKE
from patron.sim.marginals.report import Compared, Line, Report

_SHORT = ("mean", "decile 1", "median", "decile 9")
_FAR = 5


def page(report: Report) -> str:
    """The whole page."""
    source = Path(__file__).with_name("page.html").read_text("utf-8")
    template = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined).from_string(source)
    return template.render(
        report=report,
        summary=summary(report),
        alike=ALIKE,
        chart=chart,
        chip=_chip,
        short=_short,
        chance=_chance,
        headline=words.headline,
        distance=words.distance,
        spanned=words.spanned,
        is_percent=words.is_percent,
        percent=lambda value: words.number(value, percent=True),
    )


def summary(report: Report) -> str:
    """How much differs, in a sentence or two."""
    differing = [marginal.title.lower() for marginal in report.marginals if marginal.differs]
    alike = [marginal.title.lower() for marginal in report.marginals if not marginal.differs]
    if not differing:
        return f"All {len(alike)} marginals are alike."
    nobody_knows = sum(marginal.differs and not marginal.why for marginal in report.marginals)
    cause = f"{nobody_knows} of them without a stated cause" if nobody_knows else "each with its cause"
    said = f"{len(differing)} of {len(report.marginals)} marginals differ, {cause}"
    return f"{said}; alike: {', '.join(alike)}." if alike else f"{said}."


def _chip(marginal: Compared) -> Markup:
    if not marginal.differs:
        return Markup('<span class="chip alike">alike</span>')
    if not marginal.why:
        return Markup('<span class="chip open">differs, unexplained</span>')
    return Markup('<span class="chip differs">differs</span>')


def _short(marginal: Compared) -> list[Line]:
    """The lines that say most: a few deciles, or the classes of a profile that differ most, in their order."""
    if marginal.kind == "profile":
        far = sorted(
            marginal.lines, key=lambda line: -abs((line.simulated.value or 0) - (line.real.value or 0))
        )
        return [line for line in marginal.lines if line in far[:_FAR]]
    return [line for line in marginal.lines if line.label in _SHORT or line.label.startswith("within")]


def _chance(marginal: Compared) -> str:
    if marginal.kind == "number":
        return words.number(marginal.by_chance)
    return f"{marginal.by_chance * 100:.1f} points"
