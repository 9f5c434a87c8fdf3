"""The till: paying, cards handed out, and things brought back."""

from patron.model.clock import DAY, MINUTE
from patron.sim.messages import Message, known_by, line, money
from patron.sim.telling.occasion import Occasion
from patron.sim.telling.online import Basket
from patron.sim.world.identities import till_email, till_phone

ENROLS_WITH_PHONE = 0.6


def pay(who: Occasion, at: int, basket: Basket) -> None:
    """Pay at a till: known by the card that is read, by the address for the receipt, or not at all."""
    t, dice, person = who.parameters.touchpoints, who.dice, who.person
    number = 1 + dice.below(who.store.tills, "till")
    context: Message = who.device("till", number)
    more: Message = {
        "fulfilment": "in_store",
        "store_id": who.store.id,
        "receipt": f"{number}-{who.pen.number() % 10**6:06d}",
    }
    if who.has_card() and (dice.chance(t.shows_card, "shows card") or not person.noisy):
        context["externalIds"] = known_by(card=person.card)
        context["identification"] = {"mode": "card_read"}
    elif person.receipts and dice.chance(t.asks_receipt, "asks receipt"):
        context["externalIds"] = known_by(email=till_email(person, 50, who.noise))
        context["identification"] = {"mode": "e_receipt"}
        context["ereceipt"] = True
    who.pen.track("pos", at, "Order Completed", basket.order(**more), context=context, place=who.store.id)


def enrol(who: Occasion, at: int) -> None:
    """Hand out a loyalty card at the till, with whatever address and number the queue has patience for."""
    person = who.person
    if person.card is None:
        return
    traits: Message = {}
    if person.card_named:
        traits["email"] = till_email(person, 60, who.noise)
        if who.dice.chance(ENROLS_WITH_PHONE, "enrols with phone"):
            traits["phone"] = till_phone(person, 60, who.noise)
    context: Message = {
        **who.device("till", 1),
        "externalIds": known_by(card=person.card, email=traits.get("email"), phone=traits.get("phone")),
        "identification": {"mode": "told_to_staff", "notice_version": who.market.notice},
    }
    who.pen.write("pos", at, "identify", {"traits": traits, "context": context}, place=who.store.id)


def refund(who: Occasion, at: int, basket: Basket, *, online: bool) -> None:
    """Bring or send back some lines of an order, some days later."""
    r, dice = who.parameters.returns, who.dice
    first, last = r.days
    for k, (product, quantity, cents) in enumerate(basket.lines):
        if not dice.chance(r.web if online else r.store, "returns", k):
            continue
        later = at + (first + dice.below(1 + last - first, "return days", k)) * DAY
        later += dice.below(90, "return minutes", k) * MINUTE
        properties: Message = {
            "order_id": basket.order_id,
            "currency": basket.currency,
            "revenue": money(quantity * cents),
            "products": [line(product, quantity, cents, basket.currency)],
        }
        if online and not dice.chance(r.web_in_store, "return in store", k):
            _by_mail(who, later, properties)
        else:
            _brought(who, later, properties)


def _by_mail(who: Occasion, at: int, properties: Message) -> None:
    person = who.person
    ids: Message = {"userId": person.user_id} if person.user_id else {}
    context: Message = {} if ids else {"externalIds": known_by(email=person.email)}
    who.pen.track("web", at, "Order Refunded", properties, **ids, context=context)


def _brought(who: Occasion, at: int, properties: Message) -> None:
    context = who.device("till", 1)
    if who.has_card():
        context["externalIds"] = known_by(card=who.person.card)
        context["identification"] = {"mode": "card_read"}
    said = {**properties, "place": who.store.id}
    who.pen.track("pos", at, "Order Refunded", said, context=context, place=who.store.id)
