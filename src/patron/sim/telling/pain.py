"""Planted pain points: a pick-up that keeps people waiting, an app that cannot pay, a coupon that a till refuses (7.4);
and a brilliant one: an appointment to try things on.

They stand in the events as they would at a real retailer; nothing in a message says that they were planted.
"""

from patron.model.clock import DAY, HOUR, MINUTE
from patron.sim.messages import Message, known_by, money
from patron.sim.telling import voices
from patron.sim.telling.occasion import Occasion
from patron.sim.telling.online import Basket, Session
from patron.sim.world.shops import opening_time


def is_slow(who: Occasion) -> bool:
    """Whether people wait long at their store for what they ordered."""
    return int(who.store.id[1:]) in who.parameters.pain.pick_up_stores


def pick_up(who: Occasion, at: int, basket: Basket) -> None:
    """An order fetched at a store: ready in some hours, collected a day or two later, or given up in the queue."""
    pen, dice, store = who.pen, who.dice, who.store
    about: Message = {"order_id": basket.order_id, "store_id": store.id}
    known: Message = {"externalIds": known_by(email=who.person.email)}
    pen.track("email", at + MINUTE, "Reservation Created", dict(about), context=dict(known))
    ready = at + int(dice.between(2, 6, "reservation ready") * HOUR)
    pen.track("email", ready, "Reservation Ready", dict(about), context=dict(known))
    later = ready // DAY + 1 + dice.below(2, "reservation fetched")
    came = opening_time(who.person.country, later, dice, 83)
    slow = is_slow(who)
    voices.survey(who, came + HOUR, "pick_up", slow)
    low, high = (22, 65) if slow else (2, 11)
    waited = int(dice.between(low, high, "reservation wait"))
    # the order's label is scanned, and the label has the address
    device: Message = {**who.device("till", 1), **known}
    if slow and dice.chance(who.parameters.pain.pick_up_drop, "reservation dropped"):
        left = came + waited * MINUTE
        said = {**about, "wait_minutes": waited, "reason": "left the queue"}
        pen.track("pos", left, "Reservation Abandoned", said, context=dict(device), place=store.id)
        refund: Message = {
            "order_id": basket.order_id,
            "currency": basket.currency,
            "revenue": money(basket.cents),
            "products": basket.products(),
            "place": store.id,
        }
        pen.track("pos", left + DAY, "Order Refunded", refund, context=dict(device), place=store.id)
        return
    said = {**about, "wait_minutes": waited}
    pen.track(
        "pos", came + waited * MINUTE, "Reservation Collected", said, context=dict(device), place=store.id
    )


def checkout_fails(session: Session, basket: Basket) -> None:
    """The app breaks when somebody wants to pay: they began, and it says so; there is no order."""
    value = {"value": money(basket.cents), "currency": basket.currency}
    session.step(10_000, 40_000)
    session.track("Checkout Started", dict(value), "/checkout")
    session.step(8_000, 30_000)
    session.track("Checkout Failed", {**value, "error": "payment sheet did not open"}, "/checkout")


def coupon_denied(who: Occasion, at: int, coupon: str) -> None:
    """`Coupon Denied` at the till."""
    # without a card the till's own visit is all that says who stood there
    context = who.device("till", 1, who.visit_id())
    if who.has_card():
        context["externalIds"] = known_by(card=who.person.card)
    said = {"coupon_id": coupon, "reason": "not valid at this till", "store_id": who.store.id}
    who.pen.track("pos", at, "Coupon Denied", said, context=context, place=who.store.id)


def appointment(who: Occasion, at: int) -> None:
    """An appointment to try things on: made the day before, kept at the walk into the store."""
    known: Message = {"externalIds": known_by(email=who.person.email)}
    about: Message = {"appointment_id": f"P-{who.pen.number() % 10**9:09d}", "store_id": who.store.id}
    made = at - int(who.dice.between(12, 18, "appointment made") * HOUR)
    who.pen.track("web", made, "Appointment Booked", dict(about), context=dict(known))
    tablet = {**who.device("tablet", 1, who.visit_id()), **known}
    who.pen.track("associate_tablet", at + MINUTE, "Appointment Kept", dict(about), context=tablet)
