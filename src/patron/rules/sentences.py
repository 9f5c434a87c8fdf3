"""Conditions as people read them. Used for "why", "why not" and the rules on an offer's page."""

from typing import Any

from patron.model.money import from_units, to_units
from patron.model.offers import Condition

_AMOUNTS = {
    "=": "exactly",
    "!=": "other than",
    ">": "more than",
    ">=": "at least",
    "<": "less than",
    "<=": "at most",
}
_WORDS = {"=": "is", "!=": "is not", ">": "is over", ">=": "is at least", "<": "is under", "<=": "is at most"}
CHANNEL_NAMES = {
    "web": "on the web",
    "app": "in the app",
    "pos": "at a till",
    "kiosk": "at a kiosk",
    "associate_tablet": "with an associate",
    "call_centre": "in a call",
    "email": "by e-mail",
    "sms": "by SMS",
    "push": "by push message",
    "signage": "at a display",
    "paid_media": "through an advertisement",
    "crm": "in the CRM",
    "backend": "in a back-end system",
}


def sentence(condition: Condition) -> str:
    """A condition in words, to follow "the person" (or, for `context`, to stand alone).

    >>> sentence(Condition("totals.orders", ">=", 2))
    'has bought at least 2 times'
    >>> sentence(Condition("last_seen_days", "<", 7)), sentence(Condition("traits.city", "in", ["Turin", "Bari"]))
    ('was last seen less than 7 days ago', 'has a city that is one of Turin, Bari')
    """
    root, _, name = condition.field.partition(".")
    if root == "stock":
        what, _, product = name.partition("@")
        named = f"stock of {product}" if product else "stock"
        return _described(root, named if what == "quantity" else f"age of {named} in hours", condition)
    if root in ("traits", "context"):
        return _described(root, name, condition)
    if root in ("first_seen_days", "last_seen_days"):
        return _seen(root.split("_")[0], condition)
    if root == "totals" and name != "orders":
        return _spent(name.removeprefix("revenue."), condition)
    did = {"totals": "bought", "channels": f"been seen {CHANNEL_NAMES.get(name, 'in ' + name)}"}
    return _happened(did.get(root, f"done “{name}”"), condition)


def value_text(field: str, value: Any) -> str:
    """A value for people: money with its currency, lists with commas, long texts cut, no control characters.

    >>> value_text("totals.revenue.EUR", 413000), value_text("traits.likes", ["tea", "milk"])
    ('EUR 41.30', 'tea, milk')
    """
    if field.startswith("totals.revenue.") and isinstance(value, int):
        return f"{field.rpartition('.')[2]} {from_units(value)}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return clean(", ".join(value_text("", item) for item in value[:5]) + (" …" if len(value) > 5 else ""))
    return clean(str(value))


def clean(text: str, limit: int = 80) -> str:
    r"""Text that is safe to put in a sentence: one line, printable, no direction marks, at most `limit` characters.

    >>> clean("Ana\u202e\x00  Rossi")
    'Ana Rossi'
    """
    if len(text) <= limit and text.isprintable() and "  " not in text:
        return text.strip()
    kept = "".join(c for c in text[: limit * 4] if c.isprintable() or c.isspace())
    line = " ".join(kept.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _described(root: str, name: str, condition: Condition) -> str:
    what, op = clean(name.replace("_", " ").replace(".", " ")), condition.op
    if op in ("exists", "missing"):
        known = "a known" if op == "exists" else "no known"
        return (
            f"has {known} {what}"
            if root == "traits"
            else f"{what} is {'known' if op == 'exists' else 'not known'} here"
        )
    if op == "in":
        predicate = f"is one of {value_text('', condition.value)}"
    elif op == "has":
        predicate = f"includes {value_text('', condition.value)}"
    else:
        predicate = f"{_WORDS[op]} {value_text('', condition.value)}"
    return f"has a {what} that {predicate}" if root == "traits" else f"{what} {predicate} here and now"


def _seen(which: str, condition: Condition) -> str:
    if condition.op in ("exists", "missing"):
        return "has been seen before" if condition.op == "exists" else "has never been seen"
    return f"was {which} seen {_amount(condition)} days ago"


def _spent(currency: str, condition: Condition) -> str:
    if condition.op in ("exists", "missing"):
        return f"has {'spent' if condition.op == 'exists' else 'never spent'} money in {currency}"
    many = condition.value if isinstance(condition.value, list | tuple) else [condition.value]
    amounts = ", ".join(from_units(to_units(v) or 0) for v in many)
    return f"has spent {'one of' if condition.op == 'in' else _AMOUNTS[condition.op]} {currency} {amounts}"


def _happened(did: str, condition: Condition) -> str:
    if condition.op in ("exists", "missing"):
        return f"has {'' if condition.op == 'exists' else 'never '}{did}"
    return f"has {did} {_amount(condition)} {'time' if condition.value == 1 else 'times'}"


def _amount(condition: Condition) -> str:
    words = "one of" if condition.op == "in" else _AMOUNTS[condition.op]
    return f"{words} {value_text('', condition.value)}"
