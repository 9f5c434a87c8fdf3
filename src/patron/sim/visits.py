"""Visits that ask for a decision on the way, told step by step: what is shown changes what is bought (7.3).

Each visit is a generator: it yields an `AskDecision` where a touchpoint asks, is sent the answer (or None when there
was none), and leaves its messages with its pen. The luck of buying is drawn before the answer is known, so the same
visit under two answers differs by the answer alone.
"""

import math
from collections.abc import Generator
from typing import Any

import numpy as np
from msgspec import Struct

from patron.sim import instore, online
from patron.sim.catalogue import CATEGORIES, LIST_PRICES, SHELF, pick_product
from patron.sim.engine.shopping import prices
from patron.sim.identities import Dossier
from patron.sim.luck import Dice, Floats
from patron.sim.messages import Message, Pen, known_by
from patron.sim.online import Basket
from patron.sim.shops import COUNTRIES, Store, touchpoint
from patron.sim.town import Town

NOTHING = "nothing"
KIOSK_LIVE, TILL_ASKS = 0.45, 0.8


class AskDecision(Struct, frozen=True):
    """A touchpoint asks what to show. `ids` goes into the body of `POST /v1/decide` beside placement and channel."""

    at: int
    placement: str
    channel: str
    ids: Message
    """`userId` or `anonymousId`; empty when only `context.externalIds` says who it is."""
    context: Message

    def body(self) -> Message:
        """The body of `POST /v1/decide`."""
        return {"placement": self.placement, "channel": self.channel, **self.ids, "context": self.context}


Answer = dict[str, Any] | None
Visit = Generator[AskDecision, Answer, None]


class Guest(Struct):
    """Somebody on a visit: who they are, what they need, and the means to tell it."""

    town: Town
    row: int
    person: Dossier
    store: Store
    pen: Pen
    dice: Dice
    need: Floats
    at: int
    date: int
    bought: list[int] = []

    @property
    def currency(self) -> str:
        """What they pay in."""
        return COUNTRIES[self.person.country].currency

    def eager(self) -> list[int]:
        """Categories, most needed first."""
        return instore.wanted_first(self.need.tolist())

    def spend_time(self, low: int, high: int, purpose: str) -> int:
        """Let some time pass; the new time."""
        self.at += int(self.dice.between(low, high, purpose))
        return self.at


def shown_category(answer: Answer, eager: list[int]) -> int | None:
    """The category that an answer speaks of: `content.category`, else a category or product named in its action.

    An offer that names none (free shipping, say) helps what is needed most; nothing shown is None.

    >>> CATEGORIES[shown_category({"action": "remind-coffee"}, [3]) or 0], CATEGORIES[shown_category({"action": "burr-grinder"}, [3]) or 0]
    ('coffee', 'machines')
    """
    if not answer or answer.get("action") in {None, NOTHING}:
        return None
    said = (answer.get("content") or {}).get("category")
    if said in CATEGORIES:
        return CATEGORIES.index(said)
    words = set(str(answer["action"]).lower().replace("_", "-").split("-"))
    for k, name in enumerate(CATEGORIES):
        if name in words or any(words <= set(product.name.lower().split()) for product in SHELF[k]):
            return k
    return eager[0]


def chances(guest: Guest, shown: int | None, talked: bool) -> Floats:
    """Probability of buying each category now, given what was shown and whether an associate spoke."""
    people, p = guest.town.people, guest.town.parameters
    b, effect = p.buying, p.world.effect
    logit = b.base + b.need * guest.need + p.needs.unused * ~people.adopts[guest.row]
    logit = logit + effect * p.associates.effect * talked
    logit -= b.price * people.ps[guest.row] * np.log(prices(guest.town.setting, guest.date))
    if shown is not None:
        logit[shown] += effect * b.slot * (b.slot_low + (1.0 - b.slot_low) * guest.need[shown])
    odds: Floats = 1.0 / (1.0 + np.exp(-logit))
    return odds


def basket(guest: Guest, prefix: str, shown: int | None, talked: bool = False) -> Basket | None:
    """What the guest takes; None when nothing. The uniform draws do not depend on what was shown."""
    odds, dice, people = chances(guest, shown, talked), guest.dice, guest.town.people
    guest.bought = [c for c in range(len(CATEGORIES)) if dice.uniform("buy", c) < odds[c]]
    if not guest.bought:
        return None
    size = float(people.size[guest.row])
    wanted = [
        (c, float(LIST_PRICES[c]) * size * math.exp(0.35 * dice.normal("basket", c))) for c in guest.bought
    ]
    number = f"{prefix}-{guest.pen.number() % 10**11:011d}"
    price = prices(guest.town.setting, guest.date).tolist()
    return online.make_basket(
        number, guest.currency, wanted, price, dice, Dice(guest.town.seed, guest.person.number)
    )


def show(guest: Guest, ask: AskDecision, answer: Answer, context: Message) -> None:
    """Report `Offer Shown`, when there was something to show."""
    if not answer or answer.get("action") in {None, NOTHING} or not answer.get("decisionId"):
        return
    properties = {
        "decision_id": answer["decisionId"],
        "offer_id": answer["action"],
        "offer_name": (answer.get("content") or {}).get("title") or answer["action"],
        "placement": ask.placement,
    }
    guest.pen.track(ask.channel, guest.at, "Offer Shown", properties, **ask.ids, context=context)


def at_store(guest: Guest) -> Visit:
    """Walk into a store: the app may notice, a kiosk and an associate may help, the till may show something too."""
    person, store, dice, day = guest.person, guest.store, guest.dice, guest.town.days
    if person.install and person.consents.get("location"):
        instore.walk_in(guest.pen, person, store, guest.at)
    guest.spend_time(5_000, 40_000, "strolls")
    shown, talked = None, dice.chance(0.2, "contact")
    if dice.chance(KIOSK_LIVE, "kiosk") and (person.card or person.noisy):
        shown = yield from _kiosk(guest)
    if talked:
        guest.spend_time(8_000, 40_000, "talks")
        instore.contact(guest.pen, dice, person, store, guest.at, day, guest.eager(), guest.town.noise)
    guest.spend_time(15_000, 90_000, "queues")
    if instore.has_card(person, day) and dice.chance(TILL_ASKS, "till asks"):
        shown = (yield from _till(guest)) or shown
    bought = basket(guest, "T", shown, talked)
    if bought:
        guest.spend_time(4_000, 25_000, "pays")
        instore.pay(guest.pen, dice, person, store, guest.at, day, bought, guest.town.noise)


def _kiosk(guest: Guest) -> Generator[AskDecision, Answer, int | None]:
    """Say who they are at the kiosk (by card, else by address) and see what it shows."""
    person, store, dice, day = guest.person, guest.store, guest.dice, guest.town.days
    visit = instore.visit_id(guest.pen)
    benefit, value = instore.BENEFITS[dice.below(len(instore.BENEFITS), "benefit")]
    if not instore.accepts(dice, value) and person.noisy:
        instore.kiosk(guest.pen, dice, person, store, guest.at, day, guest.eager()[0], guest.town.noise)
        return None
    instore.say_who(guest.pen, dice, person, store, guest.at, day, visit, benefit, guest.town.noise)
    said = guest.pen.told[-1].message["context"]["externalIds"]
    guest.spend_time(700, 1_500, "kiosk thinks")
    device = touchpoint(store, "kiosk", 1, visit)
    context = {"touchpoint": device, "externalIds": said, "store_id": store.id}
    ask = AskDecision(guest.at, "kiosk_home", "kiosk", {}, context)
    answer = yield ask
    show(guest, ask, answer, {"touchpoint": device, "externalIds": said})
    return shown_category(answer, guest.eager())


def _till(guest: Guest) -> Generator[AskDecision, Answer, int | None]:
    """The card is read before paying; the cashier's screen may show one thing."""
    device, card = (
        touchpoint(guest.store, "till", 1 + guest.dice.below(guest.store.tills, "till")),
        guest.person.card,
    )
    known = known_by(card=card)
    context = {"touchpoint": device, "externalIds": known, "store_id": guest.store.id}
    ask = AskDecision(guest.at, "till", "pos", {}, context)
    answer = yield ask
    guest.at += 300
    show(guest, ask, answer, {"touchpoint": device, "externalIds": known})
    return shown_category(answer, guest.eager())


def on_line(guest: Guest, source: str, campaign: str | None = None) -> Visit:
    """A visit to the web shop or the app: the home page asks what to show."""
    person, dice = guest.person, guest.dice
    session = online.open_session(guest.pen, dice, person, source, guest.at)
    session.campaign, session.delay = campaign, session.delay // 100
    online.arrive(session, guest.town.noise)
    session.step(600, 1_500)
    context = {**session.context("/"), "path": "/"}
    ids = {"userId": person.user_id} if session.known else {"anonymousId": session.cookie.id}
    ask = AskDecision(session.at, f"{source}_home", source, ids, context)
    answer = (yield ask) if not session.refuses else None
    guest.at = session.at + 200
    show(guest, ask, answer, session.context("/"))
    shown = shown_category(answer, guest.eager())
    looked = guest.eager()[: 1 + dice.below(4, "looks")]
    online.wander(
        session, looked if shown is None else [shown, *looked], guest.currency, Dice(1, person.number)
    )
    bought = basket(guest, source[0].upper(), shown) if dice.chance(0.55, "buys online") else None
    if bought:
        online.check_out(session, bought, guest.town.noise)


def passes_by(guest: Guest) -> Visit:
    """Somebody nobody knows: looks around on the web, at a kiosk, or pays at a till without a card."""
    dice, person, where = guest.dice, guest.person, guest.dice.uniform("where")
    curious = [dice.below(len(CATEGORIES), "curious", k) for k in range(1 + dice.below(4, "curiosity"))]
    if where < 0.70:
        session = online.open_session(guest.pen, dice, person, "web", guest.at)
        session.cookie = person.cookies[0]
        home = {**session.ids(), "name": "Home", "context": session.context("/")}
        guest.pen.write("web", session.at, "page", home)
        online.wander(session, curious, guest.currency, dice)
    elif where < 0.78:
        context = {"touchpoint": touchpoint(guest.store, "kiosk", 1, instore.visit_id(guest.pen))}
        for category in curious[:2]:
            product = pick_product(dice, dice, category)
            view = {"product_id": product.id, "name": product.name, "category": product.category}
            guest.pen.track("kiosk", guest.at, "Product Viewed", view, context=dict(context))
            guest.spend_time(6_000, 30_000, f"kiosk {category}")
    else:
        wanted = [(c, float(LIST_PRICES[c])) for c in sorted(set(curious[:2]))]
        price = prices(guest.town.setting, guest.date).tolist()
        number = f"T-{guest.pen.number() % 10**11:011d}"
        paid = online.make_basket(number, guest.currency, wanted, price, dice, dice)
        instore.pay(guest.pen, dice, person, guest.store, guest.at, guest.town.days, paid, guest.town.noise)
    yield from ()  # a generator like the other visits, though nothing asks here
