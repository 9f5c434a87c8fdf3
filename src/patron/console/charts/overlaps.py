"""Two groups of people on one scale: each its own bar, what they share under the same stretch of both."""

from markupsafe import Markup, escape

_WIDTH = 640


def overlap(first: str, second: str, only_first: int, both: int, only_second: int) -> Markup:
    """Two bars that lie over each other where the people are the same.

    >>> "2 in both" in overlap("A", "B", 3, 2, 1)
    True
    """
    every = max(only_first + both + only_second, 1)
    a, shared = only_first / every * _WIDTH, both / every * _WIDTH
    b = only_second / every * _WIDTH
    said = f"{only_first:,} people only in {first}, {both:,} in both, {only_second:,} only in {second}"
    band = f'<rect x="{a:.1f}" y="14" width="{shared:.1f}" height="68" fill="var(--sunk)"/>' if both else ""
    return Markup(  # noqa: S704 - numbers and escaped names
        f'<svg class="overlap" viewBox="0 0 {_WIDTH} 96" role="img" aria-label="{escape(said)}">{band}'
        f'<rect x="0" y="20" width="{a + shared:.1f}" height="24" rx="2" fill="var(--c1)"/>'
        f'<rect x="{a:.1f}" y="52" width="{shared + b:.1f}" height="24" rx="2" fill="var(--c3)"/>'
        f'<path d="M0 90.5H{_WIDTH}" stroke="var(--line)"/></svg>'
    )
