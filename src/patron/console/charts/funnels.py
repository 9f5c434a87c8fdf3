"""A funnel: bars from zero, each with how many came this far and what share of the step before went on."""

from collections.abc import Sequence

from markupsafe import Markup, escape

_WIDTH, _ROW, _NAMES = 640, 56, 210


def funnel(steps: Sequence[tuple[str, int]]) -> Markup:
    """Steps from top to bottom.

    Parameters
    ----------
    steps
        (name, people) in order; the first is the whole.

    >>> drawn = funnel([("Viewed", 200), ("Bought", 50)])
    >>> "Viewed 200, Bought 50 (25.0% of the step before)" in drawn
    True
    """
    whole = max((people for _, people in steps), default=0) or 1
    said, parts = [], []
    before: int | None = None
    for number, (name, people) in enumerate(steps):
        y = number * _ROW
        share = "" if not before else f"{people / before:.1%} of the step before"
        said.append(f"{name} {people:,}" + (f" ({share})" if share else ""))
        width = people / whole * (_WIDTH - _NAMES - 90)
        parts.append(
            f'<text x="0" y="{y + 24}" class="ink bold">{number + 1}. {escape(name[:28])}</text>'
            f'<rect x="{_NAMES}" y="{y + 6}" width="{width:.1f}" height="28" rx="2" fill="var(--c1)"/>'
            f'<text x="{_NAMES + width + 8:.1f}" y="{y + 24}" class="ink bold">{people:,}</text>'
        )
        if share:
            parts.append(f'<text x="0" y="{y + 42}">{share}</text>')
        before = people
    label = escape("Funnel: " + ", ".join(said))
    height = len(steps) * _ROW
    return Markup(  # noqa: S704 - numbers and escaped names
        f'<svg class="funnel" viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{label}">{"".join(parts)}</svg>'
    )
