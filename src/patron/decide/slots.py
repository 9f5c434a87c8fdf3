"""The `because` sentence of an offer: a template whose slots are fields of the rule language.

`{totals.orders}`, `{context.weather}`; a name without a root is a trait, then something of the context:
`{last_category}`. Only look-ups: a template can call nothing, and a value cannot add slots.
"""

import re

from patron.rules.facts import Facts
from patron.rules.language import is_personal, kind_of
from patron.rules.sentences import clean, value_text

_SLOT = re.compile(r"\{([^{}]*)\}")
MAX_SENTENCE = 200


def slots(template: str) -> list[str]:
    """The names in braces, in order.

    >>> slots("Bought {last_category} {last_seen_days} days ago")
    ['last_category', 'last_seen_days']
    """
    return _SLOT.findall(template)


def slot_problem(template: str) -> str | None:
    """What is wrong with a template, or None.

    >>> slot_problem("Seen {last_seen} ago {")
    'a brace `{` or `}` without its partner; slots are written {totals.orders}'
    """
    rest = _SLOT.sub("", template)
    if "{" in rest or "}" in rest:
        return "a brace `{` or `}` without its partner; slots are written {totals.orders}"
    for name in slots(template):
        if not name.strip() or ("." in name and kind_of(name) is None):
            return f"unknown slot `{{{name}}}`; use a field of the rule language such as {{totals.orders}}"
    return None


def is_personal_slot(name: str) -> bool:
    """Whether filling a slot tells something about the person."""
    return is_personal(name)


def fill(template: str, facts: Facts) -> str | None:
    """The sentence with the person's own facts, or None when one of them is missing (then say something else).

    >>> fill("Bought {last_category} {last_seen_days} days ago", {"traits.last_category": "coffee", "last_seen_days": 9})
    'Bought coffee 9 days ago'
    """
    missing = False

    def value(match: re.Match[str]) -> str:
        nonlocal missing
        name = match[1]
        fields = (name,) if kind_of(name) else (f"traits.{name}", f"context.{name}")
        for field in fields:
            found = facts.get(field)
            if found is not None:
                return value_text(field, found)
        missing = True
        return ""

    sentence = _SLOT.sub(value, template)
    return None if missing else clean(sentence, MAX_SENTENCE)
