"""Small charts of both sides on each other, as SVG without scripts: distribution functions, profiles, shares."""

from collections.abc import Sequence

from markupsafe import Markup, escape

from patron.sim.marginals.report import Compared, Estimate

_W, _H = 360, 210
_LEFT, _RIGHT, _TOP, _BOTTOM = 40, 352, 10, 178

Point = tuple[float, float]


def chart(marginal: Compared) -> Markup:
    """The chart that suits the kind of a marginal."""
    if marginal.kind == "number":
        body = _functions(marginal)
    elif marginal.kind == "share":
        body = _shares(marginal)
    else:
        body = _bars(marginal) if len(marginal.lines) < 12 else _steps(marginal)
    height = 96 if marginal.kind == "share" else _H
    label = f"{marginal.title}: simulated and real, {marginal.measure} {marginal.distance.value or 0:.3g}"
    return Markup(  # noqa: S704 - numbers, and labels escaped where they enter
        f'<svg viewBox="0 0 {_W} {height}" role="img" aria-label="{escape(label)}">{body}</svg>'
    )


def _x(value: float, low: float, high: float) -> float:
    return _LEFT + (value - low) / ((high - low) or 1.0) * (_RIGHT - _LEFT)


def _y(value: float, top: float) -> float:
    return _BOTTOM - value / (top or 1.0) * (_BOTTOM - _TOP)


def _known(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value


def _path(points: Sequence[Point]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def _stairs(points: Sequence[Point]) -> list[Point]:
    """A curve that keeps its height until the next point."""
    out: list[Point] = []
    for x, y in points:
        if out:
            out.append((x, out[-1][1]))
        out.append((x, y))
    return out


def _area(upper: Sequence[Point], lower: Sequence[Point], name: str) -> str:
    return f'<path class="{name}" d="{_path([*upper, *reversed(lower)])}Z"/>'


def nice(top: float) -> float:
    """A round step for about four ticks up to `top`.

    >>> nice(97), nice(0.19)
    (25.0, 0.05)
    """
    step = 10.0 ** len(str(int(top))) if top >= 1 else 1.0
    while step * 3 > top:
        step /= 10.0
    return next(step * k for k in (10.0, 5.0, 2.5, 2.0, 1.0) if step * k * 3 <= top)


def _axis_y(top: float, *, percent: bool = True) -> str:
    step, parts, k = nice(top), [], 0
    while k * step <= top * 1.0001:
        y, text = _y(k * step, top), f"{k * step * 100:g} %" if percent else f"{k * step:g}"
        parts.append(f'<path class="grid" d="M{_LEFT} {y:.1f}H{_RIGHT}"/>')
        parts.append(f'<text x="{_LEFT - 5}" y="{y + 4:.1f}" text-anchor="end">{text}</text>')
        k += 1
    return "".join(parts)


def _axis_x(low: float, high: float, unit: str) -> str:
    step, parts = nice(high - low), []
    tick = -(-low // step) * step
    while tick <= high * 1.0001:
        x = _x(tick, low, high)
        parts.append(
            f'<text x="{min(x, _RIGHT - 8):.1f}" y="{_BOTTOM + 14}" text-anchor="middle">{tick:g}</text>'
        )
        tick += step
    parts.append(f'<text x="{_RIGHT}" y="{_BOTTOM + 29}" text-anchor="end">{escape(unit)}</text>')
    return "".join(parts)


def _functions(marginal: Compared) -> str:
    """Two distribution functions; the shaded area between them is the Wasserstein distance."""
    drawing = marginal.drawing
    low, high = drawing.x[0], drawing.x[-1]

    def at(side: list[Estimate], which: str) -> list[Point]:
        heights = (_known(getattr(point, which), 1.0) for point in side)
        return _stairs([(_x(x, low, high), _y(y, 1.0)) for x, y in zip(drawing.x, heights, strict=True)])

    simulated, real = at(drawing.simulated, "value"), at(drawing.real, "value")
    parts = [_axis_y(1.0), _axis_x(low, high, marginal.unit), _area(simulated, real, "between")]
    for side, points, name in ((drawing.real, real, "real"), (drawing.simulated, simulated, "sim")):
        parts.append(_area(at(side, "high"), at(side, "low"), f"band {name}"))
        parts.append(f'<path class="line {name}" d="{_path(points)}"/>')
    return "".join(parts)


def _top(marginal: Compared) -> float:
    return 1.08 * max(
        _known(side.high, 0.0) for line in marginal.lines for side in (line.simulated, line.real)
    )


def _steps(marginal: Compared) -> str:
    """Two profiles of many classes, as stairs with their bands."""
    top, n = _top(marginal), len(marginal.lines)
    parts = [_axis_y(top)]
    for name in ("real", "simulated"):
        side = [getattr(line, name) for line in marginal.lines]
        look = "sim" if name == "simulated" else "real"
        high, low, mid = (
            _stairs(
                [
                    (_x(k, 0, n), _y(_known(getattr(point, which), 0.0), top))
                    for k, point in enumerate([*side, side[-1]])
                ]
            )
            for which in ("high", "low", "value")
        )
        parts.append(_area(high, low, f"band {look}"))
        parts.append(f'<path class="line {look}" d="{_path(mid)}"/>')
    marks = ((_x(k, 0, n), marginal.lines[k].label) for k in range(0, n, 3))
    parts += [
        f'<text x="{x:.1f}" y="{_BOTTOM + 14}" text-anchor="middle">{escape(label)}</text>'
        for x, label in marks
    ]
    parts.append(f'<text x="{_RIGHT}" y="{_BOTTOM + 29}" text-anchor="end">hour, local time</text>')
    return "".join(parts)


def _bars(marginal: Compared) -> str:
    """Two profiles of few classes, side by side with whiskers."""
    top, n = _top(marginal), len(marginal.lines)
    parts, wide = [_axis_y(top)], (_RIGHT - _LEFT) / n
    for k, line in enumerate(marginal.lines):
        for shift, look, point in ((0.14, "sim", line.simulated), (0.50, "real", line.real)):
            x, y = _LEFT + (k + shift) * wide, _y(_known(point.value, 0.0), top)
            low, high = _y(_known(point.low, 0.0), top), _y(_known(point.high, 0.0), top)
            middle = x + 0.17 * wide
            parts.append(
                f'<rect class="bar {look}" x="{x:.1f}" y="{y:.1f}" width="{0.34 * wide:.1f}" height="{_BOTTOM - y:.1f}"/>'
            )
            parts.append(f'<path class="whisker" d="M{middle:.1f} {low:.1f}V{high:.1f}"/>')
        parts.append(
            f'<text x="{_LEFT + (k + 0.5) * wide:.1f}" y="{_BOTTOM + 14}" text-anchor="middle">{escape(line.label)}</text>'
        )
    return "".join(parts)


def _shares(marginal: Compared) -> str:
    """Two shares with their intervals, one above the other."""
    top, parts = min(1.0, max(0.02, _top(marginal))), []
    step, k = nice(top), 0
    while k * step <= top * 1.0001:
        x = _x(k * step, 0, top)
        parts.append(
            f'<path class="grid" d="M{x:.1f} 8V70"/><text x="{x:.1f}" y="86" text-anchor="middle">{k * step * 100:g} %</text>'
        )
        k += 1
    line = marginal.lines[0]
    for y, look, point in ((24, "sim", line.simulated), (52, "real", line.real)):
        low, mid, high = (_x(_known(v, 0.0), 0, top) for v in (point.low, point.value, point.high))
        parts.append(
            f'<path class="span {look}" d="M{low:.1f} {y}H{high:.1f}"/><circle class="dot {look}" cx="{mid:.1f}" cy="{y}" r="5"/>'
        )
    return "".join(parts)
