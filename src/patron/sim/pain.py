"""Planted pain points: a pick-up that keeps people waiting, an app that cannot pay, a coupon that a till refuses (7.4).

They stand in the events as they would at a real retailer; nothing in a message says that they were planted.
"""

from patron.model.clock import DAY, HOUR, MINUTE
from patron.sim.identities import Dossier
from patron.sim.luck import Dice
from patron.sim.messages import Message, Pen, known_by, money
from patron.sim.online import Basket, Session
from patron.sim.parameters import Pain
from patron.sim.shops import COUNTRIES, Store, touchpoint

OLD_VERSIONS = ("4.1.3", "4.1.5", "4.3.0")


def app_version(seed: int, person: Dossier, pain: Pain) -> str:
    """The version of the app on somebody's phone; one of them breaks at the checkout."""
    dice = Dice(seed, person.number)
    if dice.chance(pain.app_version_share, "app version"):
        return pain.app_version
    return dice.pick(OLD_VERSIONS, "which app version")


def is_slow(store: Store, pain: Pain) -> bool:
    """Whether people wait long for what they ordered at a store.

    >>> from patron.sim.shops import STORES
    >>> from patron.sim.worlds import parameters
    >>> [is_slow(store, parameters().pain) for store in STORES[1:3]]
    [False, True]
    """
    return int(store.id[1:]) in pain.pick_up_stores


def pick_up(pen: Pen, dice: Dice, person: Dossier, store: Store, at: int, basket: Basket, pain: Pain) -> None:
    """An order fetched at a store: ready in some hours, collected a day or two later, or given up in the queue."""
    about: Message = {"order_id": basket.order_id, "store_id": store.id}
    known: Message = {"externalIds": known_by(email=person.email)}
    pen.track("email", at + MINUTE, "Reservation Created", dict(about), context=dict(known))
    ready = at + int(dice.between(2, 6, "reservation ready") * HOUR)
    pen.track("email", ready, "Reservation Ready", dict(about), context=dict(known))
    came = ready + int(dice.between(14, 40, "reservation fetched") * HOUR)
    slow = is_slow(store, pain)
    low, high = (22, 65) if slow else (2, 11)
    waited = int(dice.between(low, high, "reservation wait"))
    # the order's label is scanned, and the label has the address
    device: Message = {"touchpoint": touchpoint(store, "till", 1), **known}
    if slow and dice.chance(pain.pick_up_drop, "reservation dropped"):
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


def coupon_refused(dice: Dice, person: Dossier, pain: Pain) -> bool:
    """Whether the till does not take somebody's coupon: in one country, now and then."""
    return COUNTRIES[person.country].code == pain.coupon_country and dice.chance(
        pain.coupon_refused, "coupon refused"
    )


def coupon_denied(pen: Pen, store: Store, at: int, coupon: str, card: str | None) -> None:
    """`Coupon Denied` at the till."""
    # without a card the till's own visit is all that says who stood there
    context: Message = {"touchpoint": touchpoint(store, "till", 1, f"v-{pen.number() & 0xFFFFFFFFFF:010x}")}
    if card is not None:
        context["externalIds"] = known_by(card=card)
    said = {"coupon_id": coupon, "reason": "not valid at this till", "store_id": store.id}
    pen.track("pos", at, "Coupon Denied", said, context=context, place=store.id)
