"""What may be decided for in a world: a catalogue made from what its retailer sells, and where it can speak.

A reminder of each category on every screen; a reminder and an offer of each category by each channel that messages go out
on; the creatives of each channel. An action is worth what the retailer earns on it.
"""

import json
from collections.abc import Iterator
from typing import Any

from patron.sim.engine.state import Setting
from patron.sim.world.catalogue import CATEGORIES, LIST_PRICES
from patron.sim.world.people import CALL, CHANNELS

SCREENS = {
    "web_home": ("Home page of the web shop", "web"),
    "app_home": ("Home screen of the app", "app"),
    "till": ("Till receipt", "pos"),
    "kiosk_home": ("Kiosk", "kiosk"),
    "associate_card": ("Card on the associate's tablet", "associate_tablet"),
}
"""Placement of somebody who came -> its name and channel."""
WRITTEN = CHANNELS[:CALL]
"""Channels that messages go out on; each is a placement of its name."""
SHOW = "show-"
"""Begins the ids of what is shown on screens; a category follows."""
REST_DAYS = 4
"""Days between two messages to one person."""
MESSAGES = 2.5
"""Messages that somebody who agreed to a channel gets in 30 days (set on seeds 1 to 3: docs/decisions/0021)."""
_DAY, _WEEK = 24, 7 * 24
_BASKET = 40.0
"""What an order is worth, EUR: that of the calibration."""


def catalogue(setting: Setting) -> str:
    """The catalogue of a world as TOML.

    >>> from patron.sim.world.geography import TOWN
    >>> from patron.sim.world.worlds import parameters
    >>> text = catalogue(Setting(1, parameters(), TOWN))
    >>> text.count("[[offer]]"), text.count("[[placement]]")
    (108, 11)
    """
    tables = [
        *(("offer", offer) for offer in _offers(setting)),
        *(("placement", place) for place in _placements()),
        ("cap", {"id": "messages", "limit": 1, "days": REST_DAYS, "outbound": True}),
    ]
    return "\n".join(_table(kind, row) for kind, row in tables) + _SCORING


def creative_place(channel: str) -> str:
    """The placement at which the creative of a message is asked for."""
    return f"{channel}_creative"


_SCORING = (
    "\n[scoring]\n"
    'formula = "propensity * value * weight * priority - cost - unsubscribe * unsubscribe_cost"\n'
    "unsubscribe_cost = 20\n"
    f"messages_a_month = {MESSAGES}\n"
)


def _offers(setting: Setting) -> Iterator[dict[str, Any]]:
    p = setting.parameters
    for name, price in zip(CATEGORIES, LIST_PRICES.tolist(), strict=True):
        yield {
            "id": SHOW + name,
            "name": f"{name.capitalize()}: due again",
            "placements": list(SCREENS),
            "value": round(p.buying.margin * price, 2),
            "content": {"category": name, "title": f"Is it time for {name}?"},
        }
    for k, channel in enumerate(WRITTEN):
        for name, price in zip(CATEGORIES, LIST_PRICES.tolist(), strict=True):
            for offer in (False, True):
                yield _message(setting, k, channel, name, price, offer=offer)
        for creative in range(p.messages.creatives):
            yield {
                "id": f"{channel}-creative-{creative}",
                "name": f"Creative {creative} by {channel}",
                "placements": [creative_place(channel)],
                "purpose": f"{channel}_marketing",
                "value": round(p.buying.margin * _BASKET, 2),
                "content": {"creative": creative},
            }


def _message(
    setting: Setting, k: int, channel: str, name: str, price: float, *, offer: bool
) -> dict[str, Any]:
    p = setting.parameters
    title = f"{p.buying.offer_discount:.0%} off {name}" if offer else f"Is it time for {name}?"
    return {
        "id": f"{channel}-{name}{'-offer' if offer else ''}",
        "name": f"{title} By {channel}",
        "placements": [channel],
        "purpose": f"{channel}_marketing",
        "value": round(p.buying.margin * _BASKET, 2),
        "cost": round(p.messages.costs[k] + offer * p.buying.offer_discount * price, 4),
        "content": {"category": name, "title": title, "offer": offer},
    }


def _placements() -> Iterator[dict[str, Any]]:
    for place, (name, channel) in SCREENS.items():
        yield {"id": place, "name": name, "channel": channel, "reward": "order", "window_hours": _DAY}
    for channel in WRITTEN:
        own = {"id": channel, "name": f"Message by {channel}", "channel": channel}
        yield {**own, "outbound": True, "reward": "order", "window_hours": _WEEK}
        yield {
            "id": creative_place(channel),
            "name": f"Creative by {channel}",
            "channel": channel,
            "reward": "order",
            "window_hours": _WEEK,
            "fill": True,
        }


def _table(kind: str, row: dict[str, Any]) -> str:
    return "\n".join([f"[[{kind}]]", *(f"{name} = {_toml(value)}" for name, value in row.items()), ""])


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{name} = {_toml(one)}" for name, one in value.items()) + " }"
    return json.dumps(value)
