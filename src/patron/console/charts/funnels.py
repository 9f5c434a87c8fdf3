"""A funnel: bars from zero, each with how many came this far and what share of the step before went on."""

from collections.abc import Sequence

from markupsafe import Markup, escape


def funnel(steps: Sequence[tuple[str, int]]) -> Markup:
    """Steps from top to bottom, as a list: its words keep their size and wrap, only the bars fill the width.

    Parameters
    ----------
    steps
        (name, people) in order; the first is the whole.

    >>> "25.0% of the step before" in funnel([("Viewed", 200), ("Bought", 50)])
    True
    """
    whole = max((people for _, people in steps), default=0) or 1
    rows = []
    before: int | None = None
    for number, (name, people) in enumerate(steps, 1):
        share = f"<small>{people / before:.1%} of the step before</small>" if before else ""
        rows.append(
            f'<li><p><span class="b">{number}. {escape(name)}</span>{share}</p>'
            '<svg viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">'
            f'<rect width="{people / whole * 100:.1f}" height="6" fill="var(--c1)"/></svg>'
            f'<span class="b r">{people:,}<span class="vh"> people</span></span></li>'
        )
        before = people
    return Markup(  # noqa: S704 - numbers and escaped names
        f'<ol class="funnel">{"".join(rows)}</ol>'
    )
