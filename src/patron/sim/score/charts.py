"""Charts as SVG text: pure functions of numbers. Words stand in HTML beside them, so that they stay readable on a phone.

Every drawing stretches to the width it is given; strokes keep their own width.
"""

from collections.abc import Sequence


def _svg(kind: str, width: float, height: float, label: str, *shapes: str) -> str:
    return (
        f'<svg class="{kind}" viewBox="0 0 {width:g} {height:g}" preserveAspectRatio="none" role="img" '
        f'aria-label="{label}">{"".join(shapes)}</svg>'
    )


def _rect(x: float, y: float, width: float, height: float, look: str) -> str:
    return f'<rect class="{look}" x="{x:.3f}" y="{y:.3f}" width="{width:.3f}" height="{height:.3f}"/>'


def share(value: float, bar: float | None) -> str:
    """A share from 0 to 1 on a track, with a mark where its bar is.

    Parameters
    ----------
    value : 0 to 1; what lies outside is cut.
    bar : what it must reach, None when it has none.

    >>> 'class="good" x="0.000" y="3.000" width="95.000"' in share(0.95, 0.92)
    True
    """
    width = min(max(value, 0.0), 1.0) * 100
    look = "plain" if bar is None else "good" if value >= bar else "bad"
    shapes = [_rect(0, 3, 100, 8, "track"), _rect(0, 3, width, 8, look)]
    label = f"{value:.3f}"
    if bar is not None:
        label += f", to reach {bar:.3f}"
        shapes.append(f'<path class="tick" d="M{bar * 100:.3f} 0V14"/>')
    return _svg("share", 100, 14, label, *shapes)


def stack(parts: Sequence[tuple[str, int]], whole: int) -> str:
    """Counts side by side on a track whose full width is `whole`.

    Parameters
    ----------
    parts : (class of the drawing, count); a count of 0 is left out, any other is at least a hair wide.

    >>> stack([("good", 3), ("bad", 1)], 4).count("<rect")
    3
    """
    shapes, at = [_rect(0, 3, 100, 8, "track")], 0.0
    for look, count in parts:
        if count:
            width = max(count / whole * 100, 0.4)
            shapes.append(_rect(at, 3, width, 8, look))
            at += width
    return _svg("share", 100, 14, ", ".join(f"{count:,} {look}" for look, count in parts), *shapes)


def days(there: Sequence[int], here: Sequence[int], label: str) -> str:
    """Money by day: what should be there as a stepped line, what is there as bars; days that differ have a mark below.

    Parameters
    ----------
    there, here : one amount a day, of equal length; amounts below zero are drawn at zero.
    label : what the drawing says to those who cannot see it.

    >>> days([1, 2], [1, 3], "two days").count('class="off"')
    1
    """
    top, count = max([*there, *here, 1]), max(len(there), 1)
    shapes, steps = [], ["M0 92"]
    for at, (wanted, found) in enumerate(zip(there, here, strict=True)):
        height, wish = max(found, 0) / top * 88, 92 - max(wanted, 0) / top * 88
        shapes.append(_rect(at + 0.12, 92 - height, 0.76, height, "day"))
        steps.append(f"V{wish:.2f}H{at + 1}")
        if wanted != found:
            shapes.append(_rect(at + 0.12, 95, 0.76, 5, "off"))
    line = f'<path class="step" d="{"".join(steps)}V92"/>'
    return _svg("days", count, 100, label, *shapes, line, f'<path class="base" d="M0 92H{count}"/>')
