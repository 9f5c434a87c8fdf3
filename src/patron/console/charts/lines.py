"""One line over time. The axis says where it begins when it does not begin at zero."""

from collections.abc import Sequence

from markupsafe import Markup, escape

_WIDTH, _HEIGHT = 280, 72


def bounds(values: Sequence[int]) -> tuple[int, int]:
    """Where an axis begins and ends: at zero, or at a round number when all values lie far from it.

    >>> bounds([5120, 6248]), bounds([0, 7]), bounds([])
    ((5000, 7000), (0, 7), (0, 1))
    """
    if not values:
        return 0, 1
    low, high = min(values), max(values)
    if low <= high / 2:
        return 0, max(high, 1)
    step = 10 ** max(len(str(high)) - 1, 0)
    begin = low // step * step
    end = -(-high // step) * step
    return (begin - step if begin == low else begin), (end + step if end == high else end)


def line(values: Sequence[int], labels: Sequence[str], what: str) -> Markup:
    """Values from left to right, named at both ends.

    Parameters
    ----------
    values
        At least two.
    labels
        What stands below each value; the first and the last are drawn.
    what
        Of what, for the label that is read aloud: `Members by week`.

    >>> "Members by week, from 2 on 1 May to 5 on 8 May" in line([2, 5], ["1 May", "8 May"], "Members by week")
    True
    """
    low, high = bounds(values)
    reach = max(high - low, 1)
    step = _WIDTH / max(len(values) - 1, 1)
    points = [(i * step, _HEIGHT - (v - low) / reach * _HEIGHT) for i, v in enumerate(values)]
    said = f"{what}, from {values[0]:,} on {labels[0]} to {values[-1]:,} on {labels[-1]}"
    drawn = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    grid = "".join(f"M0 {y:.1f}H{_WIDTH}" for y in (0.5, _HEIGHT / 2 + 0.5, _HEIGHT + 0.5))
    x, y = points[-1]
    return Markup(  # noqa: S704 - numbers, our own constants, and escaped labels
        f'<svg class="line" viewBox="0 -14 {_WIDTH} 106" role="img" aria-label="{escape(said)}">'
        f'<path d="{grid}" stroke="var(--line)"/><polyline points="{drawn}" fill="none" stroke="var(--c1)" stroke-width="2"/>'
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="var(--c1)"/>'
        f'<text x="0" y="-4">{high:,}</text>'
        f'<text x="{_WIDTH}" y="{max(y - 8, -4):.1f}" class="ink bold" text-anchor="end">{values[-1]:,}</text>'
        f'<text x="0" y="90">{escape(labels[0])}</text>'
        f'<text x="{_WIDTH}" y="90" text-anchor="end">{escape(labels[-1])}</text></svg>'
    )
