"""Retention by cohort: every figure is printed, the shade behind it only helps the eye."""

from collections.abc import Sequence

from markupsafe import Markup, escape

from patron.model.audiences import Cohort

_NAME, _CELL, _ROW = 150, 46, 28


def cohorts(rows: Sequence[Cohort], period: str) -> Markup:
    """One row a cohort, one column a period after the first; a period that is not over has no figure.

    The highest share has the darkest shade.

    >>> "12 Jan: 40 people, 20% after 1" in cohorts([Cohort("12 Jan", 40, (8,))], "week").replace("week ", "")
    True
    """
    most = max((len(row.back) for row in rows), default=0)
    highest = max((back / row.people for row in rows if row.people for back in row.back), default=0.0) or 1.0
    said = "; ".join(
        f"{row.start}: {row.people:,} people"
        + "".join(
            f", {_share(back, row.people)} after {period} {n}" for n, back in enumerate(row.back[:4], 1)
        )
        for row in rows[:6]
    )
    heads = "".join(
        f'<text x="{_NAME + n * _CELL + _CELL / 2:.0f}" y="14" text-anchor="middle">{n + 1}</text>'
        for n in range(most)
    )
    parts = [
        '<text x="0" y="14">First in</text>',
        f'<text x="{_NAME - 10}" y="14" text-anchor="end">People</text>{heads}',
    ]
    for number, row in enumerate(rows):
        y = 22 + number * _ROW
        parts.append(
            f'<text x="0" y="{y + 18}" class="ink">{escape(row.start)}</text>'
            f'<text x="{_NAME - 10}" y="{y + 18}" class="ink bold" text-anchor="end">{row.people:,}</text>'
        )
        for n, back in enumerate(row.back):
            x = _NAME + n * _CELL
            shade = back / row.people / highest if row.people else 0.0
            parts.append(
                f'<rect x="{x + 1}" y="{y}" width="{_CELL - 2}" height="{_ROW - 2}" rx="2" fill="var(--c1)" '
                f'fill-opacity="{shade * 0.3:.3f}"/>'
                f'<text x="{x + _CELL / 2:.0f}" y="{y + 18}" class="ink" text-anchor="middle">{_share(back, row.people)}</text>'
            )
    width, height = max(_NAME + most * _CELL, 320), 26 + len(rows) * _ROW
    label = escape(f"Retention by {period}. {said}")
    return Markup(  # noqa: S704 - numbers and escaped names
        f'<svg class="cohorts" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{label}">{"".join(parts)}</svg>'
    )


def _share(back: int, people: int) -> str:
    return f"{back / people:.0%}" if people else "-"
