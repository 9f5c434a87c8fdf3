"""Stores: walking in, the kiosk, a word with an associate, the till, and bringing things back."""

import math

from patron.model.clock import DAY, HOUR, MINUTE
from patron.sim.catalogue import CATEGORIES, SHELF, pick_product
from patron.sim.identities import Dossier, listed_as, said_email, till_email, till_phone
from patron.sim.luck import Dice
from patron.sim.messages import Message, Pen, known_by, line, money
from patron.sim.online import Basket
from patron.sim.parameters import Identity
from patron.sim.shops import COUNTRIES, Store, associate, touchpoint

KIOSK = 0.16
"""Share of store visits that stop at a kiosk."""
SHOWS_CARD = 0.90
BENEFITS: tuple[tuple[str, float], ...] = (("none", 0.0), ("wifi", 0.6), ("offer_5", 1.1), ("coffee", 1.3))
"""What saying who you are gives, and how much it persuades (v of 7.4)."""
FOLLOW_UP = 0.30
SCANS = 0.80
"""Share of card holders who hold it to the kiosk rather than type an address."""
CARD_AT_TABLET, EMAIL_AT_TABLET = 0.60, 0.10
"""Share of contacts in which an associate reads the card; in which somebody without one gives an address."""


def has_card(person: Dossier, day: int) -> bool:
    """Whether the person holds a card on a day of the history."""
    return person.card is not None and person.card_since <= day


def _device(store: Store, kind: str, number: int, visit: str = "") -> Message:
    return {"touchpoint": touchpoint(store, kind, number, visit)}


def visit_id(pen: Pen) -> str:
    """The id that a shared device gives to one use of it."""
    return f"v-{pen.number() & 0xFFFFFFFFFF:010x}"


def walk_in(pen: Pen, person: Dossier, store: Store, at: int) -> None:
    """The app on the phone notices the store, if it may."""
    ids: Message = {"anonymousId": person.install}
    if person.user_id:
        ids["userId"] = person.user_id
    dice = Dice(pen.person, at)
    spot = {
        "lat": round(store.lat + 0.0004 * dice.normal("lat"), 5),
        "lon": round(store.lon + 0.0005 * dice.normal("lon"), 5),
        "accuracy_m": 12 + dice.below(60, "accuracy"),
    }
    context: Message = {
        "device": {"id": person.device, "type": "ios" if person.number % 2 else "android"},
        "consent": {"categoryPreferences": {"location": True}},
    }
    properties = {"store_id": store.id, "source": "geofence", **spot}
    pen.track("app", at, "Store Entered", properties, **ids, context=context)


def accepts(dice: Dice, benefit: float, k: int = 0) -> bool:
    """Whether somebody says who they are at a kiosk: sigmoid(-1.2 + benefit + openness)."""
    odds = -1.2 + benefit + dice.normal("openness", k)
    return dice.uniform("accepts", k) * (1.0 + math.exp(-odds)) < 1.0


def kiosk(
    pen: Pen, dice: Dice, person: Dossier, store: Store, at: int, day: int, category: int, noise: Identity
) -> int:
    """Use the kiosk: look something up, and perhaps say who they are for a benefit. Returns when they leave it."""
    visit = visit_id(pen)
    device = _device(store, "kiosk", 1, visit)
    benefit, value = BENEFITS[dice.below(len(BENEFITS), "benefit")]
    if accepts(dice, value):
        say_who(pen, dice, person, store, at, day, visit, benefit, noise)
        at += int(dice.between(4_000, 15_000, "kiosk greet"))
    currency = COUNTRIES[person.country].currency
    for k in range(1 + dice.below(2, "kiosk looks")):
        product = pick_product(dice, Dice(1, person.number), category)
        view = line(product, 1, product.price(currency), currency)
        del view["quantity"]
        pen.track("kiosk", at, "Product Viewed", view, context=dict(device))
        at += int(dice.between(8_000, 50_000, "kiosk step", k))
    return at


def say_who(
    pen: Pen,
    dice: Dice,
    person: Dossier,
    store: Store,
    at: int,
    day: int,
    visit: str,
    benefit: str,
    noise: Identity,
) -> None:
    """Identify at a kiosk, by holding the card to it or by typing an address, with the consents shown there."""
    market, scans = COUNTRIES[person.country], has_card(person, day) and dice.chance(SCANS, "scans")
    context: Message = {
        **_device(store, "kiosk", 1, visit),
        "identification": {
            "mode": "card_read" if scans else "self_screen",
            "benefit": benefit,
            "notice_version": market.notice,
        },
        "locale": market.locale,
    }
    agreed = {
        purpose: person.consents.get(purpose, False) for purpose in ("email_marketing", "personalization")
    }
    traits: Message = {}
    if scans:
        context["externalIds"] = known_by(card=person.card)
    else:
        traits["email"] = said_email(person, 30, noise)
        context["externalIds"] = known_by(email=traits["email"])
        context["consent"] = {"categoryPreferences": agreed}
    pen.write("kiosk", at, "identify", {"traits": traits, "context": context})


def contact(
    pen: Pen,
    dice: Dice,
    person: Dossier,
    store: Store,
    at: int,
    day: int,
    categories: list[int],
    noise: Identity,
) -> None:
    """An associate speaks with somebody, notes it on the tablet, and three times in ten writes afterwards."""
    number = 1 + dice.below(store.associates, "associate")
    products = [SHELF[c][dice.below(len(SHELF[c]), "topic", c)] for c in categories[:2]]
    writes = dice.chance(FOLLOW_UP, "follow up") and person.consents.get("email_marketing", False)
    context: Message = _device(store, "tablet", 1 + dice.below(2, "tablet"), visit_id(pen))
    if has_card(person, day):
        if dice.chance(CARD_AT_TABLET, "card at tablet"):
            context["externalIds"] = known_by(card=person.card)
    elif writes or dice.chance(EMAIL_AT_TABLET, "email at tablet"):
        context["externalIds"] = known_by(email=said_email(person, 40, noise))
    if "externalIds" in context:
        context["identification"] = {"mode": "told_to_staff"}
    properties: Message = {
        "store_id": store.id,
        "associate_id": associate(store, number),
        "topic": [product.id for product in products],
        "prompted": dice.chance(0.3, "prompted"),
    }
    if writes:
        properties["follow_up"] = "email"
    pen.track("associate_tablet", at, "Associate Contacted", properties, context=context)
    if writes:
        after = at + 16 * HOUR + int(dice.between(0, 6, "follow up hour") * HOUR)
        told = {
            "message_id": f"f-{pen.number():016x}",
            "channel": "email",
            "campaign_id": "associate_follow_up",
        }
        mail: Message = {"externalIds": listed_as(person, email=person.email)}
        pen.track(
            "email", after, "Message Sent", {**told, "associate_id": associate(store, number)}, context=mail
        )


def pay(
    pen: Pen, dice: Dice, person: Dossier, store: Store, at: int, day: int, basket: Basket, noise: Identity
) -> None:
    """Pay at a till: known by the card that is read, by the address for the receipt, or not at all."""
    number = 1 + dice.below(store.tills, "till")
    context: Message = _device(store, "till", number)
    more: Message = {
        "fulfilment": "in_store",
        "store_id": store.id,
        "receipt": f"{number}-{pen.number() % 10**6:06d}",
    }
    if has_card(person, day) and (dice.chance(SHOWS_CARD, "shows card") or not person.noisy):
        context["externalIds"] = known_by(card=person.card)
        context["identification"] = {"mode": "card_read"}
    elif person.receipts and dice.chance(0.8, "asks receipt"):
        context["externalIds"] = known_by(email=till_email(person, 50, noise))
        context["identification"] = {"mode": "e_receipt"}
        context["ereceipt"] = True
    pen.track("pos", at, "Order Completed", basket.order(**more), context=context, place=store.id)


def enrol(pen: Pen, dice: Dice, person: Dossier, store: Store, at: int, noise: Identity) -> None:
    """Hand out a loyalty card at the till, with whatever address and number the queue has patience for."""
    if person.card is None:
        return
    traits: Message = {}
    if person.card_named:
        traits["email"] = till_email(person, 60, noise)
        if dice.chance(0.6, "enrols with phone"):
            traits["phone"] = till_phone(person, 60, noise)
    context: Message = {
        **_device(store, "till", 1),
        "externalIds": known_by(card=person.card, email=traits.get("email"), phone=traits.get("phone")),
        "identification": {"mode": "told_to_staff", "notice_version": COUNTRIES[person.country].notice},
    }
    pen.write("pos", at, "identify", {"traits": traits, "context": context}, place=store.id)


def refund(
    pen: Pen, dice: Dice, person: Dossier, store: Store, at: int, day: int, basket: Basket, online: bool
) -> None:
    """Bring or send things back after 3 to 20 days: 12 % of lines bought online (40 % of them in a store), 4 % else."""
    for k, (product, quantity, cents) in enumerate(basket.lines):
        if not dice.chance(0.12 if online else 0.04, "returns", k):
            continue
        later = (
            at + (3 + dice.below(18, "return days", k)) * DAY + dice.below(90, "return minutes", k) * MINUTE
        )
        properties: Message = {
            "order_id": basket.order_id,
            "currency": basket.currency,
            "revenue": money(quantity * cents),
            "products": [line(product, quantity, cents, basket.currency)],
        }
        if online and not dice.chance(0.40, "return in store", k):
            ids: Message = {"userId": person.user_id} if person.user_id else {}
            context: Message = {} if ids else {"externalIds": known_by(email=person.email)}
            pen.track("web", later, "Order Refunded", properties, **ids, context=context)
            continue
        properties["place"] = store.id
        context = _device(store, "till", 1)
        if has_card(person, day):
            context["externalIds"] = known_by(card=person.card)
            context["identification"] = {"mode": "card_read"}
        pen.track("pos", later, "Order Refunded", properties, context=context, place=store.id)


def wanted_first(need_row: list[float]) -> list[int]:
    """Indexes of the categories, most needed first."""
    return sorted(range(len(CATEGORIES)), key=lambda c: (-need_row[c], c))
