"""Small pieces of text that sentences are made of. Strings of strangers pass as text; markup is the template's job.

Nothing that a client sent can turn a line around, end it, or hide: control characters are shown as pictures, marks
of direction and other invisible ones are shown as a replacement sign or taken out, and every text has a length.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from patron.model.events import Event
from patron.model.money import from_units

MINUS = "−"
_SIGNS = {"EUR": "€", "GBP": "£", "USD": "$"}
_SHOWN = {
    **{code: chr(0x2400 + code) for code in range(0x20)},
    0x7F: "␡",
    **dict.fromkeys((0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x85, 0x2028, 0x2029), " "),
    **dict.fromkeys((c for c in range(0x80, 0xA0) if c != 0x85), "�"),
    **dict.fromkeys((0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)), "�"),
    **dict.fromkeys((0x00AD, 0x200B, 0x2060, 0xFEFF, *range(0xFFF9, 0xFFFC), *range(0xE0000, 0xE0080)), None),
    **dict.fromkeys(range(0xD800, 0xE000), "�"),
}
_DEVICES = {
    "pos": "till",
    "kiosk": "kiosk",
    "associate_tablet": "tablet",
    "call_centre": "desk",
    "signage": "display",
}


def clean(value: object, limit: int = 80) -> str:
    r"""A client's text, harmless to show: one line, nothing invisible, at most `limit` characters.

    >>> clean("a\x00b\u202ec\nd"), clean("x" * 9, 5), clean(None), clean(12)
    ('a␀b�c d', 'xxxx…', '', '12')
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    text = " ".join(str(value)[: 8 * limit].translate(_SHOWN).split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def money_text(units: int, currency: str) -> str:
    """An amount for people: `€1,234.50`; the code in front where the currency has no sign here; a true minus.

    >>> money_text(219000, "EUR"), money_text(-12345678, "CHF"), money_text(0, "USD")
    ('€21.90', '−CHF 1,234.5678', '$0.00')
    """
    whole, _, rest = from_units(abs(units)).partition(".")
    sign = _SIGNS.get(currency, f"{currency} ")
    return f"{MINUS if units < 0 else ''}{sign}{int(whole):,}.{rest}"


def first(values: Mapping[str, Any], *names: str, limit: int = 80) -> str:
    """The first of these values that has a text.

    >>> first({"name": "", "product_id": "P1"}, "name", "product_id")
    'P1'
    """
    return next((text for name in names if (text := clean(values.get(name), limit))), "")


def products_text(properties: Mapping[str, Any]) -> str:
    """What an event is about: `Espresso beans 1 kg`, `2 × Milk jug and 3 more`; empty when it names nothing.

    >>> products_text({"products": [{"name": "Milk jug", "quantity": 2}, {"product_id": "P2"}]})
    '2 × Milk jug and 1 more'
    """
    listed = properties.get("products")
    lines = [p for p in listed if isinstance(p, dict)] if isinstance(listed, list) else []
    if not lines:
        return first(properties, "name", "product_name", "product_id", "sku")
    name = first(lines[0], "name", "product_name", "product_id", "sku")
    if not name:
        return f"{len(lines)} product{'s' if len(lines) > 1 else ''}"
    quantity = lines[0].get("quantity")
    if isinstance(quantity, int) and 1 < quantity < 10**6:
        name = f"{quantity} × {name}"
    return name if len(lines) == 1 else f"{name} and {len(lines) - 1} more"


def device_text(event: Event) -> str:
    """The device that an event came from: `till 12-2`, `kiosk K-07`; empty for people's own devices.

    >>> device_text(Event(1, "k", "kiosk", "track", "X", "m", 0, 0, touchpoint="K-07"))
    'kiosk K-07'
    """
    kind = _DEVICES.get(event.channel)
    name = clean(event.touchpoint, 40)
    if not kind or not name:
        return ""
    return f"{kind} {re.sub(f'^{kind}[-_ ]+', '', name, flags=re.IGNORECASE)}"


def place_text(event: Event) -> str:
    """Where it happened: the store's name when told, else its number; empty when it was in none.

    >>> place_text(Event(1, "k", "pos", "track", "X", "m", 0, 0, properties={"store_id": "S12"}))
    'Store S12'
    """
    touchpoint = event.context.get("touchpoint")
    told = touchpoint if isinstance(touchpoint, dict) else {}
    name = first(told, "store_name") or first(event.properties, "store_name", "store")
    number = clean(event.store, 40) or first(event.properties, "store_id", limit=40)
    return name or (f"Store {number}" if number else first(event.properties, "place", limit=40))


def duration_text(seconds: object) -> str:
    """A length of time: `3 min 10 s`.

    >>> duration_text(190), duration_text(3700), duration_text(74.4), duration_text("x")
    ('3 min 10 s', '1 h 1 min', '1 min 14 s', '')
    """
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds < 10**7:
        return ""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(hours, "h"), (minutes, "min")] if hours else [(minutes, "min"), (rest, "s")]
    return " ".join(f"{n} {unit}" for n, unit in parts if n) or "0 s"


def joined(*parts: str, limit: int = 200) -> str:
    """Parts that are not empty, with commas.

    >>> joined("Home delivery", "", "Order 771204")
    'Home delivery, Order 771204'
    """
    return clean(", ".join(p for p in parts if p), limit)


def words_of(name: object) -> str:
    """An identifier of a program as words: `email_marketing` becomes `e-mail marketing`. Words stay as they are.

    >>> words_of("email_marketing"), words_of("inStorePickup"), words_of("Did not fit")
    ('e-mail marketing', 'in store pickup', 'Did not fit')
    """
    text = clean(name)
    if " " in text:
        return text
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|_+", " ", text).lower()
    return re.sub(r"\bsms\b", "SMS", re.sub(r"\be-?mail\b", "e-mail", spaced)).strip()


def with_article(thing: str) -> str:
    """`a late delivery`, `an invoice`; as it is when it has an article or is not one thing in plain words.

    >>> with_article("late delivery"), with_article("invoice"), with_article("the bill"), with_article("Order 7")
    ('a late delivery', 'an invoice', 'the bill', 'Order 7')
    """
    words = thing.split()
    if not words or not thing[0].islower() or len(words) > 4 or thing.endswith("s"):
        return thing
    if words[0] in ("a", "an", "the", "my", "his", "her", "their", "our", "how", "when", "where", "why"):
        return thing
    return f"{'an' if thing[0] in 'aeiou' else 'a'} {thing}"


def listed(values: object, most: int = 3) -> str:
    """A short list of texts: `coffee, tea and 2 more`.

    >>> listed(["a", "b", "c", "d"]), listed("a"), listed(None)
    ('a, b, c and 1 more', 'a', '')
    """
    if not isinstance(values, Sequence) or isinstance(values, str):
        return clean(values)
    texts = [text for value in values[:100] if (text := clean(value, 40))]
    more = len(texts) - most
    return ", ".join(texts[:most]) + (f" and {more} more" if more > 0 else "")
