"""Names of fields and lengths of windows: what is wrong with one as it was written."""

from typing import Any

from patron.rules.faults import clip, near, show, text_problem
from patron.rules.filters import FIELDS, ITEMS, PROPERTIES

MAX_NAME = 200
ROOTS = ("traits", "computed", "scores")


def fact_field_problem(field: Any) -> str | None:
    """What is wrong with the field of a fact.

    >>> fact_field_problem("traits.city"), fact_field_problem("trait.city")
    (None, '`trait.city` starts with none of traits. computed. scores.; did you mean `traits`?')
    """
    problem = text_problem(field, MAX_NAME)
    if problem:
        return problem
    root, _, name = field.partition(".")
    if root in ROOTS and name:
        return None if all(name.split(".")) else "has an empty name between its dots"
    if root in ROOTS:
        return f"needs a name after it, as `{root}.NAME`"
    if root in ("properties", *FIELDS):
        return f"`{clip(field)}` is of one event; filter by it in the `where` of a `did`"
    return f"`{clip(field)}` starts with none of {' '.join(r + '.' for r in ROOTS)}{near(root, ROOTS)}"


def where_field_problem(field: Any) -> str | None:
    """What is wrong with the field of a filter.

    >>> where_field_problem("category")
    '`category` is not one of properties.NAME channel source touchpoint store account weekday hour place; a property is written `properties.category`'
    """
    problem = text_problem(field, MAX_NAME)
    if problem or field in FIELDS:
        return problem
    if field.startswith(PROPERTIES):
        return path_problem(field)
    if field.partition(".")[0] in ROOTS:
        return "is of a person; compare it in a `fact` beside this `did`"
    meant = near(field, FIELDS) or f"; a property is written `properties.{clip(field)}`"
    return f"`{clip(field)}` is not one of {PROPERTIES}NAME {' '.join(FIELDS)}{meant}"


def path_problem(path: str) -> str | None:
    """What is wrong with the path of a property.

    >>> path_problem("products[].category"), path_problem("price..net")
    (None, 'has an empty name between its dots')
    """
    name = path.removeprefix(PROPERTIES)
    if name.count(ITEMS) > 1:
        return f"`{ITEMS}` can stand once in a path"
    head, items, rest = name.partition(ITEMS)
    parts = [*head.split("."), *(rest.removeprefix(".").split(".") if rest else [])]
    if not all(parts) or (items and rest and not rest.startswith(".")):
        return "has an empty name between its dots"
    return None


def window_problem(value: Any, most: int) -> str | None:
    """What is wrong with the length of a window.

    >>> window_problem(-3, 3650)
    'needs a whole number from 1 to 3650, not the number -3; windows count backwards from now, so write 3'
    """
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most:
        return None
    back = isinstance(value, int) and not isinstance(value, bool) and -most <= value < 0
    hint = f"; windows count backwards from now, so write {-value}" if back else ""
    over = "; leave `within` out for all time" if isinstance(value, int) and value > most else ""
    return f"needs a whole number from 1 to {most}, not {show(value)}{hint}{over}"
