"""The lift glyph: zero, the interval, the dot. No colour before a verdict."""

from markupsafe import Markup

_LOOK = {"up": "var(--up)", "down": "var(--down)"}


def lift(value: float, low: float, high: float, verdict: str, reach: float = 0.0) -> Markup:
    """An effect and its interval against zero.

    Parameters
    ----------
    value, low, high
        Relative changes: 0.1 is 10 %.
    verdict
        `up`, `down`, `none` or `early`; the last is dashed and hollow.
    reach
        The change at both ends of the line, where several stand below each other; its own without.
    """
    ends = max(abs(low), abs(high), reach, 0.001) * 1.15
    x, a, b = (120 + number / ends * 112 for number in (value, low, high))
    colour = _LOOK.get(verdict, "var(--ink2)")
    dash = ' stroke-dasharray="3 3"' if verdict == "early" else ""
    dot = "var(--surface)" if verdict == "early" else colour
    label = f"{value * 100:+.1f}%, interval {low * 100:+.1f}% to {high * 100:+.1f}%"
    return Markup(  # noqa: S704 - numbers and our own constants only
        f'<svg class="lift" viewBox="0 0 240 24" width="240" height="24" role="img" aria-label="{label}">'
        '<path d="M120 2v20" stroke="var(--line-strong)"/>'
        f'<path d="M{a:.1f} 12H{b:.1f}" stroke="{colour}" stroke-width="2.5"{dash}/>'
        f'<path d="M{a:.1f} 8v8M{b:.1f} 8v8" stroke="{colour}" stroke-width="1.5"/>'
        f'<circle cx="{x:.1f}" cy="12" r="4.5" fill="{dot}" stroke="{colour}" stroke-width="2"/></svg>'
    )
