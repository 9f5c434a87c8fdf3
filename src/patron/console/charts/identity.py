"""The identity graph: identifiers of a person and the links between them, numbered as in the list beside it.

The identifier with most accepted links stands in the middle; the others stand left and right of it in the order
of a walk along the links, so that what hangs together stands together. Links that do not count (refused, shared,
cut, proposed) are dashed and stand below.
"""

import math
from collections.abc import Sequence

from markupsafe import Markup, escape
from msgspec import Struct

from patron.console.words import label, plural
from patron.model.views import IdentifierView, LinkView

WIDTH = 460
_CENTRE = WIDTH / 2
_MOST = 14
_BOX = 26
_LIGHT = ("order_id:", "visit_id:")
_SIGNS = {"refused": "✕", "shared": "✕", "cut": "✂", "proposed": "?"}
_TONES = {
    "refused": "var(--bad)",
    "shared": "var(--bad)",
    "cut": "var(--warn)",
    "proposed": "var(--line-strong)",
}


class Place(Struct, frozen=True):
    """Where one identifier is drawn."""

    key: str
    x: float
    y: float
    tone: str
    dashed: bool = False
    centre: bool = False


def leaves(links: Sequence[LinkView]) -> set[str]:
    """Orders and visits that hang on one identifier: they join nobody, and there is one for every receipt.

    >>> LinkView("card:1", "order_id:9", "accepted", 0, "verified", 0, "", "", "", "") and leaves([])
    set()
    """
    near: dict[str, set[str]] = {}
    for link in links:
        if link.status == "accepted":
            near.setdefault(link.a, set()).add(link.b)
            near.setdefault(link.b, set()).add(link.a)
    return {key for key, others in near.items() if key.startswith(_LIGHT) and len(others) == 1}


def order_links(links: Sequence[LinkView]) -> tuple[list[LinkView], list[LinkView]]:
    """Accepted links in the order of their numbers, and the ones that do not count.

    Links that join what people have come first, then those of single orders and visits; each by time.
    """
    hanging = leaves(links)
    ranked = sorted(links, key=lambda link: (bool({link.a, link.b} & hanging), link.time, link.a, link.b))
    return (
        [link for link in ranked if link.status == "accepted"],
        [link for link in ranked if link.status != "accepted"],
    )


def identity_graph(name: str, identifiers: Sequence[IdentifierView], links: Sequence[LinkView]) -> Markup:
    """The graph as SVG.

    Parameters
    ----------
    name
        The person's name, for the label that is read aloud.
    identifiers
        All identifiers of the person.
    links
        Every link that touches them, of any status.

    Examples
    --------
    >>> ids = [IdentifierView(type="email", value="a@b.it", first_seen=0, last_seen=0)]
    >>> "joined by 0 links" in identity_graph("Anna", ids, [])
    True
    """
    accepted, others = order_links(links)
    keys = [f"{one.type}:{one.value}" for one in identifiers]
    hanging = leaves(links)
    walk = _walk([key for key in keys if key not in hanging] or keys, accepted)
    shown = walk[:_MOST]
    left_out = len(keys) - len(shown)
    below = _outside(others, set(keys))[:2]
    places, height = _places(shown, below, others)
    height += 20 if left_out else 0
    parts = [_open(name, keys, accepted, others, height)]
    parts += [_edge(places, link, str(number)) for number, link in enumerate(accepted, 1)]
    parts += [_edge(places, link, _SIGNS.get(link.status, "?")) for link in _drawn_below(others, below)]
    parts += [_box(place) for place in places.values()]
    parts += [_badge(places, link, str(number)) for number, link in enumerate(accepted, 1)]
    parts += [_badge(places, link, _SIGNS.get(link.status, "?")) for link in _drawn_below(others, below)]
    if left_out:
        parts.append(
            f'<text x="{_CENTRE}" y="{height - 5:.0f}" text-anchor="middle">'
            f"{plural(left_out, 'identifier hangs', 'identifiers hang')} on one of these: see the list</text>"
        )
    return Markup("".join(parts) + "</svg>")  # noqa: S704 - every text is escaped in _open and _box


def _walk(keys: Sequence[str], accepted: Sequence[LinkView]) -> list[str]:
    """Keys depth first along accepted links, from the best connected one."""
    near: dict[str, list[str]] = {key: [] for key in keys}
    for link in accepted:
        if link.a in near and link.b in near:
            near[link.a].append(link.b)
            near[link.b].append(link.a)
    seen: list[str] = []
    waiting = sorted(near, key=lambda key: (len(near[key]), key), reverse=False)
    while waiting:
        key = waiting.pop()
        if key in seen:
            continue
        seen.append(key)
        waiting += [
            other
            for other in sorted(near[key], key=lambda k: (len(near[k]), k), reverse=True)
            if other not in seen
        ]
    return seen


def _outside(others: Sequence[LinkView], inside: set[str]) -> list[str]:
    """Identifiers that do not belong to the person but were seen with them."""
    found: list[str] = []
    for link in others:
        found += [key for key in (link.a, link.b) if key not in inside and key not in found]
    return found


def _drawn_below(others: Sequence[LinkView], below: Sequence[str]) -> list[LinkView]:
    drawn: dict[str, LinkView] = {}
    for link in others:
        for key in (link.a, link.b):
            if key in below and key not in drawn:
                drawn[key] = link
    return list(drawn.values())


def _places(
    shown: Sequence[str], below: Sequence[str], links: Sequence[LinkView]
) -> tuple[dict[str, Place], float]:
    around = list(shown[1:])
    half = math.ceil(len(around) / 2)
    right, left = around[:half], around[half:]
    body = max(150, 62 * max(len(right), len(left), 1) + 10)
    middle = body / 2 + 4
    places: dict[str, Place] = {}
    for side, group in ((1, right), (-1, left)):
        for index, key in enumerate(group):
            spread = 0.0 if len(group) == 1 else (index / (len(group) - 1) - 0.5) * 2
            x = _CENTRE + side * 152 * math.cos(spread * 0.62)
            places[key] = Place(key, x, middle + spread * (body / 2 - 20), "var(--accent)")
    if shown:
        places[shown[0]] = Place(shown[0], _CENTRE, middle, "var(--accent)", centre=True)
    height = body + 8
    for index, key in enumerate(sorted(below, key=lambda key: _inside_x(key, links, places))):
        height = body + 58
        x = _CENTRE if len(below) == 1 else 116 + index * 228
        places[key] = Place(key, x, body + 40, "var(--line-strong)", dashed=True)
    return places, height


def _inside_x(outsider: str, links: Sequence[LinkView], places: dict[str, Place]) -> float:
    """Where across the picture the identifier stands with which an outsider was seen."""
    ends = [key for link in links if outsider in {link.a, link.b} for key in (link.a, link.b)]
    return next((places[key].x for key in ends if key in places), _CENTRE)


def _open(
    name: str, keys: Sequence[str], accepted: Sequence[LinkView], others: Sequence[LinkView], height: float
) -> str:
    text = (
        f"Identity graph of {name[:80]}: {plural(len(keys), 'identifier')} joined by {plural(len(accepted), 'link')}, "
        f"{plural(len(others), 'link')} without effect. The list beside it gives each link."
    )
    return f'<svg class="idg" viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-label="{escape(_visible(text))}">'


def _ends(places: dict[str, Place], link: LinkView) -> tuple[Place, Place] | None:
    a, b = places.get(link.a), places.get(link.b)
    return (a, b) if a and b else None


def _middle(places: dict[str, Place], a: Place, b: Place) -> tuple[float, float]:
    """The middle of a link; it bends towards the centre round an identifier that stands between its ends."""
    x, y = (a.x + b.x) / 2, (a.y + b.y) / 2
    low, high = sorted((a.y, b.y))
    right = a.x > _CENTRE
    between = any(
        low < place.y < high and (place.x > _CENTRE) == right for place in places.values() if not place.centre
    )
    same_side = not a.centre and not b.centre and (b.x > _CENTRE) == right
    if same_side and between and not (a.dashed or b.dashed):
        x += -58 if right else 58
    return x, y


def _tone(link: LinkView) -> str:
    return _TONES.get(link.status, "var(--accent)")


def _edge(places: dict[str, Place], link: LinkView, _sign: str) -> str:
    ends = _ends(places, link)
    if ends is None:
        return ""
    a, b = ends
    x, y = _middle(places, a, b)
    bend_x, bend_y = 2 * x - (a.x + b.x) / 2, 2 * y - (a.y + b.y) / 2
    dash = "" if link.status == "accepted" else ' stroke-dasharray="4 4"'
    return (
        f'<path d="M{a.x:.1f} {a.y:.1f}Q{bend_x:.1f} {bend_y:.1f} {b.x:.1f} {b.y:.1f}" fill="none" '
        f'stroke="{_tone(link)}" stroke-width="1.5"{dash}/>'
    )


def _badge(places: dict[str, Place], link: LinkView, sign: str) -> str:
    ends = _ends(places, link)
    if ends is None:
        return ""
    x, y = _middle(places, *ends)
    outsider = next((place for place in ends if place.dashed), None)
    if outsider is not None:
        inside = ends[0] if outsider is ends[1] else ends[1]
        near = min(0.5, 30 / max(math.dist((inside.x, inside.y), (outsider.x, outsider.y)), 1))
        x, y = outsider.x + (inside.x - outsider.x) * near, outsider.y + (inside.y - outsider.y) * near
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="9" fill="var(--surface)" stroke="{_tone(link)}"/>'
        f'<text x="{x:.1f}" y="{y + 4:.1f}" text-anchor="middle" class="ink bold tiny">{sign}</text>'
    )


def _box(place: Place) -> str:
    text = label(place.key, 19)
    width = min(max(7 * len(text) + 18, 56), 148)
    x = min(max(place.x - width / 2, 1), WIDTH - width - 1)
    dash = ' stroke-dasharray="4 4"' if place.dashed else ""
    fill = "var(--accent)" if place.centre else "var(--surface)"
    look = "on bold" if place.centre else "ink"
    return (
        f'<rect x="{x:.1f}" y="{place.y - _BOX / 2:.1f}" width="{width}" height="{_BOX}" rx="4" fill="{fill}" '
        f'stroke="{place.tone}"{dash}/>'
        f'<text x="{x + width / 2:.1f}" y="{place.y + 4:.1f}" text-anchor="middle" class="{look}">'
        f"{escape(_visible(text))}</text>"
    )


def _visible(text: str) -> str:
    """Text without characters that XML refuses or that turn the reading direction."""
    return "".join(char if char.isprintable() else "�" for char in text)


__all__ = ["Place", "identity_graph", "order_links"]
