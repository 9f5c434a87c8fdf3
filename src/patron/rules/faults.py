"""What is wrong with a definition: each fault at its JSON path, in words that say what to write instead."""

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any

from patron.model.errors import BadRequest, Fault

MOST = 100
"""Faults told at once; who has more mends these first."""

ID = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}\Z")
ID_HELP = "is 1 to 64 of a-z 0-9 . _ - and starts with a letter or digit"


class Faults:
    """The faults found so far.

    >>> found = Faults(); found.add("$.rule.kind", "is missing"); found.list
    [Fault(path='$.rule.kind', problem='is missing')]
    """

    def __init__(self) -> None:
        self.list: list[Fault] = []

    @property
    def full(self) -> bool:
        """Whether no more are told."""
        return len(self.list) >= MOST

    def add(self, path: str, problem: str | None) -> None:
        """Note a problem at a path; None is no problem."""
        if problem and not self.full:
            self.list.append(Fault(path, problem))


def refuse(what: str, faults: Iterable[Fault]) -> None:
    """Raise `BadRequest` (code `bad_rule`) when there are faults; its message tells the first.

    >>> refuse("segment", [])
    """
    found = tuple(faults)
    if found:
        more = f", and {len(found) - 1} more" if len(found) > 1 else ""
        raise BadRequest(
            "bad_rule", f"the {what} has a fault at {found[0].path}: {found[0].problem}{more}", found
        )


def near(name: str, known: Iterable[str]) -> str:
    """The end of a sentence that says which of the known names may have been meant; empty when none is near.

    >>> near("evnet", ["event", "op"])
    '; did you mean `event`?'
    """
    found = difflib.get_close_matches(clip(name), sorted(known), n=1)
    return f"; did you mean `{found[0]}`?" if found else ""


def one_of(name: object, known: Iterable[str]) -> str:
    """A sentence for a name that is not among the known ones.

    >>> one_of("sun", ["count", "sum"])
    '`sun` is not one of count sum; did you mean `sum`?'
    """
    names = list(known)
    shown = f"`{clip(name)}`" if isinstance(name, str) else show(name)
    hint = near(name, names) if isinstance(name, str) else ""
    return f"{shown} is not one of {' '.join(names)}{hint}"


def show(value: Any) -> str:
    """What was written, for a sentence.

    >>> show(None), show(True), show("tea"), show([1])
    ('nothing', 'true', 'the text `tea`', 'a list')
    """
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"the text `{clip(value)}`"
    if isinstance(value, int | float):
        return f"the number {clip(number_text(value))}"
    if isinstance(value, list | tuple):
        return "a list"
    return "an object" if isinstance(value, Mapping) else f"a {type(value).__name__}"


def number_text(value: float) -> str:
    """A number in words of digits; Python refuses to write very long ones."""
    if isinstance(value, int) and abs(value) >= 10**40:
        return "beyond 10^40"
    return str(value)


def clip(text: str, limit: int = 60) -> str:
    r"""At most so many characters of a text, none that is not printable.

    >>> clip("a\x00b"), len(clip("a" * 99))
    ('a�b', 60)
    """
    line = "".join(c if c.isprintable() else "�" for c in text[: limit + 1])
    return line if len(line) <= limit else line[: limit - 1] + "…"


def text_problem(value: Any, limit: int, *, blank: bool = False) -> str | None:
    r"""What is wrong with a text: not one, empty (unless `blank`), too long, or of characters that nothing can store.

    >>> text_problem("Tea lovers", 200), text_problem("", 200), text_problem(7, 200)
    (None, 'needs a text that is not empty', 'needs a text, not the number 7')
    """
    if not isinstance(value, str):
        return f"needs a text, not {show(value)}"
    if not value.strip() and not (blank and not value):
        return "needs a text that is not empty"
    if len(value) > limit:
        return f"a text of at most {limit} characters is needed, this has {len(value)}"
    if "\x00" in value or any("\ud800" <= c <= "\udfff" for c in value):
        return "holds a character that is no text (NUL or half of a pair); take it out"
    return None


def id_problem(value: Any) -> str | None:
    """What is wrong with an id.

    >>> id_problem("tea-lovers"), id_problem("Tea")
    (None, 'an id is 1 to 64 of a-z 0-9 . _ - and starts with a letter or digit; `Tea` is not')
    """
    if isinstance(value, str) and ID.match(value):
        return None
    return f"an id {ID_HELP}; {f'`{clip(value)}`' if isinstance(value, str) else show(value)} is not"
