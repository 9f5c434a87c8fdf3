"""What happens beside shopping: newsletters, calls, changes of mind about consent, and the customer file."""

from collections.abc import Callable

from patron.model.clock import HOUR, MINUTE
from patron.sim.engine.letters import Delivered
from patron.sim.messages import Message, Pen, known_by
from patron.sim.telling import voices
from patron.sim.telling.occasion import Occasion
from patron.sim.world.catalogue import CATEGORIES
from patron.sim.world.identities import (
    Dossier,
    listed_as,
    said_email,
    said_name,
    said_phone,
    till_email,
    till_phone,
)
from patron.sim.world.people import CALL, CHANNELS, PUSH, SMS
from patron.sim.world.shops import local_midnight, online_time

_DOORS = ("newsletter footer", "STOP by SMS", "app settings", "told on the phone")
"""Where somebody takes a consent back, by channel."""
_ANSWERS = (
    "Is it there in size 42?",
    "Thanks, I will pass on Saturday.",
    "Do you deliver?",
    "Keep one for me, please.",
)
REASONS = ("late delivery", "return", "stock question", "invoice", "damaged item")


def message(who: Occasion, date: int, delivered: Delivered, at: int) -> int | None:
    """One message of a `Send` (its entry `at`) and what its addressee did. Returns when they clicked."""
    pen, dice, person = who.pen, who.dice, who.person
    send, k = delivered.send, delivered.send.channel
    channel, category = CHANNELS[k], CATEGORIES[int(send.category[at])]
    now = (
        local_midnight(person.country, date)
        + int(send.hour[at] * HOUR)
        + dice.below(20 * MINUTE, f"{channel} queue")
    )
    ids = addressed(person, k)
    about = {
        "message_id": f"{channel[0]}{date}-{pen.number() & 0xFFFFFFFFFF:010x}",
        "channel": channel,
        "campaign_id": send.campaign,
        "creative_id": f"{channel}-{int(send.creative[at])}-{who.market.language}",
        "category": category,
    }
    if send.decisions:
        about["decision_id"] = send.decisions[at]
    if send.offer[at]:
        about["offer"] = f"{who.parameters.buying.offer_discount:.0%} off {category}"
    pen.track(channel, now, "Message Sent", dict(about), **ids())
    if k != SMS and delivered.opened[at]:
        now += int(dice.between(0.02, 11.0, f"{channel} open hours") * HOUR)
        pen.track(channel, now, "Message Opened", dict(about), **ids())
    if delivered.unsubscribed[at]:
        change = _change(who, f"{channel}_marketing", False, _DOORS[k])
        pen.track(channel, now + MINUTE, "Consent Changed", change, **ids())
    if not delivered.clicked[at]:
        return None
    now += int(dice.between(5_000, 90_000, f"{channel} click wait"))
    pen.track(channel, now, "Message Clicked", dict(about), **ids())
    if delivered.replied[at]:
        answer = {**about, "text": dice.pick(_ANSWERS, "answer")}
        pen.track(channel, now + MINUTE, "Message Replied", answer, **ids())
    return now


def addressed(person: Dossier, channel: int) -> Callable[[], Message]:
    """Makes the ids that a sending system knows somebody by: address, number, or the app on their phone."""
    if channel == PUSH:
        return lambda: {"anonymousId": person.install, "context": {"device": {"id": person.device}}}
    mark = {"phone": person.phone} if channel in {SMS, CALL} else {"email": person.email}
    return lambda: {"context": {"externalIds": listed_as(person, **mark)}}


def greeting(who: Occasion, at: int) -> None:
    """The push that greets somebody who comes near a store."""
    about = {
        "message_id": f"g-{who.pen.number():016x}",
        "channel": "push",
        "campaign_id": "near_store",
        "store_id": who.store.id,
    }
    who.pen.track("push", at + 2_000, "Message Sent", about, **addressed(who.person, PUSH)())


def _change(who: Occasion, purpose: str, granted: bool, place: str) -> Message:
    return {"purpose": purpose, "granted": granted, "text_version": who.market.notice, "place": place}


def mind_changed(who: Occasion, date: int, purpose: str, granted: bool) -> None:
    """Somebody takes back a consent, or gives one, on the page of their preferences."""
    person = who.person
    ids: Message = {"userId": person.user_id} if person.user_id else {}
    context: Message = {} if ids else {"externalIds": listed_as(person, email=person.email)}
    change = _change(who, purpose, granted, "web preferences")
    at = online_time(person.country, date, who.dice)
    who.pen.track("web", at, "Consent Changed", change, **ids, context=context)


def call(who: Occasion, at: int) -> None:
    """A call: the number shows nine times in ten, and the agent mostly asks for an address as well."""
    pen, dice, person, noise = who.pen, who.dice, who.person, who.noise
    call_id, shows = f"call-{pen.number() & 0xFFFFFFFFFF:010x}", dice.chance(0.9, "number shows")
    number = (
        (person.landline if person.landline and dice.chance(0.3, "calls by landline") else person.phone)
        if shows
        else None
    )
    agent = f"agent-{1 + dice.below(9, 'agent')}"
    device: Message = {"touchpoint": {"id": f"desk-{agent[6:]}", "kind": "call_centre", "visit_id": call_id}}
    reason = dice.pick(REASONS, "reason")
    start: Message = {"call_id": call_id, "agent_id": agent, "reason": reason}
    ids: Message = {"externalIds": known_by(phone=number)}
    pen.track("call_centre", at, "Call Started", start, context={**device, **ids})
    at += int(dice.between(20_000, 70_000, "agent asks"))
    if not number or dice.chance(0.6, "agent asks"):
        traits: Message = {"email": said_email(person, 70, noise), **said_name(person, 70, noise)}
        context: Message = {
            **device,
            "externalIds": known_by(email=traits["email"], phone=number),
            "identification": {"mode": "told_to_staff"},
        }
        pen.write("call_centre", at, "identify", {"traits": traits, "context": context})
    seconds = 60 + dice.below(600, "call length")
    end = {"call_id": call_id, "agent_id": agent, "duration_s": seconds}
    end["resolved"] = dice.chance(0.8, "resolved")
    pen.track("call_centre", at + seconds * 1000, "Call Ended", end, context={**device, **ids})
    if reason in voices.COMPLAINTS:
        voices.complaint(who, at + seconds * 500, {**device, **ids}, reason)


def records(who: Occasion, date: int) -> None:
    """The customer file as it is handed over on the first night: old records, some twice, and the loyalty list."""
    pen, dice, person, noise = who.pen, who.dice, who.person, who.noise
    at = local_midnight(person.country, date) + 2 * HOUR + dice.below(HOUR, "file order")
    for k, record in enumerate(person.records):
        traits: Message = {
            "email": (till_email if k else said_email)(
                person, 80 + k, noise
            ),  # duplicates were made at tills
            **said_name(person, 80 + k, noise),
        }
        traits["phone"] = (till_phone if k else said_phone)(person, 80 + k, noise)
        traits["address"] = {"country": who.market.code}
        if dice.chance(0.5, "birth known", k):
            traits["birthday"] = person.birth
        _file(pen, at + k, record, traits, None)
    if person.card and person.card_named and person.card_since < 0:
        traits = {"email": till_email(person, 95, noise), **said_name(person, 95, noise)}
        if dice.chance(0.6, "enrols with phone"):
            traits["phone"] = till_phone(person, 95, noise)
        traits["address"] = {"country": who.market.code}
        traits["loyaltyCard"] = person.card
        _file(pen, at + 10, None, traits, person.card)


def _file(pen: Pen, at: int, record: str | None, traits: Message, card: str | None) -> None:
    ids = known_by(crm_id=record, card=card, email=traits.get("email"), phone=traits.get("phone"))
    context: Message = {"externalIds": ids, "identification": {"mode": "customer_file"}}
    pen.write("crm", at, "identify", {"traits": traits, "context": context})
