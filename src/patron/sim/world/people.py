"""Who lives in the town: households, and the numbers that drive each person (SIMULATOR.md 7.3 and 7.4).

A person's number is `household * 4 + place in it`, and every parameter is a draw named by that number. So the
same person lives the same life in a town of 400 and in one of 400,000, and in any subset of either.
"""

import math

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from patron.sim.luck import Dice, Floats, Ints, Luck
from patron.sim.world.catalogue import CATEGORIES, CYCLES
from patron.sim.world.geography import Geography
from patron.sim.world.parameters import Parameters
from patron.sim.world.shops import COUNTRY_WEIGHTS

Flags = NDArray[np.bool_]

HOUSE = 1 << 40
"""Added to a household's number, so that its luck is not its first member's."""
FOREVER = 1 << 40
PROSPECTS = 1 << 19
"""Households from this number on are no customers at the start. Numbers of people stay below 2^22: ids are made of them."""
ROOM = 4
"""The largest household."""
EMAIL, SMS, PUSH, CALL = 0, 1, 2, 3
CHANNELS = ("email", "sms", "push", "call")
"""The ways to write to somebody, in the order of every array with four columns."""
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
    annoyed: Flags
    """Whom reminders put off instead (perverse world)."""
    kind: Ints
    """The channel they answer to: an index of `CHANNELS`, 4 = none."""
    reach: Floats
    """Response to each channel (r of 7.4): (n, 4)."""
    hour: Floats
    """Local hour at which a message does most."""
    agreed: Flags
    """What they agree to receive and the shop can send, at the start: (n, 4)."""
    listed: Flags
    """Whether the shop has an address of theirs to write to."""
    profiled: Flags
    """Whether they agree to personalization, at the start."""
    located: Flags
    """Whether the app on their phone may tell the shop where they are."""
    receipts: Flags
    """Whether they have receipts sent by e-mail instead of showing a card."""
    prospect: Flags
    """No customer at the start."""
    intent: Floats
    """How near a prospect is to coming anyway (z of 7.4)."""
    near: Flags
    """Whether they live near a store."""
    susceptible: Floats
    """How much ads move them."""
    until: Ints
    """Last day of the history on which they come; far away for nearly everybody."""

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, rows: Ints) -> "Population":
        """Some of the people."""
        return Population(*(getattr(self, name)[rows] for name in self.__struct_fields__))


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


def crowd(seed: int, count: int, first: int = 0, sizes: dict[int, int] | None = None) -> Ints:
    """The numbers of the first `count` people of the households from `first` on.

    >>> crowd(7, 3).tolist() == crowd(7, 5).tolist()[:3]
    True
    """
    found, house = list[int](), first
    while len(found) < count:
        found += members(seed, range(house, house + 1), sizes or {}).tolist()
        house += 1
    return np.array(found[:count], dtype=np.int64)


def populate(seed: int, ids: Ints, p: Parameters, geography: Geography) -> Population:
    """Draw the parameters of these people; each row depends on the seed and its own number only."""
    luck, household = Luck(seed, ids), ids // ROOM
    houses, n_categories = Luck(seed, household + HOUSE), len(CATEGORIES)
    country = np.searchsorted(np.array(COUNTRY_WEIGHTS), houses.uniform(0, "country"), side="right")
    app = luck.uniform(0, "app") < p.channels.app
    kind = np.searchsorted(np.cumsum(p.messages.classes), luck.uniform(0, "channel class"), side="right")
    alpha_z = luck.normal(0, "alpha")
    return Population(
        ids=ids,
        household=household,
        country=country.astype(np.int64),
        home=_home(houses, country, geography),
        alpha=p.visits.alpha_mean + p.visits.alpha_spread * alpha_z,
        tau=CYCLES * np.exp(p.needs.cycle_spread * luck.normal(0, "tau", n_categories)),
        adopts=luck.uniform(0, "adopts", n_categories) < p.needs.adoption,
        taste=tastes(luck, p, app, "taste"),
        app=app,
        size=np.exp(p.buying.size_spread * luck.normal(0, "size")),
        ps=np.exp(p.buying.price_sensitivity_spread * luck.normal(0, "price sensitivity")),
        leaving=(1.0 - (1.0 - luck.uniform(0, "leaving")) ** (1.0 / p.life.beta)) / p.life.divisor,
        irritable=np.exp(
            p.messages.irritable_mean + p.messages.irritable_spread * luck.normal(0, "irritable")
        ),
        annoyed=luck.uniform(0, "annoyed") < p.messages.annoyed,
        kind=kind.astype(np.int64),
        reach=reaches(luck, p, kind, "reach"),
        hour=8.0 + 14.0 * luck.uniform(0, "best hour"),
        agreed=_agreed(luck, p, country, app, alpha_z),
        listed=_listed(luck, p),
        profiled=_agrees(luck, p, country, alpha_z, "personalization", p.consent.personalization),
        located=app & _agrees(luck, p, country, alpha_z, "location", p.consent.location),
        receipts=_receipts(luck, p, household),
        prospect=household >= PROSPECTS,
        intent=luck.normal(0, "intent"),
        near=houses.uniform(0, "near") < 0.4,
        susceptible=_susceptible(luck, p),
        until=np.full(len(ids), FOREVER, dtype=np.int64),
    )


def tastes(luck: Luck, p: Parameters, app: Flags, purpose: str) -> Floats:
    """Liking of store, web, app: (n, 3)."""
    drawn = np.array(p.channels.taste_mean) + luck.normal(0, purpose, 3) * np.array(p.channels.taste_spread)
    liking: Floats = np.where(np.array([False, False, True]) & ~app[:, None], -np.inf, drawn)
    return liking


def reaches(luck: Luck, p: Parameters, kind: Ints, purpose: str) -> Floats:
    """Response to each channel: high in the own one, low in the others, nearly nothing for those who answer to none."""
    m = p.messages
    base = np.where(np.arange(4) == kind[:, None], m.own, m.other)
    base = np.where((kind == 4)[:, None], m.none, base)
    drawn: Floats = base * np.exp(m.reach_spread * luck.normal(0, purpose, 4))
    return drawn


def _susceptible(luck: Luck, p: Parameters) -> Floats:
    """Ads move those who were not coming anyway: max(0, a + b f + c z)."""
    base, trait, intent = p.prospects.susceptible
    moved: Floats = np.maximum(
        0.0, base + trait * luck.normal(0, "trait") + intent * luck.normal(0, "intent")
    )
    return moved


def _home(houses: Luck, country: Ints, geography: Geography) -> Ints:
    chosen, u = np.zeros(len(country), dtype=np.int64), houses.uniform(0, "store")
    for n, (stores, shares) in enumerate(geography.by_country):
        here = country == n
        chosen[here] = stores[np.searchsorted(shares, u[here], side="right")]
    return chosen


def _agreed(luck: Luck, p: Parameters, country: Ints, app: Flags, alpha_z: Floats) -> Flags:
    """Who may be written to. The purposes are drawn by name, as `identities.dossier` draws them for what people say."""
    listed = _listed(luck, p)
    asked = [
        _agrees(luck, p, country, alpha_z, name, share)
        for name, share in zip(
            CHANNELS, (p.consent.email, p.consent.sms, p.consent.push, p.consent.call), strict=True
        )
    ]
    found: Flags = np.stack(
        [asked[EMAIL] & listed, asked[SMS] & listed, asked[PUSH] & app, asked[CALL] & listed], axis=1
    )
    return found


def _agrees(luck: Luck, p: Parameters, country: Ints, alpha_z: Floats, purpose: str, share: float) -> Flags:
    """Who agrees to a purpose when asked."""
    shift = np.array(p.consent.country_shift)[country]
    agreed: Flags = luck.uniform(0, f"consent {purpose}") < consenting(share, shift, p.world.mix * alpha_z)
    return agreed


def _receipts(luck: Luck, p: Parameters, household: Ints) -> Flags:
    """Who has receipts sent: some of those without a card, and every newcomer."""
    carded = luck.uniform(0, "card") < p.identity.card
    sent: Flags = (~carded & (luck.uniform(0, "receipts") < p.identity.receipts)) | (household >= PROSPECTS)
    return sent


def consenting(share: float, shift: Floats, skew: Floats) -> Floats:
    """The chance to agree: a share, moved by country, and (simpson world) lower for those who buy much."""
    base = np.clip(share + shift, 0.01, 0.99)
    found: Floats = base / (base + (1.0 - base) * np.exp(1.5 * skew))
    return found


def consent_of(dice: Dice, p: Parameters, country: int) -> dict[str, bool]:
    """What one person agrees to when asked, by purpose: the same draws as `Population.agreed`."""
    c = p.consent
    shares = {
        "email_marketing": c.email,
        "personalization": c.personalization,
        "sms_marketing": c.sms,
        "push_marketing": c.push,
        "location": c.location,
    }
    shift, skew = c.country_shift[country], p.world.mix * dice.normal("alpha")
    found = {}
    for purpose, share in shares.items():
        base = min(0.99, max(0.01, share + shift))
        chance = base / (base + (1.0 - base) * math.exp(1.5 * skew))
        found[purpose] = dice.chance(chance, f"consent {purpose.split('_')[0]}")
    return found


def _listed(luck: Luck, p: Parameters) -> Flags:
    """Whether the shop has an address to write to: from the loyalty file, the customer records or the web."""
    i = p.identity
    named = (luck.uniform(0, "card") < i.card) & (luck.uniform(0, "card named") < i.card_named)
    told = luck.uniform(0, "told") < i.tells_email  # on the first of their browsers
    return named | told | (luck.uniform(0, "crm") < i.crm)
