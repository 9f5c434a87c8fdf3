"""Conditions on a person's facts: which fields and operators there are, and what is wrong with a condition.

| field | means | value |
|---|---|---|
| `traits.NAME` | a trait; nested ones by dots | text, number, true/false, list |
| `counters.EVENT` | how often an event of that name happened | number |
| `totals.orders`, `totals.revenue.EUR` | orders and money, net of refunds | number, amount |
| `first_seen_days`, `last_seen_days` | whole days ago | number |
| `channels.CHANNEL` | events seen in a channel | number |
| `context.NAME` | what the touchpoint said in this ask, else what feeds say of its place and moment | as a trait |
| `stock.quantity`, `stock.age_hours` | stock of the offer's product in the touchpoint's store, and how old that news is | number |

What never happened has happened 0 times: a count or total that is not there (`counters`, `channels`, `totals`) compares as
0, so `counters.Product Viewed < 1` finds those who never viewed one, as `missing` does. Any other missing value matches
nothing but `missing`.
"""

import difflib
from typing import Any, Literal

from patron.model.events import CHANNELS
from patron.model.money import to_units
from patron.model.offers import Condition

OPERATORS = ("=", "!=", ">", ">=", "<", "<=", "in", "has", "exists", "missing")
ORDERINGS = (">", ">=", "<", "<=")
ROOTS = ("traits", "counters", "totals", "first_seen_days", "last_seen_days", "channels", "context", "stock")
MAX_TEXT = 500
MAX_LIST = 1000

Kind = Literal["any", "number", "money"]
STOCK = ("quantity", "age_hours")
_DAYS = ("first_seen_days", "last_seen_days")


def kind_of(field: str) -> Kind | None:
    """What a field holds, or None when there is no such field.

    >>> kind_of("traits.city"), kind_of("totals.orders"), kind_of("totals.revenue.EUR"), kind_of("city")
    ('any', 'number', 'money', None)
    """
    root, _, name = field.partition(".")
    if field in _DAYS or field == "totals.orders":
        return "number"
    if not name:
        return None
    if root in ("traits", "context"):
        return "any"
    if root == "counters" or (root == "channels" and name in CHANNELS):
        return "number"
    if root == "stock":  # `stock.quantity@P0101` names another product than the offer's
        return "number" if name.partition("@")[0] in STOCK else None
    currency = name.removeprefix("revenue.")
    if (
        root == "totals"
        and currency != name
        and len(currency) == 3
        and currency.isascii()
        and currency.isalpha()
        and currency.isupper()
    ):
        return "money"
    return None


def is_personal(field: str) -> bool:
    """Whether a field tells something about the person, not just about this ask.

    >>> is_personal("traits.city"), is_personal("context.weather")
    (True, False)
    """
    return not field.startswith(("context.", "stock."))


def counts(field: str) -> bool:
    """Whether a field counts or sums what happened, so that it is 0 when nothing did.

    >>> counts("counters.Product Viewed"), counts("totals.revenue.EUR"), counts("last_seen_days"), counts("traits.visits")
    (True, True, False, False)
    """
    return field.startswith(("counters.", "channels.", "totals."))


def check(condition: Condition) -> list[str]:
    """What is wrong with a condition, as sentences that say what to write instead; empty when it is good.

    >>> check(Condition("totals.orders", ">=", 2))
    []
    >>> check(Condition("total.orders", "=>", 2))
    ['unknown field `total.orders`; it starts with `totals`, not `total`', 'unknown operator `=>`; use one of = != > >= < <= in has exists missing']
    """
    kind = kind_of(condition.field)
    problems = [] if kind else [_unknown_field(condition.field)]
    if condition.op not in OPERATORS:
        return [*problems, f"unknown operator `{_clip(condition.op)}`; use one of {' '.join(OPERATORS)}"]
    problem = _value_problem(condition.op, condition.value, kind or "any")
    return [*problems, problem] if problem else problems


def _unknown_field(field: str) -> str:
    root, _, name = field.partition(".")
    if root == "channels" and name:
        return f"unknown channel `{_clip(name)}`; use one of {' '.join(CHANNELS)}"
    if root == "totals":
        return f"unknown field `{_clip(field)}`; totals are `totals.orders` and `totals.revenue.EUR` (a currency code)"
    if root == "stock":
        return f"unknown field `{_clip(field)}`; stock fields are `stock.quantity` and `stock.age_hours`"
    if root in ROOTS and root not in _DAYS:
        return f"the field `{root}` needs a name after it, as in `{root}.NAME`"
    near = difflib.get_close_matches(root, ROOTS, n=1)
    if near and near[0] != root:
        return f"unknown field `{_clip(field)}`; it starts with `{near[0]}`, not `{_clip(root)}`"
    return f"unknown field `{_clip(field)}`; fields start with one of {' '.join(ROOTS)}"


def _value_problem(op: str, value: Any, kind: Kind) -> str | None:
    if op in ("exists", "missing"):
        return None if value is None else f"`{op}` takes no value; leave `value` out"
    if op == "in":
        if not isinstance(value, list | tuple) or not value:
            return "`in` needs a list with at least one value"
        if len(value) > MAX_LIST:
            return f"`in` takes at most {MAX_LIST} values, this has {len(value)}"
        return next((p for p in (_scalar_problem("=", v, kind) for v in value) if p), None)
    if op == "has" and kind != "any":
        return "`has` looks into lists and texts; this field is a number: use = or >="
    return _scalar_problem(op, value, kind)


def _scalar_problem(op: str, value: Any, kind: Kind) -> str | None:
    if kind == "money":
        return (
            None
            if to_units(value) is not None
            else f'needs an amount such as 50 or "49.90", not {_show(value)}'
        )
    if isinstance(value, float) and not -float("inf") < value < float("inf"):
        return f"needs a finite number, not {value}"
    if kind == "number":
        good = isinstance(value, int | float) and not isinstance(value, bool)
        return None if good else f"needs a number, not {_show(value)}"
    if op in ORDERINGS and isinstance(value, bool):
        return f"`{op}` compares numbers or texts, not {_show(value)}"
    if not isinstance(value, str | int | float):
        return f"`{op}` needs a text, a number or true/false, not {_show(value)}"
    if isinstance(value, str) and len(value) > MAX_TEXT:
        return f"a text of at most {MAX_TEXT} characters is needed, this has {len(value)}"
    return None


def _show(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"the {'text' if isinstance(value, str) else type(value).__name__} {_clip(repr(value))}"


def _clip(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"
