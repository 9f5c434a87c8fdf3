"""Values by day. The drawing stretches to its column; what is read stands beside it as text, so it never shrinks."""

from collections.abc import Sequence

from markupsafe import Markup, escape

_HEIGHT = 100
_SLOT = 10


def stacked(parts: Sequence[tuple[float, float]], said: str) -> Markup:
    """A bar a day, from zero: what showed something filled, the rest on it in grey.

    Parameters
    ----------
    parts
        (showed something, showed nothing) of each day.
    said
        The finding, for the label that is read aloud.

    >>> stacked([(3, 1), (0, 0)], "4 decisions").count("<rect")
    2
    """
    top = max((a + b for a, b in parts), default=0) or 1
    drawn = []
    for index, (shown, nothing) in enumerate(parts):
        lower, upper = shown / top * _HEIGHT, nothing / top * _HEIGHT
        for height, base, fill in ((lower, 0.0, "var(--c1)"), (upper, lower, "var(--c0)")):
            if height:
                drawn.append(
                    f'<rect x="{index * _SLOT + 1}" y="{_HEIGHT - base - height:.1f}" width="{_SLOT - 2}" height="{height:.1f}" fill="{fill}"/>'
                )
    return _framed(len(parts), said, "".join(drawn))


def steps(values: Sequence[float | None], said: str) -> Markup:
    """A level for each day, joined; a day that has no value leaves a gap. The axis starts at zero, or below it.

    >>> steps([0.5, None, 1.0], "x").count("M")
    3
    """
    known = [value for value in values if value is not None]
    low, high = min([0.0, *known]), max([0.0, *known])
    reach = (high - low) or 1.0
    path, joined = [], False
    for index, value in enumerate(values):
        if value is None:
            joined = False
            continue
        y = _HEIGHT - (value - low) / reach * _HEIGHT
        path.append(f"{'L' if joined else 'M'}{index * _SLOT} {y:.1f}H{(index + 1) * _SLOT}")
        joined = True
    line = f'<path d="{"".join(path)}" fill="none" stroke="var(--c1)" stroke-width="2" vector-effect="non-scaling-stroke"/>'
    zero = _HEIGHT + low / reach * _HEIGHT
    return _framed(len(values), said, line, zero)


def interval(low: float, value: float, high: float, ends: tuple[float, float], mark: float | None) -> Markup:
    """An interval on a scale that others share, its value, and a dashed mark to compare with.

    >>> 'aria-hidden="true"' in interval(0.1, 0.2, 0.3, (0, 1), 0.25)
    True
    """
    reach = (ends[1] - ends[0]) or 1.0
    a, x, b = (2 + 96 * min(max((v - ends[0]) / reach, 0.0), 1.0) for v in (low, value, high))
    still = 'vector-effect="non-scaling-stroke"'
    dashed = ""
    if mark is not None:
        at = 2 + 96 * min(max((mark - ends[0]) / reach, 0.0), 1.0)
        dashed = f'<path d="M{at:.1f} 0V20" stroke="var(--line-strong)" stroke-dasharray="3 3" {still}/>'
    return Markup(  # noqa: S704 - numbers and our own constants only
        f'<svg class="span" viewBox="0 0 100 20" preserveAspectRatio="none" aria-hidden="true">{dashed}'
        f'<path d="M{a:.1f} 10H{b:.1f}M{a:.1f} 6V14M{b:.1f} 6V14" stroke="var(--ink2)" stroke-width="2" {still}/>'
        f'<path d="M{x:.1f} 4V16" stroke="var(--c1)" stroke-width="4" {still}/></svg>'
    )


def _framed(count: int, said: str, inside: str, zero: float = _HEIGHT) -> Markup:
    wide = max(count, 1) * _SLOT
    return Markup(  # noqa: S704 - numbers, our own constants, and an escaped label
        f'<svg class="days" viewBox="0 -2 {wide} {_HEIGHT + 4}" preserveAspectRatio="none" role="img" aria-label="{escape(said)}">'
        f'<path d="M0 {zero:.1f}H{wide}" stroke="var(--line-strong)" vector-effect="non-scaling-stroke"/>{inside}</svg>'
    )
