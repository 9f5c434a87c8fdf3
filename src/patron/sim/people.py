"""Who lives in the town: households, and the numbers that drive each person (SIMULATOR.md 7.3 and 7.4).

A person's number is `household * 4 + place in it`, and every parameter is a draw named by that number. So the
same person lives the same life in a town of 400 and in one of 400,000, and in any subset of either.
"""

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from patron.sim.catalogue import CATEGORIES, CYCLES
from patron.sim.luck import Dice, Floats, Ints, Luck
from patron.sim.shops import COUNTRY_WEIGHTS, STORES_OF

Flags = NDArray[np.bool_]

HOUSE = 1 << 40
"""Added to a household's number, so that its luck is not its first member's."""
FOREVER = 1 << 40
ROOM = 4
"""The largest household."""
CARD = 0.55
"""Share of people with a loyalty card."""
CARD_NAMED = 0.70
"""Share of cards whose holder gave an address when enrolling."""
CRM = 0.60
"""Share of people in the customer records."""
APP = 0.35
STORE_TASTE = 2.25
"""Mean liking of stores: 2.35, less the usual pull of rain (.35 on three days in ten), as there is no weather yet."""
CONSENT: dict[str, float] = {
    "email_marketing": 0.72,
    "personalization": 0.70,
    "sms_marketing": 0.48,
    "push_marketing": 0.60,
    "location": 0.45,
}
"""Purpose -> share of people who agree when they are asked."""
_SIZES = (0.45, 0.75, 0.90, 1.0)


class Population(Struct):
    """The parameters of n people; every field has n rows. Names as in the equations of 7.3 and 7.4."""

    ids: Ints
    household: Ints
    country: Ints
    home: Ints
    """Index of the store they go to."""
    alpha: Floats
    """Log of the visits a day when nothing is needed."""
    tau: Floats
    """Own cycle of each category, days: (n, 12)."""
    adopts: Flags
    """Whether they use the category at all: (n, 12)."""
    taste: Floats
    """Liking of store, web, app: (n, 3); the app is out of reach unless installed."""
    app: Flags
    size: Floats
    """How much they buy at once, 1 for an ordinary person."""
    ps: Floats
    """Price sensitivity."""
    leaving: Floats
    """Chance of never coming back after a purchase."""
    irritable: Floats
    reach: Floats
    """Response to e-mail (r of 7.4)."""
    mail: Flags
    """Whether they agreed to e-mails and the shop has an address."""
    until: Ints
    """Last day of the history on which they come; far away for nearly everybody."""

    def __len__(self) -> int:
        return len(self.ids)


def household_size(seed: int, household: int) -> int:
    """1 to 4 people, with shares .45, .30, .15, .10."""
    return 1 + Dice(seed, HOUSE + household).choice(_SIZES, "size")


def members(seed: int, households: range, sizes: dict[int, int]) -> Ints:
    """The numbers of all people of these households; `sizes` overrides the drawn size of some."""
    return np.array(
        [
            house * ROOM + place
            for house in households
            for place in range(sizes.get(house) or household_size(seed, house))
        ],
        dtype=np.int64,
    )


def _home(houses: Luck, country: Ints) -> Ints:
    stores = np.array(STORES_OF)
    second = (houses.uniform(0, "store") < 0.42).astype(np.int64)
    chosen: Ints = stores[country, second]
    return chosen


def _reach(luck: Luck) -> Floats:
    kind = luck.uniform(0, "channel class")
    base = np.where(kind < 0.30, 0.85, np.where(kind < 0.75, 0.06, 0.02))
    reach: Floats = base * np.exp(0.30 * luck.normal(0, "reach"))
    return reach


def _listed(luck: Luck) -> Flags:
    """Whether the shop has an address to write to: from the loyalty file or the customer records."""
    named = (luck.uniform(0, "card") < CARD) & (luck.uniform(0, "card named") < CARD_NAMED)
    return named | (luck.uniform(0, "crm") < CRM)


def _beta_1_60(u: Floats) -> Floats:
    draw: Floats = 1.0 - (1.0 - u) ** (1.0 / 60.0)
    return draw


def populate(seed: int, ids: Ints) -> Population:
    """Draw the parameters of these people; each row depends on the seed and its own number only."""
    luck, household = Luck(seed, ids), ids // ROOM
    houses, n_categories = Luck(seed, household + HOUSE), len(CATEGORIES)
    country = np.searchsorted(np.array(COUNTRY_WEIGHTS), houses.uniform(0, "country"), side="right")
    app = luck.uniform(0, "app") < APP
    taste = luck.normal(0, "taste", 3) * np.array([0.8, 0.8, 0.7]) + np.array([STORE_TASTE, 0.0, 0.0])
    return Population(
        ids=ids,
        household=household,
        country=country.astype(np.int64),
        home=_home(houses, country),
        alpha=-2.75 + 0.55 * luck.normal(0, "alpha"),
        tau=CYCLES * np.exp(0.30 * luck.normal(0, "tau", n_categories)),
        adopts=luck.uniform(0, "adopts", n_categories) < 0.38,
        taste=np.where(np.array([False, False, True]) & ~app[:, None], -np.inf, taste),
        app=app,
        size=np.exp(0.45 * luck.normal(0, "size")),
        ps=np.exp(0.40 * luck.normal(0, "price sensitivity")),
        leaving=_beta_1_60(luck.uniform(0, "leaving")) / 4.0,
        irritable=np.exp(-0.4 + 0.5 * luck.normal(0, "irritable")),
        reach=_reach(luck),
        until=np.full(len(ids), FOREVER, dtype=np.int64),
        mail=(luck.uniform(0, "consent email") < CONSENT["email_marketing"]) & _listed(luck),
    )
