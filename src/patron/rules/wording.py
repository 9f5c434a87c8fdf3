"""Pieces of the sentence that a rule is: values, fields, windows, filters."""

from collections.abc import Callable, Mapping
from typing import Any

from patron.rules.faults import clip
from patron.rules.filters import PLACE, PROPERTIES
from patron.rules.sentences import CHANNEL_NAMES
from patron.rules.tree import Where, Window

AMOUNT = {
    "=": "exactly",
    "!=": "other than",
    ">": "more than",
    ">=": "at least",
    "<": "less than",
    "<=": "at most",
}
_IS = {
    **{op: f"is {words}" for op, words in AMOUNT.items()},
    "=": "is",
    "!=": "is not",
    "in": "is",
    "not_in": "is not",
    "has": "includes",
    "starts_with": "begins with",
    "ends_with": "ends with",
}
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_SHOWN = 5
"""Values of a list that a sentence names."""


def value_words(value: Any) -> str:
    """A value, or several with "or" before the last.

    >>> value_words(["web", "app"]), value_words(True), value_words({"param": "days"}), value_words(12.0)
    ('web or app', 'yes', 'a given number (days)', '12')
    """
    if isinstance(value, list | tuple):
        return either([value_words(one) for one in value])
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return f"a given number ({clip(str(value.get('param', '')))})"
    if isinstance(value, float) and value == int(value):
        value = int(value)
    return clip(f"{value:,}" if isinstance(value, int) and abs(value) >= 10_000 else str(value)) or "nothing"


def either(words: list[str]) -> str:
    """Alternatives, the last after "or"; of many only the first are named.

    >>> either(["a", "b", "c"]), either(list("abcdefgh"))
    ('a, b or c', 'a, b, c, d, e or 3 more')
    """
    if len(words) > _SHOWN + 1:
        words = [*words[:_SHOWN], f"{len(words) - _SHOWN} more"]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def field_words(field: str) -> str:
    """A field as people read it: the last name of its path.

    >>> field_words("properties.products[].category"), field_words("traits.loyaltyCard"), field_words("store_id")
    ('category', 'loyalty card', 'store id')
    """
    last = field.replace("[]", "").rpartition(".")[2]
    apart = "".join(
        f" {c.lower()}" if c.isupper() and at and last[at - 1].islower() else c for at, c in enumerate(last)
    )
    return clip(apart.replace("_", " ").strip()) or "value"


def plural(word: str) -> str:
    """Several of a field.

    >>> plural("category"), plural("channel")
    ('categories', 'channels')
    """
    return f"{word[:-1]}ies" if word.endswith("y") and word[-2:-1] not in "aeiou" else f"{word}s"


def weekdays(value: Any) -> Any:
    """Numbers of weekdays, or their texts, as names; anything else as it is.

    >>> weekdays(["6", 7]), weekdays("x")
    (['Saturday', 'Sunday'], 'x')
    """
    if isinstance(value, list | tuple):
        return [weekdays(one) for one in value]
    named = str(value) if isinstance(value, int | str) else ""
    return _DAYS[int(named) - 1] if named in tuple("1234567") else value


def comparison(op: str, value: Any) -> str:
    """What is said of a value, to follow its name.

    >>> comparison(">=", 2), comparison("in", ["tea", "milk"]), comparison("missing", None)
    ('is at least 2', 'is tea or milk', 'is not known')
    """
    if op in ("exists", "missing"):
        return "is known" if op == "exists" else "is not known"
    if op in ("in_last", "in_next"):
        return f"lies in the {op.removeprefix('in_')} {counted(value, 'day')}"
    return f"{_IS[op]} {value_words(value)}"


def distance_words(km: Any) -> str:
    """A distance: metres below one kilometre.

    >>> distance_words(0.5), distance_words(5), distance_words({"param": "far"})
    ('500 m', '5 km', 'a given number (far) of km')
    """
    if isinstance(km, int | float) and km < 1:
        return f"{value_words(round(km * 1000, 3))} m"
    return f"{value_words(km)}{' of' if isinstance(km, Mapping) else ''} km"


def counted(number: Any, unit: str) -> str:
    """A number of something.

    >>> counted(1, "day"), counted(30, "day"), counted({"param": "n"}, "hour")
    ('1 day', '30 days', 'a given number (n) of hours')
    """
    words = value_words(number)
    return (
        f"{words} of {unit}s"
        if isinstance(number, Mapping)
        else f"{words} {unit}{'' if number == 1 else 's'}"
    )


def window_words(window: Window | None) -> str:
    """The window of events, "" for all time.

    >>> window_words(Window(days=30)), window_words(Window(days=1)), window_words(None)
    ('in the last 30 days', 'today', '')
    """
    if window is None:
        return ""
    if window.days == 1:
        return "today"
    return "in this hour" if window.hours == 1 else f"in the last {length_words(window)}"


def length_words(window: Window) -> str:
    """How long a window is.

    >>> length_words(Window(hours=2))
    '2 hours'
    """
    unit, length = ("day", window.days) if window.days is not None else ("hour", window.hours)
    return counted(length if isinstance(length, int) else {"param": getattr(length, "param", "")}, unit)


def filter_words(where: Where) -> str:
    """A filter, to follow what somebody did.

    >>> filter_words(Where("channel", "in", ["web", "app"])), filter_words(Where("properties.price", ">", 5))
    ('on the web or in the app', 'where price is more than 5')
    >>> filter_words(Where("properties.coupon", "exists")), filter_words(Where("weekday", "in", [6, 7]))
    ('with a coupon', 'on Saturday or Sunday')
    """
    field, op, value = where.field, where.op, where.value
    given = isinstance(value, Mapping) and "param" in value
    if field == PLACE and not given:
        place = f"store {value['store']}" if "store" in value else f"{value['lat']}, {value['lon']}"
        return f"within {distance_words(value['km'])} of {place}"
    if field == "account" and op in ("exists", "missing"):
        return "for an account" if op == "exists" else "for themselves"
    if field == "hour" and not given and op in (">=", "<"):
        return f"{'from' if op == '>=' else 'before'} {value}:00"
    if op in ("=", "!=", "in", "not_in") and not given and field in _SAID:
        many = value if isinstance(value, list | tuple) else [value]
        said = ("on " if field == "weekday" else "") + either([_SAID[field](one) for one in many])
        return said if op in ("=", "in") else f"other than {said}"
    if op in ("exists", "missing") and field.startswith(PROPERTIES):
        word = field_words(field)
        article = "an" if word[:1].lower() in "aeiou" else "a"
        return f"{'with' if op == 'exists' else 'without'} {article} {word}"
    return f"where {field_words(field)} {comparison(op, value)}"


_SAID: dict[str, Callable[[Any], Any]] = {
    "channel": lambda value: CHANNEL_NAMES.get(value, f"in {clip(str(value))}"),
    "weekday": weekdays,
    "store": lambda value: f"in store {clip(str(value))}",
    "hour": lambda value: f"between {value}:00 and {int(value) + 1}:00",
}
