"""The truth about what is planted in a world: associates, creatives, benefits, pain points and store faults (7.7).

Each function gives the rows of one truth file; effects are those at work, so they are zero in the `null` world.
"""

import math
from collections import Counter
from collections.abc import Iterator

import numpy as np

from patron.sim.engine.letters import creatives
from patron.sim.engine.state import Setting
from patron.sim.world.people import CHANNELS
from patron.sim.world.shops import associate

Row = dict[str, object]


def associates(setting: Setting, told: Counter[tuple[int, int, str]]) -> Iterator[Row]:
    """Each associate: skill and effects in log-odds of buying, and how many contacts were real and made up.

    `told` counts (store, associate, what) with what `contacts`, `follow_ups` or `false_contacts`.
    """
    a, effect, staff = setting.parameters.associates, setting.parameters.world.effect, setting.staff
    for n, store in enumerate(setting.geography.stores):
        for k in range(store.associates):
            skill = float(staff.born[n, k])
            yield {
                "associate": associate(store, 1 + k),
                "store": store.id,
                "skill": skill,
                "trained_on_day_of_quarter": int(staff.trained[n, k]),
                "contact_effect": effect * (a.effect + a.tablet + skill),
                "basket_effect": 1.0 + effect * (a.basket - 1.0),
                "follow_up_effect": effect * a.follow_up_impulse * (1.0 + skill),
                "interaction": effect * a.interaction,
                "games": staff.gaming.get(n) == k,
                **{what: told[n, k, what] for what in ("contacts", "follow_ups", "false_contacts")},
            }


def creative(setting: Setting) -> Iterator[Row]:
    """Each creative: what it adds to the impulse (of somebody who answers to the channel) and to the click rate, relative."""
    m, effect = setting.parameters.messages, setting.parameters.world.effect
    for channel, name in enumerate(CHANNELS):
        impulse, clicks = creatives(setting, channel)
        for k in range(m.creatives):
            yield {
                "channel": name,
                "creative": k,
                "impulse": effect * float(impulse[k]),
                "clicks": float(clicks[k]),
                "bait": k >= m.creatives - m.bait,
            }


def benefits(setting: Setting, said: Counter[str]) -> Iterator[Row]:
    """Each benefit at the kiosk: how many of those asked say who they are, what it costs for one; `said` counts them."""
    t = setting.parameters.touchpoints
    grid = np.linspace(-6.0, 6.0, 2401)
    weight = np.exp(-0.5 * grid**2)
    for name, pull in t.benefits.items():
        accepts = float((weight / (1.0 + np.exp(-(t.openness + pull + grid)))).sum() / weight.sum())
        cost = t.benefit_costs[name]
        yield {
            "benefit": name,
            "pull": pull,
            "accepts": accepts,
            "cost": cost,
            "identified": said[name],
        }


def points(setting: Setting) -> Iterator[Row]:
    """Pain points, brilliant points and store faults: where each is, what it does, and by how much."""
    pain, effect = setting.parameters.pain, setting.parameters.world.effect
    there = {store.id for store in setting.geography.stores}
    for number in pain.pick_up_stores:
        if f"S{number:02d}" in there:
            yield _point("pain", "pick_up_wait", f"S{number:02d}", "Reservation Abandoned", pain.pick_up_drop)
    yield _point("pain", "app_checkout", pain.app_version, "Checkout Failed", pain.checkout_failure)
    yield _point("pain", "coupon_refused", pain.coupon_country, "Coupon Denied", pain.coupon_refused)
    yield _point("brilliant", "try_on", "", "Appointment Kept", effect * pain.try_on)
    yield _point("brilliant", "review_request", "", "Review Submitted", effect * pain.review)
    sizes = {
        "traffic": math.exp(pain.traffic_fault) - 1.0,
        "evening": pain.evening_fault,
        "basket": pain.basket_fault - 1.0,
        "stock": pain.stock_fault,
    }
    for n, fault in sorted(setting.geography.faults.items()):
        yield _point("fault", fault, setting.geography.stores[n].id, "", sizes[fault])


def _point(kind: str, name: str, where: str, step: str, size: float) -> Row:
    return {"kind": kind, "name": name, "where": where, "step": step, "size": size}


def steps(counted: Counter[tuple[str, str, str]]) -> Iterator[Row]:
    """Each edge of the journeys: how often it was walked, and the share of those at its first step who did."""
    outs: Counter[tuple[str, str]] = Counter()
    for (journey, first, _), count in counted.items():
        outs[journey, first] += count
    for (journey, first, then), count in sorted(counted.items()):
        share = count / outs[journey, first]
        yield {"journey": journey, "from": first, "to": then, "count": count, "share": share}
