"""Bars that start at zero."""

from collections.abc import Sequence

from markupsafe import Markup


def bar(share: float, *, ours: bool = False) -> Markup:
    """One horizontal bar, `share` (0 to 1) of its width.

    >>> 'width="62.0"' in bar(0.62)
    True
    """
    width = min(max(share, 0.0), 1.0) * 100
    fill = "var(--accent)" if ours else "var(--c0)"
    return Markup(  # noqa: S704 - numbers and our own constants only
        '<svg class="hbar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect width="{width:.1f}" height="6" rx="1" fill="{fill}"/></svg>'
    )


def swatch(series: str) -> Markup:
    """A small square in the colour of a series (`c1` to `c5`), beside its name.

    >>> "--c3" in swatch("c3")
    True
    """
    return Markup(  # noqa: S704 - our own constants only
        '<svg class="ico" viewBox="0 0 16 16" aria-hidden="true">'
        f'<rect x="2" y="2" width="12" height="12" rx="2" fill="var(--{series})" stroke="none"/></svg>'
    )


def hours(today: Sequence[int], before: Sequence[int], hour: int) -> Markup:
    """Counts by hour: today filled, the same day last week outlined for the hours still to come.

    Parameters
    ----------
    today, before
        24 counts each; `before` may be empty.
    hour
        The present hour, 0 to 23.
    """
    known = list(today[: hour + 1])
    rest = list(before[hour + 1 :])
    top = max([*known, *rest, 1])
    head = (
        '<svg class="hours" viewBox="0 0 280 96" role="img" '
        f'aria-label="Decisions by hour today: {sum(known):,} until {hour}:59, most in one hour {max([*known, 0]):,}">'
        '<path d="M0 76.5H280" stroke="var(--line)"/>'
    )
    parts = [head]
    for index, number in enumerate([*known, *rest]):
        height = number / top * 68
        look = (
            'fill="var(--c1)"'
            if index <= hour
            else 'fill="none" stroke="var(--line-strong)" stroke-dasharray="2 2"'
        )
        parts.append(
            f'<rect x="{index * 11.7:.1f}" y="{76 - height:.1f}" width="8.6" height="{height:.1f}" {look}/>'
        )
    middle = min(max(hour * 11.7 + 4, 14), 264)
    labels = [f'<text x="{middle:.0f}" y="92" class="ink" text-anchor="middle">{hour}:00</text>']
    if middle > 60:
        labels.append('<text x="0" y="92">0:00</text>')
    if middle < 220:
        labels.append('<text x="280" y="92" text-anchor="end">24:00</text>')
    return Markup("".join([*parts, *labels, "</svg>"]))  # noqa: S704 - numbers and our own constants only
