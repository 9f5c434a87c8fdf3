"""Figures as people read them, in the terminal and on the page."""

from patron.sim.marginals.report import Compared, Estimate


def number(value: float | None, *, percent: bool = False) -> str:
    """A figure with three digits that matter.

    >>> number(0.0631, percent=True), number(1234.5), number(0.25), number(5.0), number(None)
    ('6.3 %', '1,234', '0.25', '5', 'beyond')
    """
    if value is None:
        return "beyond"
    if percent:
        return f"{value * 100:.1f} %"
    if abs(value) >= 100 or (value == round(value) and value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3g}" if abs(value) < 1 else f"{value:.2f}"


def spanned(estimate: Estimate, *, percent: bool = False) -> str:
    """A figure with its interval.

    >>> spanned(Estimate(0.063, 0.059, 0.067), percent=True)
    '6.3 % (5.9 to 6.7)'
    """
    low, high = (number(v, percent=percent).removesuffix(" %") for v in (estimate.low, estimate.high))
    return f"{number(estimate.value, percent=percent)} ({low} to {high})"


def is_percent(marginal: Compared, label: str) -> bool:
    """Whether a figure of a marginal is a share."""
    return marginal.kind != "number" or label.startswith("within")


def headline(marginal: Compared) -> tuple[str, str]:
    """The one figure of each side that says most: the mean, the median wait, the share, or a profile's largest class."""
    if marginal.kind == "profile":
        lines, hour = marginal.lines, " h" if marginal.name == "hour" else ""
        simulated = max(lines, key=lambda line: line.simulated.value or 0.0)
        real = max(lines, key=lambda line: line.real.value or 0.0)
        return (
            f"most {simulated.label}{hour}: {number(simulated.simulated.value, percent=True)}",
            f"most {real.label}{hour}: {number(real.real.value, percent=True)}",
        )
    label = "" if marginal.kind == "share" else "median" if marginal.name == "wait" else "mean"
    line = next(line for line in marginal.lines if line.label == label)
    percent, lead = marginal.kind == "share", f"{label} " if label else ""
    return lead + spanned(line.simulated, percent=percent), lead + spanned(line.real, percent=percent)


def distance(marginal: Compared) -> str:
    """The distance with its interval, in the unit of the marginal or in points."""
    value = marginal.distance
    if marginal.kind == "number":
        return f"{spanned(value)} {marginal.unit.replace('EUR, USD', '')}".rstrip()
    low, high = (0.0 if v is None else v * 100 for v in (value.low, value.high))
    sign = "+" if marginal.kind == "share" else ""
    said = f"{(value.value or 0) * 100:{sign}.1f} ({low:{sign}.1f} to {high:{sign}.1f}) points"
    return said.replace("-", "−")
