"""How each kind of event is said: functions from an event to (sentence, detail), not yet cut to length."""

from collections.abc import Callable

from patron.model.events import Event
from patron.profiles.wording import (
    clean,
    device_text,
    duration_text,
    first,
    joined,
    listed,
    place_text,
    products_text,
    with_article,
    words_of,
)

Phrase = Callable[[Event], tuple[str, str]]
STORE_CHANNELS = ("pos", "kiosk", "associate_tablet", "signage")
_MESSAGES = {
    "email": "an e-mail",
    "sms": "an SMS",
    "push": "a push message",
    "call": "a call",
    "post": "a letter",
}
_FULFILMENT = {
    "in_store": "",
    "delivery": "Home delivery",
    "home_delivery": "Home delivery",
    "ship": "Home delivery",
    "pick_up": "Collect in store",
    "pickup": "Collect in store",
    "collect": "Collect in store",
    "click_and_collect": "Collect in store",
}


def where(event: Event) -> str:
    """The store and the device, as far as told."""
    return joined(place_text(event), device_text(event))


def order_number(event: Event) -> str:
    """`Order 771204`, or nothing."""
    number = first(event.properties, "order_id", "orderId", limit=40)
    return f"Order {number}" if number else ""


def about(verb: str, after: str = "", without: str = "a product") -> Phrase:
    """`verb product after`, with the place as detail."""

    def told(event: Event) -> tuple[str, str]:
        return f"{verb} {products_text(event.properties) or without}{after}", where(event)

    return told


def naming(verb: str, *names: str, without: str) -> Phrase:
    """`verb “value of a property”`, or `without` when there is none."""

    def told(event: Event) -> tuple[str, str]:
        value = first(event.properties, *names)
        return (f"{verb} “{value}”" if value else without), where(event)

    return told


def plain(sentence: str, *details: str) -> Phrase:
    """A fixed sentence, with properties as detail, or else the place."""

    def told(event: Event) -> tuple[str, str]:
        return sentence, joined(*(words_of(event.properties.get(name)) for name in details)) or where(event)

    return told


# --- orders -------------------------------------------------------------------------------------------------


def bought(event: Event) -> tuple[str, str]:
    """`Bought …` in a store, `Ordered …` elsewhere, with how it is handed over."""
    given = str(event.properties.get("fulfilment") or event.properties.get("fulfillment") or "")[:40]
    here = event.channel in STORE_CHANNELS
    what = products_text(event.properties)
    verb = "Bought" if here else "Ordered"
    sentence = f"{verb} {what}" if what else ("Bought in store" if here else "Placed an order")
    way = _FULFILMENT.get(given.lower(), clean(given, 40))
    return sentence, joined(way, where(event), order_number(event))


def returned(event: Event) -> tuple[str, str]:
    """`Returned …`, or the order that was refunded."""
    what = products_text(event.properties)
    number = order_number(event)
    sentence = f"Returned {what}" if what else f"{number or 'An order'} was refunded"
    return sentence, joined(where(event), number if what else "", words_of(event.properties.get("reason")))


def fetched(verb: str, after: str) -> Phrase:
    """`verb Espresso beans 1 kg after 36 minutes`, with the place, the order and the reason."""

    def told(event: Event) -> tuple[str, str]:
        what, waited = products_text(event.properties), event.properties.get("wait_minutes")
        known = isinstance(waited, int) and not isinstance(waited, bool) and 0 <= waited < 10**5
        time = f" {after} {waited} minute{'' if waited == 1 else 's'}" if known else ""
        reason = words_of(event.properties.get("reason"))
        return f"{verb} {what or 'an order'}{time}", joined(where(event), order_number(event), reason)

    return told


def checkout_failed(event: Event) -> tuple[str, str]:
    """`The checkout failed`, with what was said about it and the version of the app."""
    app = event.context.get("app")
    version = first(app, "version", limit=20) if isinstance(app, dict) else ""
    said = words_of(event.properties.get("error") or event.properties.get("reason"))
    return "The checkout failed", joined(said, f"app {version}" if version else "", where(event))


def of_order(verb: str) -> Phrase:
    """`verb order 771204`."""

    def told(event: Event) -> tuple[str, str]:
        number = first(event.properties, "order_id", "orderId", limit=40)
        return f"{verb} order {number}" if number else f"{verb} an order", where(event)

    return told


def step(verb: str) -> Phrase:
    """`verb checkout step 2`."""

    def told(event: Event) -> tuple[str, str]:
        step = first(event.properties, "step", limit=20)
        return f"{verb} checkout step {step}" if step else f"{verb} a checkout step", ""

    return told


def coupon(verb: str, after: str = "") -> Phrase:
    """`verb coupon C-9X2 after`, with the reason and the place."""

    def told(event: Event) -> tuple[str, str]:
        code = first(event.properties, "coupon_id", "coupon", "coupon_name", limit=40)
        thing = f"coupon {code}" if code else "a coupon"
        sentence = f"{verb} {thing}{after}".strip()
        return sentence[:1].upper() + sentence[1:], joined(
            words_of(event.properties.get("reason")), where(event)
        )

    return told


def browsed(event: Event) -> tuple[str, str]:
    """`Browsed coffee`."""
    shelf = first(event.properties, "category", "list_id")
    return f"Browsed {shelf}" if shelf else "Browsed a list of products", where(event)


def reviewed(event: Event) -> tuple[str, str]:
    """`Reviewed …`, with the rating."""
    rating = first(event.properties, "rating", limit=10)
    return f"Reviewed {products_text(event.properties) or 'a product'}", f"Rating {rating}" if rating else ""


# --- who they are -------------------------------------------------------------------------------------------


def identified(event: Event) -> tuple[str, str]:
    """How somebody said who they are: a card scanned, an address typed at a kiosk or told to staff, a log-in."""
    how = event.context.get("identification")
    mode = str(how.get("mode", ""))[:40] if isinstance(how, dict) else ""
    device = device_text(event)
    at = f" at {device}" if device else ""
    fields = listed([words_of(name) for name in event.traits], 4)
    if mode == "card_read":
        return f"Scanned card{at}", place_text(event)
    thing = contact(event)
    if event.channel == "crm":
        return "Customer record updated", fields
    if thing and event.channel in ("pos", "associate_tablet", "call_centre"):
        in_call = event.channel == "call_centre"
        return f"Gave {thing} {'in a call' if in_call else 'to staff'}{'' if in_call else at}", place_text(
            event
        )
    if thing:
        confirmed = isinstance(how, dict) and (how.get("confirmed") is True or mode in ("code", "otp"))
        return f"Typed {thing}{at}{', confirmed by code' if confirmed else ''}", place_text(event)
    if event.user_id and not event.traits:
        return f"Logged in{at}", place_text(event)
    return "Details updated", fields


def contact(event: Event) -> str:
    """What an identification told that one can be reached by."""
    if event.traits.get("email"):
        return "an e-mail"
    if event.traits.get("phone"):
        return "a phone number"
    return ""


def joined_group(event: Event) -> tuple[str, str]:
    """`Joined Alder & Rosso`: a membership of an account."""
    return f"Joined {clean(event.traits.get('name')) or clean(event.group_id) or 'a group'}", ""


def consented(event: Event) -> tuple[str, str]:
    """`Agreed to e-mail marketing` or `Refused …`, with the text and the place as proof."""
    claim = event.consents[0] if event.consents else None
    purpose = words_of(claim.purpose if claim else event.properties.get("purpose")) or "a purpose"
    granted = claim.granted if claim else event.properties.get("granted") is True
    version = clean(claim.text_version if claim else event.properties.get("text_version"), 40)
    place = clean(claim.place if claim else event.properties.get("place"), 40)
    more = f" and {len(event.consents) - 1} more" if len(event.consents) > 1 else ""
    return f"{'Agreed to' if granted else 'Refused'} {purpose}{more}", joined(
        f"Text {version}" if version else "", place or where(event)
    )


# --- places, calls, service ---------------------------------------------------------------------------------


def viewed_page(event: Event) -> tuple[str, str]:
    """`Looked at` a page by its title, else its path."""
    page = event.context.get("page")
    told = page if isinstance(page, dict) else {}
    title = first(event.properties, "title", "name") or first(told, "title")
    path = first(event.properties, "path") or first(told, "path") or first(event.properties, "url")
    return f"Looked at {title or path or 'a page'}", path if title else ""


def viewed_screen(event: Event) -> tuple[str, str]:
    """`Opened the screen` of an app."""
    return f"Opened the screen {first(event.properties, 'name', 'title') or 'of the app'}", ""


def dwelled(event: Event) -> tuple[str, str]:
    """`Stayed 1 min 14 s in the pet zone`."""
    time = duration_text(event.properties.get("seconds")) or "a while"
    zone = first(event.properties, "zone", limit=40)
    return f"Stayed {time}{f' in the {zone} zone' if zone else ' in a zone'}", place_text(event)


def called(event: Event) -> tuple[str, str]:
    """`Called about a late delivery, order 770958`."""
    reason = first(event.properties, "reason", "topic", "subject")
    number = order_number(event).lower()
    return joined(f"Called about {with_article(reason)}" if reason else "Called", number), device_text(event)


def call_ended(event: Event) -> tuple[str, str]:
    """`Call ended`, with its length and whether it helped."""
    resolved = event.properties.get("resolved")
    state = "" if not isinstance(resolved, bool) else "resolved" if resolved else "not resolved"
    seconds = event.properties.get("duration_s", event.properties.get("seconds"))
    return "Call ended", joined(duration_text(seconds), state)


def complained(event: Event) -> tuple[str, str]:
    """`Complained about …`, with the order."""
    topic = first(event.properties, "topic", "reason", "subject")
    return f"Complained about {with_article(topic)}" if topic else "Complained", joined(
        order_number(event), where(event)
    )


def talked(event: Event) -> tuple[str, str]:
    """`Talked with an associate about …`, with who it was."""
    topic = listed(event.properties.get("topic"))
    who = first(event.properties, "associate_id", limit=40)
    said = f"Talked with an associate{f' about {topic}' if topic else ''}"
    return said, joined(f"Associate {who}" if who else "", where(event))


def answered(event: Event) -> tuple[str, str]:
    """`Answered a survey: 4`."""
    score = first(event.properties, "score", limit=10)
    kind = first(event.properties, "kind", limit=20)
    kind = kind.upper() if len(kind) <= 4 else words_of(kind)
    return f"Answered a survey{f': {score}' if score else ''}", joined(
        kind, words_of(event.properties.get("moment"))
    )


# --- ours ---------------------------------------------------------------------------------------------------


def offered(event: Event) -> tuple[str, str]:
    """`Offered: …` with its probability; `Nothing offered` when the choice was to leave them alone."""
    name = first(event.properties, "offer_name", "offer", "title", "name", "action", "offer_id")
    chance = event.properties.get("propensity")
    known = isinstance(chance, float) and 0.0 <= chance <= 1.0
    detail = joined(f"Probability {chance:.2f}" if known else "", where(event))
    if name.lower() in ("nothing", "none"):
        return "Nothing offered", detail
    return f"Offered: {name}" if name else "An offer was made", detail


def to_offer(verb: str) -> Phrase:
    """`Accepted the offer: …` and the like."""

    def told(event: Event) -> tuple[str, str]:
        name = first(event.properties, "offer_name", "offer", "title", "name", "action", "offer_id")
        return f"{verb}: {name}" if name else verb, where(event)

    return told


def to_message(verb: str, after: str = "", *, says: str = "subject") -> Phrase:
    """`Opened “Your machine is due a clean”`, else `Opened an e-mail`, with the campaign as detail."""

    def told(event: Event) -> tuple[str, str]:
        title = first(event.properties, says, "email_subject", "title", "name")
        channel = str(event.properties.get("channel") or event.name.partition(" ")[0].lower())
        kind = _MESSAGES.get(channel) or _MESSAGES.get(event.channel, "a message")
        campaign = first(event.properties, "campaign_name", "campaign_id", "journey", limit=60)
        reason = words_of(event.properties.get("reason"))
        return f"{verb} {f'“{title}”' if title else kind}{after}", joined(campaign, reason)

    return told


def replied(event: Event) -> tuple[str, str]:
    """`Replied “size 42?”`."""
    text = first(event.properties, "text", "body")
    return f"Replied “{text}”" if text else "Replied to a message", first(
        event.properties, "campaign_id", limit=60
    )


def not_sent(event: Event) -> tuple[str, str]:
    """`Not sent: no SMS consent`."""
    reason = words_of(event.properties.get("reason"))
    return f"Not sent: {reason}" if reason else "A message was not sent", first(
        event.properties, "campaign_id"
    )
