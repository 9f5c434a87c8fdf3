"""Events and people in plain sentences, for the console's timeline and head of the person page."""

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

from patron.model.clock import DAY
from patron.model.events import Event
from patron.profiles.amounts import UNPRICED, currency_of, first_amount, lines_of
from patron.profiles.merge import Profile
from patron.profiles.orders import REFUND, REVENUE
from patron.profiles.phrasebook import OURS, OURS_PREFIXES, PHRASES, phrase
from patron.profiles.phrases import STORE_CHANNELS
from patron.profiles.wording import clean, money_text

LONGEST = 160
"""Longest sentence, in characters; details have 200."""

_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_HABITS = {
    **dict.fromkeys(STORE_CHANNELS, "in store"),
    "web": "on the web",
    "app": "in the app",
    "call_centre": "by phone",
}
"""Channels in which people come to us by themselves; messages that we send are no habit of theirs."""
_STRONGEST = ("email", "phone", "card", "user_id", "crm_id")
_PAID = ("Order Completed", "App Checkout Completed")


class Told(NamedTuple):
    """An event in words: `sentence`, a second line, an amount (`€21.90`), and whether it was our doing."""

    sentence: str
    detail: str = ""
    money: str = ""
    ours: bool = False


def sentence(event: Event, currency: str = "EUR") -> Told:
    """What happened, for people. `currency` is the one of amounts that name none.

    >>> sentence(Event(1, "till", "pos", "track", "Order Completed", "m", 0, 0, store="S12", touchpoint="till-12-3",
    ...     properties={"revenue": 21.9, "products": [{"product_id": "P1", "name": "Espresso beans 1 kg"}]}))
    Told(sentence='Bought Espresso beans 1 kg', detail='Store S12, till 12-3', money='€21.90', ours=False)
    """
    told, detail = phrase(event)
    ours = event.name in OURS or event.name.startswith(OURS_PREFIXES)
    return Told(clean(told, LONGEST), clean(detail, 200), _money(event, currency), ours)


def _money(event: Event, currency: str) -> str:
    """The amount of an order or refund; of an event that only its sender knows, its revenue."""
    name, properties = event.name, event.properties
    if name == "Order Refunded":
        units = first_amount(properties, REFUND)
    elif name in _PAID:
        units = first_amount(properties, REVENUE)
    elif event.type == "track" and name not in PHRASES:
        units = first_amount(properties, ("revenue",)) or None
        return "" if units is None else money_text(units, currency_of(properties, currency))
    else:
        return ""
    if units is None:
        priced = [total for _, total in lines_of(properties).values() if total != UNPRICED]
        if not priced:
            return ""
        units = sum(priced)
    return money_text(-abs(units) if name == "Order Refunded" else units, currency_of(properties, currency))


def summary(profile: Profile, now: int) -> str:
    """A person in one or two short sentences. Days are UTC.

    >>> from patron.profiles.orders import Purchase
    >>> from patron.profiles.merge import Seen, Totals
    >>> summary(Profile(first=0, last=5 * DAY, channels={"pos": Seen(0, 0, 3)}, totals=Totals(orders=1),
    ...                 orders={"o": Purchase(5 * DAY, "EUR", "pos", 1)}), 9 * DAY)
    'Customer since January 1970, only in store. Last bought on 6 January.'
    """
    if profile.first is None or profile.last is None:
        return "Nothing is known yet."
    bought = [order.time for order in profile.orders.values() if not order.cancelled]
    since = min(bought) if bought else profile.first
    start = f"{'Customer' if bought else 'Known'} since {_month(min(since, profile.first))}{_habit(profile)}."
    if bought:
        return f"{start} Last bought on {_day(max(bought), now)}."
    return f"{start} Last seen on {_day(profile.last, now)}, has not bought yet."


def _habit(profile: Profile) -> str:
    habits: dict[str, int] = {}
    for channel, seen in profile.channels.items():
        habit = _HABITS.get(channel)
        if habit is not None:
            habits[habit] = habits.get(habit, 0) + seen.events
    if not habits:
        return ""
    total = sum(habits.values())
    most, count = max(habits.items(), key=lambda pair: (pair[1], pair[0]))
    if count == total:
        return f", only {most}"
    return f", mostly {most}" if 2 * count > total else ", in several channels"


def _date(time: int) -> dt.date:
    return dt.date(1970, 1, 1) + dt.timedelta(days=min(max(time // DAY, -719_162), 2_932_896))


def _month(time: int) -> str:
    date = _date(time)
    return f"{_MONTHS[date.month - 1]} {date.year}"


def _day(time: int, now: int) -> str:
    date = _date(time)
    year = "" if date.year == _date(now).year else f" {date.year}"
    return f"{date.day} {_MONTHS[date.month - 1]}{year}"


def display_name(profile: Profile, identifiers: Sequence[str] = ()) -> str:
    """What to call a person: their name; else their strongest identifier (`type:value` keys); else `Not identified`.

    >>> display_name(Profile(), ["anonymous_id:c17-0", "email:ana@x.it"]), display_name(Profile(), ["device_id:9"])
    ('ana@x.it', 'Not identified')
    """
    given = _trait(profile, "first_name", "firstName", "firstname", "given_name")
    family = _trait(profile, "last_name", "lastName", "lastname", "family_name")
    name = " ".join(part for part in (given, family) if part) if given and family else ""
    name = name or _trait(profile, "name", "full_name") or given or family
    if name:
        return clean(name, 80)
    for kind in _STRONGEST:
        found = sorted(key.partition(":")[2] for key in identifiers if key.partition(":")[0] == kind)
        if found:
            return clean(found[0] if kind in ("email", "phone") else f"{_KINDS[kind]} {found[0]}", 80)
    return "Not identified"


_KINDS = {"card": "Card", "user_id": "User", "crm_id": "Record"}


def _trait(profile: Profile, *names: str) -> str:
    for name in names:
        written = profile.traits.get(name)
        text = clean(written.value) if written is not None and isinstance(written.value, str) else ""
        if text:
            return text
    return ""
