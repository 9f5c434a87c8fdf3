"""The world of a practice: the usual retailer, with its troubles in places that the seed names.

Where the generator plants something in a fixed place, a practice moves it, and makes it strong enough that a careful
look at the data finds it; the second practice is not the first.
"""

import datetime as dt

import msgspec
from msgspec import structs

from patron.sim.luck import Dice
from patron.sim.town import Town, make_town
from patron.sim.world.parameters import Parameters
from patron.sim.world.shops import COUNTRIES
from patron.sim.world.sizes import places
from patron.sim.world.worlds import merged, parameters, read

SIZES = ("XS", "S")
PRACTICE_LUCK = 1 << 44
"""Names the luck of what a practice moves."""
VERSIONS = ("4.0.9", "4.1.4", "4.1.6", "4.2.0", "4.2.1", "4.2.2", "4.3.1", "4.4.0")
"""Of the app, one of which cannot pay; none is a version that works."""


def overlay(seed: int, size: str) -> dict[str, dict[str, object]]:
    """The parameters that a practice sets over those of the default world.

    >>> overlay(1, "XS") == overlay(1, "XS"), overlay(1, "S")["pain"] == overlay(2, "S")["pain"]
    (True, False)
    """
    dice, stores = Dice(seed, PRACTICE_LUCK), len(places(size).stores)
    slow = sorted(drawn(dice, stores, 1 if size == "XS" else 3, "slow stores"))
    return {
        # more people leave than usual: somebody must be found who did
        "life": {"beta": 15.0},
        "pain": {
            "pick_up_stores": [number + 1 for number in slow],
            "pick_up_drop": round(dice.between(0.35, 0.5, "pick-up drop"), 3),
            "app_version": dice.pick(VERSIONS, "app version"),
            "app_version_share": 0.22,
            "checkout_failure": 0.40 if size == "XS" else 0.25,
            "coupon_country": dice.pick([country.code for country in COUNTRIES], "coupon country"),
            "coupon_refused": 0.45 if size == "XS" else 0.35,
            "evening_fault": -2.4 if size == "XS" else -1.5,
            "stock_fault": 0.35,
        },
    }


def drawn(dice: Dice, among: int, count: int, purpose: str) -> list[int]:
    """Some of the numbers from 0 on, each once, in the order in which they were drawn."""
    left = list(range(among))
    return [left.pop(dice.below(len(left), purpose, k)) for k in range(count)]


def faults(seed: int, size: str) -> dict[int, str]:
    """Index of a store -> its one fault, in stores that do not keep people waiting at pick-up."""
    dice, stores = Dice(seed, PRACTICE_LUCK), len(places(size).stores)
    slow = set(drawn(dice, stores, 1 if size == "XS" else 3, "slow stores"))
    free = [number for number in range(stores) if number not in slow]
    evening, empty = (free[at] for at in drawn(dice, len(free), 2, "faulty stores"))
    return {evening: "evening", empty: "stock"}


def practice_parameters(seed: int, size: str) -> Parameters:
    """All parameters of a practice: the default world with the overlay over it."""
    return read(merged(msgspec.to_builtins(parameters()), overlay(seed, size)))


def practice_town(seed: int, today: dt.date, size: str) -> Town:
    """The town of a practice. Raises ValueError as `make_town` does."""
    town = make_town(seed, today, size, given=practice_parameters(seed, size))
    geography = structs.replace(town.setting.geography, faults=faults(seed, size))
    return structs.replace(town, setting=structs.replace(town.setting, geography=geography))
