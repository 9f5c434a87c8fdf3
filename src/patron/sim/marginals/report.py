"""The comparison itself: every marginal on both sides with 95 % intervals, their distance, and why it is so."""

import math

import numpy as np
from msgspec import Struct

from patron.sim.complete_journey import terms
from patron.sim.luck import Floats
from patron.sim.marginals import curves, reasons
from patron.sim.marginals.baskets import Baskets
from patron.sim.marginals.measures import ALIKE, DECILES, Kind, Measure, measures

QUOTE = "simulated data based on real grocery shopping patterns"
"""What the package that carries Complete Journey says of its tables."""
_POINTS = 160
"""At most so many points of a distribution function are drawn."""


class Estimate(Struct, frozen=True):
    """A figure and its 95 % interval; None where it lies beyond what was seen."""

    value: float | None
    low: float | None
    high: float | None


class Line(Struct, frozen=True):
    """One figure of a marginal, on both sides."""

    label: str
    simulated: Estimate
    real: Estimate


class Drawing(Struct, frozen=True):
    """A curve on both sides, for a chart: y at each x."""

    x: list[float]
    simulated: list[Estimate]
    real: list[Estimate]


class Compared(Struct, frozen=True, kw_only=True):
    """One marginal, compared."""

    name: str
    title: str
    unit: str
    kind: Kind
    n_simulated: int
    n_real: int
    lines: tuple[Line, ...]
    measure: str
    """What the distance is."""
    distance: Estimate
    by_chance: float
    """Two samples of one and the same marginal would lie this far apart in one of twenty cases."""
    relative: float
    """The distance on the scale of `alike_below`."""
    alike_below: float
    differs: bool
    direction: str
    """`more` or `less` (the simulated side, by its mean), `other` for profiles."""
    why: str
    """In terms of the model's parameters; empty when nobody has said why yet."""
    note: str
    drawing: Drawing


class Side(Struct, frozen=True):
    """One side: what it is, whose baskets, how many."""

    label: str
    customer: str
    unit: str
    currency: str
    days: int
    baskets: int
    customers: int
    unidentified: int
    left_out: int
    in_store: float


class Report(Struct, frozen=True):
    """A simulated world beside the real set."""

    simulated: Side
    real: Side
    quote: str
    terms: str
    seed: int
    draws: int
    marginals: tuple[Compared, ...]


def compare(simulated: Baskets, real: Baskets, *, draws: int = 400, seed: int = 7) -> Report:
    """Compare all marginals.

    Parameters
    ----------
    draws : bootstrap samples of whole customers on either side; intervals are their percentiles (Efron, 1979).
    seed : names their luck.
    """
    found = list(measures(simulated, real))
    trials = [_Trial(measure, simulated.customers, real.customers) for measure in found]
    rng = np.random.default_rng([seed, 0xC0FFEE])
    for _ in range(draws):
        left, right = _resample(rng, simulated.customers), _resample(rng, real.customers)
        for trial in trials:
            trial.run(left, right)
    results = tuple(trial.result(simulated.about.unit) for trial in trials)
    return Report(_side(simulated), _side(real), QUOTE, terms(), seed, draws, results)


def unexplained(report: Report) -> list[str]:
    """Names of marginals that differ though no sentence says why."""
    return [marginal.name for marginal in report.marginals if marginal.differs and not marginal.why]


def _resample(rng: np.random.Generator, customers: int) -> Floats:
    return np.bincount(rng.integers(0, customers, customers), minlength=customers).astype(np.float64)


def _side(side: Baskets) -> Side:
    return Side(
        label=side.about.label,
        customer=side.about.customer,
        unit=side.about.unit,
        currency=side.about.currency,
        days=side.days,
        baskets=len(side),
        customers=side.known,
        unidentified=int((side.customer >= side.known).sum()),
        left_out=side.left_out,
        in_store=float(side.in_store.mean()),
    )


class _Trial:
    """One marginal while it is drawn again and again."""

    def __init__(self, measure: Measure, left: int, right: int) -> None:
        self.measure = measure
        self.curves = measure.simulated(np.ones(left)), measure.real(np.ones(right))
        self.figures = [_figures(measure, curve) for curve in self.curves]
        self.points = _points(measure, self.curves)
        self.drawn: tuple[list[list[float]], list[list[float]]] = ([], [])
        self.shapes: tuple[list[Floats], list[Floats]] = ([], [])
        self.distances: list[float] = []
        self.chances: list[float] = []

    def run(self, left: Floats, right: Floats) -> None:
        """Draw once."""
        curve = self.measure.simulated(left), self.measure.real(right)
        for k in (0, 1):
            self.drawn[k].append(_figures(self.measure, curve[k]))
            self.shapes[k].append(curve[k][self.points])
        gap, moved = curve[0] - curve[1], self.curves[0] - self.curves[1]
        self.distances.append(_distance(self.measure, gap))
        self.chances.append(_distance(self.measure, gap - moved))

    def result(self, unit: str) -> Compared:
        """What came out; `unit` is what a simulated customer is."""
        m, gap = self.measure, self.curves[0] - self.curves[1]
        distance = _distance(m, gap)
        lines = [_estimates(self.figures[k], np.array(self.drawn[k])) for k in (0, 1)]
        relative = abs(distance) / (abs(self.figures[1][0]) if m.kind == "number" else 1.0)
        chance = float(np.quantile(np.abs(self.chances), 0.95))
        differs = relative > ALIKE[m.kind] and abs(distance) > chance
        direction = _direction(m, self.figures)
        return Compared(
            name=m.name, title=m.title, unit=m.unit, kind=m.kind, n_simulated=m.counts[0], n_real=m.counts[1],
            lines=tuple(Line(label, *both) for label, *both in zip(_labels(m), *lines, strict=True)),
            measure=_MEASURES[m.kind], distance=_estimates([distance], np.array(self.distances)[:, None])[0],
            by_chance=chance, relative=relative, alike_below=ALIKE[m.kind], differs=differs, direction=direction,
            why=reasons.why(m.name, direction, unit) if differs else "", note=m.note, drawing=self._drawing(),
        )  # fmt: skip

    def _drawing(self) -> Drawing:
        x = self.measure.grid[self.points] if self.measure.grid is not None else self.points.astype(float)
        sides = [
            _estimates(curve[self.points].tolist(), np.array(shapes))
            for curve, shapes in zip(self.curves, self.shapes, strict=True)
        ]
        return Drawing(x.tolist(), *sides)


_MEASURES: dict[Kind, str] = {
    "number": "Wasserstein-1",
    "profile": "total variation",
    "share": "difference",
}


def _distance(measure: Measure, gap: Floats) -> float:
    if measure.grid is not None:
        return curves.wasserstein(gap, measure.grid)
    return curves.total_variation(gap) if measure.kind == "profile" else float(gap[0])


def _figures(measure: Measure, curve: Floats) -> list[float]:
    """The figures read off a curve, in the order of `_labels`."""
    if measure.grid is None:
        return [float(value) for value in curve]
    within = [float(curve[days]) for days in measure.within]
    return [
        curves.mean(curve, measure.grid),
        *(curves.quantile(curve, measure.grid, q) for q in DECILES),
        *within,
    ]


def _labels(measure: Measure) -> list[str]:
    if measure.grid is None:
        return list(measure.labels)
    named = ["median" if q == 0.5 else f"decile {round(q * 10)}" for q in DECILES]
    return ["mean", *named, *(f"within {days} days" for days in measure.within)]


def _direction(measure: Measure, figures: list[list[float]]) -> str:
    if measure.kind == "profile":
        return "other"
    return "more" if figures[0][0] > figures[1][0] else "less"


def _estimates(values: list[float], drawn: Floats) -> list[Estimate]:
    """Figures with the percentiles of their draws; a quantile that most draws do not reach has no upper end."""
    reached = np.where(np.isnan(drawn), np.inf, drawn)
    low, high = np.quantile(reached, [0.025, 0.975], axis=0, method="nearest")
    return [Estimate(*map(_plain, row)) for row in zip(values, low.tolist(), high.tolist(), strict=True)]


def _plain(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _points(measure: Measure, both: tuple[Floats, Floats]) -> np.ndarray:
    """Places on the curve to draw: all of a profile; of a distribution, up to where nearly all of either side lies."""
    if measure.grid is None:
        return np.arange(len(both[0]))
    end = (
        int(np.searchsorted(np.minimum(*both), 0.98))
        if min(c[-1] for c in both) > 0.98
        else len(measure.grid) - 1
    )
    x = np.linspace(measure.grid[0], measure.grid[min(end, len(measure.grid) - 1)], _POINTS)
    return np.unique(np.searchsorted(measure.grid, x, side="right") - 1)
