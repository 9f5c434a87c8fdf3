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

from patron.sim.engine.geofence import INSIDE_M
from patron.sim.engine.shopping import buy_logit, prices
from patron.sim.engine.state import sigmoid
from patron.sim.luck import Dice, Floats
from patron.sim.messages import Message, Pen, known_by
from patron.sim.telling import floor, kiosk, online, till
from patron.sim.telling.floor import Talk
from patron.sim.telling.occasion import Occasion
from patron.sim.telling.online import Basket
from patron.sim.town import Town
from patron.sim.world.catalogue import CATEGORIES, LIST_PRICES, SHELF, season, wanted_first
from patron.sim.world.identities import Dossier

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
    beside: tuple[str, ...] = ()
    """Further placements that would do, each with its own channel."""

    def body(self) -> Message:
        """The body of `POST /v1/decide`."""
        if self.beside:
            return {"placements": [self.placement, *self.beside], **self.ids, "context": self.context}
        return {"placement": self.placement, "channel": self.channel, **self.ids, "context": self.context}


Answer = dict[str, Any] | None
Visit = Generator[AskDecision, Answer, None]


class Guest(Struct):
    """Somebody on a visit: who they are, what they need, and the means to tell it."""

    town: Town
    row: int
    """Of the town's people; -1 = a stranger."""
    who: Occasion
    need: Floats
    at: int
    date: int
    bought: list[int] = []

    @property
    def person(self) -> Dossier:
        """Who they are."""
        return self.who.person

    @property
    def pen(self) -> Pen:
        """What writes their messages."""
        return self.who.pen

    @property
    def dice(self) -> Dice:
        """Their luck on this visit."""
        return self.who.dice

    def eager(self) -> list[int]:
        """Categories, most needed first."""
        return wanted_first(self.need.tolist())

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
    setting, one = guest.town.setting, np.array([guest.row])
    p, person = setting.parameters, guest.town.people.take(one)
    b, extra = p.buying, np.full((1, len(CATEGORIES)), p.associates.effect * talked)
    if shown is not None:
        extra[0, shown] += b.slot * (b.slot_low + (1.0 - b.slot_low) * guest.need[shown])
    price, here = prices(setting, guest.date), np.zeros(1, dtype=np.int64)
    logit = buy_logit(setting, person, here, guest.need[None, :], price, p.world.effect * extra)
    return sigmoid(logit[0] + np.log(season(guest.date, b.season)))


def basket(guest: Guest, prefix: str, shown: int | None, talked: bool = False) -> Basket | None:
    """What the guest takes; None when nothing. The uniform draws do not depend on what was shown."""
    odds, dice, town = chances(guest, shown, talked), guest.dice, guest.town
    guest.bought = [c for c in range(len(CATEGORIES)) if dice.uniform("buy", c) < odds[c]]
    if not guest.bought:
        return None
    size, spread = float(town.people.size[guest.row]), town.parameters.buying.value_spread
    wanted = [
        (c, float(LIST_PRICES[c]) * size * math.exp(spread * dice.normal("basket", c))) for c in guest.bought
    ]
    number = f"{prefix}-{guest.pen.number() % 10**11:011d}"
    return online.make_basket(guest.who, number, wanted, prices(town.setting, guest.date).tolist())


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
    who, dice, a = guest.who, guest.dice, guest.town.parameters.associates
    if who.person.install and who.consents.get("location"):
        floor.come_near(who, guest.at, dice.between(0.0, INSIDE_M, "stands at"))
    guest.spend_time(5_000, 40_000, "strolls")
    shown, talked = None, dice.chance(sum(a.contact) / 2, "contact")
    if dice.chance(KIOSK_LIVE, "kiosk") and (who.person.card or who.person.noisy):
        shown = yield from _kiosk(guest)
    if talked:
        guest.spend_time(8_000, 40_000, "talks")
        writes = dice.chance(a.follow_up, "follow up") and who.consents.get("email_marketing", False)
        number = dice.below(who.store.associates, "associate")
        talk = Talk(number, dice.chance(a.prompted, "prompted"), writes)
        floor.contact(who, guest.at, guest.eager(), talk)
    guest.spend_time(15_000, 90_000, "queues")
    if who.has_card() and dice.chance(TILL_ASKS, "till asks"):
        shown = (yield from _till(guest)) or shown
    bought = basket(guest, "T", shown, talked)
    if bought:
        guest.spend_time(4_000, 25_000, "pays")
        till.pay(who, guest.at, bought)


def _kiosk(guest: Guest) -> Generator[AskDecision, Answer, int | None]:
    """Say who they are at the kiosk (by card, else by address) and see what it shows."""
    who, benefit = guest.who, kiosk.offered(guest.who)
    if not kiosk.accepts(who, benefit) and who.person.noisy:
        kiosk.use(who, guest.at, guest.eager()[0])
        return None
    visit = who.visit_id()
    kiosk.say_who(who, guest.at, visit, benefit)
    said = guest.pen.told[-1].message["context"]["externalIds"]
    guest.spend_time(700, 1_500, "kiosk thinks")
    device = who.device("kiosk", 1, visit)
    context = {**device, "externalIds": said, "store_id": who.store.id}
    ask = AskDecision(guest.at, "kiosk_home", "kiosk", {}, context)
    answer = yield ask
    show(guest, ask, answer, {**device, "externalIds": said})
    return shown_category(answer, guest.eager())


def _till(guest: Guest) -> Generator[AskDecision, Answer, int | None]:
    """The card is read before paying; the cashier's screen may show one thing."""
    who = guest.who
    device, known = (
        who.device("till", 1 + guest.dice.below(who.store.tills, "till")),
        known_by(card=who.person.card),
    )
    ask = AskDecision(guest.at, "till", "pos", {}, {**device, "externalIds": known, "store_id": who.store.id})
    answer = yield ask
    guest.at += 300
    show(guest, ask, answer, {**device, "externalIds": known})
    return shown_category(answer, guest.eager())


def on_line(guest: Guest, source: str, campaign: str | None = None) -> Visit:
    """A visit to the web shop or the app: the home page asks what to show."""
    person, dice = guest.person, guest.dice
    session = online.open_session(guest.who, source, guest.at)
    session.campaign, session.delay = campaign, session.delay // 100
    online.arrive(session)
    session.step(600, 1_500)
    context = {**session.context("/"), "path": "/"}
    ids = {"userId": person.user_id} if session.known else {"anonymousId": session.cookie.id}
    ask = AskDecision(session.at, f"{source}_home", source, ids, context)
    answer = (yield ask) if not session.refuses else None
    guest.at = session.at + 200
    show(guest, ask, answer, session.context("/"))
    shown = shown_category(answer, guest.eager())
    looked = guest.eager()[: 1 + dice.below(4, "looks")]
    online.wander(session, looked if shown is None else [shown, *looked])
    bought = basket(guest, source[0].upper(), shown) if dice.chance(0.55, "buys online") else None
    if bought:
        online.check_out(session, bought)


def passes_by(guest: Guest) -> Visit:
    """Somebody nobody knows: looks around on the web, at a kiosk, or pays at a till without a card."""
    who, dice, where = guest.who, guest.dice, guest.dice.uniform("where")
    curious = [dice.below(len(CATEGORIES), "curious", k) for k in range(1 + dice.below(4, "curiosity"))]
    if where < 0.70:
        session = online.open_session(who, "web", guest.at)
        session.cookie = who.person.cookies[0]
        home = {**session.ids(), "name": "Home", "context": session.context("/")}
        guest.pen.write("web", session.at, "page", home)
        online.wander(session, curious)
    elif where < 0.78:
        context = who.device("kiosk", 1, who.visit_id())
        for category in curious[:2]:
            product = who.setting.assortment.pick(dice, dice, category)
            view = {"product_id": product.id, "name": product.name, "category": product.category}
            guest.pen.track("kiosk", guest.at, "Product Viewed", view, context=dict(context))
            guest.spend_time(6_000, 30_000, f"kiosk {category}")
    else:
        wanted = [(c, float(LIST_PRICES[c])) for c in sorted(set(curious[:2]))]
        price = prices(guest.town.setting, guest.date).tolist()
        number = f"T-{guest.pen.number() % 10**11:011d}"
        till.pay(who, guest.at, online.make_basket(who, number, wanted, price))
    yield from ()  # a generator like the other visits, though nothing asks here
