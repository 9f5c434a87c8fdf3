"""Numbers, times and names as the console writes them (design: console, section 4)."""

import datetime as dt
import re
from collections.abc import Sequence
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

MINUS = "−"
_SIGNS = {"EUR": "€", "GBP": "£", "USD": "$", "JPY": "¥"}
_MINUTE, _HOUR, _DAY = 60_000, 3_600_000, 86_400_000

CHANNEL_NAMES = {
    "web": "Web",
    "app": "App",
    "pos": "Tills",
    "kiosk": "Kiosks",
    "associate_tablet": "Tablets",
    "call_centre": "Call centre",
    "email": "E-mail",
    "sms": "SMS",
    "push": "App push",
    "signage": "Displays",
    "paid_media": "Paid media",
    "crm": "CRM",
    "backend": "Back office",
}
KINDS = {
    "user_id": "User",
    "email": "E-mail",
    "phone": "Phone",
    "card": "Card",
    "crm_id": "CRM",
    "anonymous_id": "Browser",
    "device_id": "Device",
    "push_token": "Push token",
    "ga_client_id": "Analytics",
    "order_id": "Order",
    "visit_id": "Visit",
}
REASONS = {
    "unknown_channel": "Unknown channel",
    "event_too_large": "Event over 32 KiB",
    "too_deep": "Nested too deep",
    "too_wide": "Too many keys",
    "id_too_long": "Identifier too long",
    "time_out_of_range": "Time out of range",
    "not_a_number": "Not a number",
    "name_too_long": "Event name too long",
    "bad_text": "Text is not Unicode",
    "no_identifier": "No identifier",
    "collection_refused": "Collection refused",
    "id_conflict": "Same id, other content",
}
GATES = {
    "placement": "Right place",
    "channel": "Right channel",
    "validity": "Right time",
    "consent": "Consent",
    "identity": "Known well enough",
    "conditions": "Allowed by rule",
    "stock": "In stock here",
}


TRAITS = {
    "firstname": "First name",
    "lastname": "Last name",
    "fullname": "Full name",
    "birthday": "Birthday",
    "birthdate": "Date of birth",
    "dateofbirth": "Date of birth",
    "postalcode": "Postal code",
    "createdat": "Created",
}
"""Names of the Segment spec's traits for people, by the name in lower case without underscores."""


@lru_cache(maxsize=32)
def zone(name: str) -> dt.tzinfo:
    """The time zone of a name; UTC when this machine does not know it."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return dt.UTC


@lru_cache(maxsize=4096)
def _date(day: int, tz: dt.tzinfo) -> dt.datetime:
    return dt.datetime.fromtimestamp(day / 1000, tz)


def local(ms: int, tz: dt.tzinfo) -> dt.datetime:
    """A time of the log in the workspace's zone; years that no calendar holds are cut to it.

    >>> local(0, dt.UTC).year
    1970
    """
    return _date(min(max(ms, -62_135_596_800_000), 253_370_764_800_000), tz)


def count(number: int) -> str:
    """A count: exact to 99,999, then in thousands, then in millions.

    >>> count(48214), count(184_320), count(12_300_000), count(-7)
    ('48,214', '184k', '12.3M', '−7')
    """
    sign, size = (MINUS if number < 0 else ""), abs(number)
    if size < 100_000:
        return f"{sign}{size:,}"
    return f"{sign}{size // 1000:,}k" if size < 10_000_000 else f"{sign}{size / 1_000_000:,.1f}M"


def figure(value: float | str) -> str:
    """A value of a computed trait: a text as it is, a number with at most two digits after its point.

    >>> figure("coffee"), figure(684.2), figure(3), figure(1234.567), figure(-0.5)
    ('coffee', '684.2', '3', '1,234.57', '−0.5')
    """
    if isinstance(value, str):
        return value
    text = f"{abs(value):,.2f}".rstrip("0").rstrip(".")
    return f"{MINUS}{text}" if value < 0 and text != "0" else text


def amount(number: float) -> str:
    """An amount of the business's currency, or a factor, with as many decimals as it has, at most two.

    >>> amount(24.9), amount(1.0), amount(1234.567)
    ('24.90', '1', '1,234.57')
    """
    return f"{number:,.0f}" if number == int(number) else f"{number:,.2f}"


def plural(number: int, one: str, many: str = "") -> str:
    """A count with its noun.

    >>> plural(1, "event"), plural(1204, "event"), plural(2, "person", "people")
    ('1 event', '1,204 events', '2 people')
    """
    return f"{count(number)} {one if number == 1 else many or one + 's'}"


def money(amount: str, currency: str) -> str:
    """An amount with its sign: cents below 100,000, whole units above.

    >>> money("1234.5", "EUR"), money("-20.00", "GBP"), money("852000.40", "EUR"), money("10", "PLN")
    ('€1,234.50', '−£20.00', '€852,000', 'PLN 10.00')
    """
    value = float(amount)
    sign = _SIGNS.get(currency, f"{currency} ")
    digits = f"{abs(value):,.0f}" if abs(value) >= 100_000 else f"{abs(value):,.2f}"
    return f"{MINUS if value < 0 else ''}{sign}{digits}"


def rate(per_second: float) -> str:
    """A rate a second: whole from ten, one place below.

    >>> rate(41.2), rate(0.43), rate(0)
    ('41', '0.4', '0')
    """
    return f"{per_second:.0f}" if per_second >= 9.95 or per_second == 0 else f"{per_second:.1f}"


def percent(share: float, digits: int = 0) -> str:
    """A share as a percentage.

    >>> percent(0.381), percent(0.0412, 1)
    ('38%', '4.1%')
    """
    return f"{share * 100:.{digits}f}%"


def signed(share: float, digits: int = 1) -> str:
    """A change as a percentage without its sign `%`, always with plus or minus.

    >>> signed(0.041), signed(-0.05), signed(0.0)
    ('+4.1', '−5.0', '0.0')
    """
    text = f"{abs(share) * 100:.{digits}f}"
    if float(text) == 0:
        return text
    return f"{'+' if share > 0 else MINUS}{text}"


def probability(value: float) -> str:
    """A probability: two places, `1` and `0` as they are.

    >>> probability(0.6149), probability(1.0), probability(0.3333)
    ('0.61', '1', '0.33')
    """
    return "1" if value >= 0.9995 else "0" if value == 0 else f"{value:.2f}"


def size(megabytes: float) -> str:
    """A size in the unit that reads best.

    >>> size(0.42), size(812.3), size(20480)
    ('430 kB', '812 MB', '20.0 GB')
    """
    if megabytes < 1:
        return f"{megabytes * 1024:.0f} kB"
    return f"{megabytes:,.0f} MB" if megabytes < 10_000 else f"{megabytes / 1024:,.1f} GB"


def span(ms: float) -> str:
    """A length of time in its two largest units.

    >>> span(1.9), span(64_000), span(8_100_000), span(200_000_000)
    ('1.9 ms', '64 s', '2 h 15 min', '2 d 7 h')
    """
    if ms < 1000:
        return f"{ms:.1f} ms"
    if ms < 2 * _MINUTE:
        return f"{ms / 1000:.0f} s"
    if ms < _HOUR:
        return f"{ms / _MINUTE:.0f} min"
    if ms < _DAY:
        return f"{ms // _HOUR:.0f} h {ms % _HOUR // _MINUTE:.0f} min"
    return f"{ms // _DAY:.0f} d {ms % _DAY // _HOUR:.0f} h"


def hm(ms: int, tz: dt.tzinfo) -> str:
    """Hours and minutes."""
    return f"{local(ms, tz):%H:%M}"


def hms(ms: int, tz: dt.tzinfo) -> str:
    """Hours, minutes and seconds."""
    return f"{local(ms, tz):%H:%M:%S}"


def date(ms: int, tz: dt.tzinfo) -> str:
    """A short date: `21 Nov 2026`."""
    when = local(ms, tz)
    return f"{when.day} {when:%b} {when.year}"


def moment(ms: int, tz: dt.tzinfo) -> str:
    """A date and time for tables: `21 Nov 2026, 10:42`."""
    return f"{date(ms, tz)}, {hm(ms, tz)}"


def long_date(ms: int, tz: dt.tzinfo, *, year: bool = False) -> str:
    """A date in words: `Saturday 21 November`, with the year when asked."""
    when = local(ms, tz)
    return f"{when:%A} {when.day} {when:%B}" + (f" {when.year}" if year else "")


def day(ms: int, now: int, tz: dt.tzinfo) -> str:
    """The heading of a day in a timeline.

    >>> day(0, 3_600_000, dt.UTC), day(0, 86_400_000 * 400, dt.UTC)
    ('Today, Thursday 1 January', 'Thursday 1 January 1970')
    """
    when, today = local(ms, tz).date(), local(now, tz).date()
    text = long_date(ms, tz, year=when.year != today.year)
    if when == today:
        return f"Today, {text}"
    return f"Yesterday, {text}" if when == today - dt.timedelta(days=1) else text


def ago(ms: int, now: int, tz: dt.tzinfo) -> str:
    """Relative under an hour, the time today, the date before.

    >>> ago(0, 14 * 60_000, dt.UTC), ago(0, 5 * 3_600_000, dt.UTC), ago(0, 86_400_000 * 3, dt.UTC)
    ('14 min ago', '00:00 today', '1 Jan 1970')
    """
    passed = now - ms
    if 0 <= passed < _MINUTE:
        return "just now"
    if 0 <= passed < _HOUR:
        return f"{passed // _MINUTE} min ago"
    same_day = local(ms, tz).date() == local(now, tz).date()
    return f"{hm(ms, tz)} today" if same_day else date(ms, tz)


def channel(name: str) -> str:
    """A channel's name for people; an unknown one stays as it was sent."""
    return CHANNEL_NAMES.get(name, name)


def kind(identifier_type: str) -> str:
    """An identifier type's name for people; a declared custom one loses its underscores.

    >>> kind("email"), kind("club_number")
    ('E-mail', 'Club number')
    """
    return KINDS.get(identifier_type) or identifier_type.replace("_", " ").capitalize()


def trait(name: str) -> str:
    """A trait's name for people: known ones as people say them, others taken apart at humps and underscores.

    >>> trait("firstName"), trait("first_name"), trait("email"), trait("loyaltyTier"), trait("VIP")
    ('First name', 'First name', 'E-mail', 'Loyalty tier', 'VIP')
    """
    known = TRAITS.get(name.replace("_", "").replace(" ", "").casefold()) or KINDS.get(name)
    if known:
        return known
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name.replace("_", " ")).strip()
    return apart[:1].upper() + (apart[1:] if apart.isupper() else apart[1:].lower())


def purpose(name: str) -> str:
    """A purpose of a consent for people.

    >>> purpose("email_marketing"), purpose("sms_marketing"), purpose("personalization")
    ('E-mail marketing', 'SMS marketing', 'Personalization')
    """
    words = name.replace("_", " ").strip()
    first, _, rest = words.partition(" ")
    return f"{ {'email': 'E-mail', 'sms': 'SMS'}.get(first, first.capitalize()) } {rest}".strip()


def key_parts(key: str) -> tuple[str, str]:
    """Type and value of an identifier key.

    >>> key_parts("email:a@b.it"), key_parts("odd")
    (('email', 'a@b.it'), ('', 'odd'))
    """
    head, colon, tail = key.partition(":")
    return (head, tail) if colon else ("", key)


def own(keys: Sequence[str]) -> list[str]:
    """Identifiers of people; their single orders and visits left out.

    >>> own(["order_id:T-1", "card:29", "visit_id:k/2"])
    ['card:29']
    """
    return [key for key in keys if key_parts(key)[0] not in {"order_id", "visit_id"}]


def written(value: str, identifier_type: str) -> str:
    """An identifier's value as people write it: card numbers in groups of four.

    >>> written("29004471", "card"), written("29004471", "user_id")
    ('2900 4471', '29004471')
    """
    if identifier_type == "card" and value.isdigit():
        return " ".join(value[i : i + 4] for i in range(0, len(value), 4))
    return value


def label(key: str, width: int = 40) -> str:
    """An identifier key in words, cut to `width` characters.

    >>> label("card:29004471"), label("anonymous_id:8f2c11d0-aaaa-bbbb-cccc", 16), label("email:anna.bianchi@posta.example", 13)
    ('Card 2900 4471', 'Browser 8f2c11d…', 'anna.bianchi…')
    """
    type_, value = key_parts(key)
    value = written(value, type_)
    text = value if type_ in {"email", "phone", ""} else f"{kind(type_)} {value}"
    return text if len(text) <= width else text[: width - 1] + "…"


def reason(code: str) -> str:
    """Why a message was refused, for people."""
    return REASONS.get(code) or code.replace("_", " ").capitalize()


def place(channel_name: str, placement: str) -> str:
    """Where a decision was asked for.

    >>> place("pos", "till"), place("web", "home_hero"), place("web", "web_home")
    ('Till', 'Web, home hero', 'Web home')
    """
    one = {"pos": "Till", "kiosk": "Kiosk", "associate_tablet": "Tablet", "signage": "Display"}.get(
        channel_name
    ) or channel(channel_name)
    words = placement.replace("_", " ")
    if words.casefold().startswith((f"{one.casefold()} ", f"{channel_name} ")):
        return words.capitalize()
    return one if words.casefold() in {one.casefold(), channel_name, ""} else f"{one}, {words}"


def detail(sentence: str) -> str:
    """A verdict's sentence without the verdict, where that stands above it.

    >>> detail("Too early: 41 shown."), detail("Not measured.")
    ('41 shown.', 'Not measured.')
    """
    return sentence.removeprefix("Too early: ").removeprefix("No verdict: ")


def dropped(gate_name: str) -> str:
    """Why a candidate was dropped, in one word.

    >>> dropped("conditions"), dropped("stock")
    ('rule', 'stock')
    """
    return {"conditions": "rule", "validity": "time", "placement": "place"}.get(
        gate_name, gate_name.replace("_", " ")
    )


def gate(name: str) -> str:
    """A gate of a decision, for people."""
    return GATES.get(name) or name.replace("_", " ").capitalize()
