"""People by any part of an identifier or name. Everybody is looked through, beside events."""

import re
from collections.abc import AsyncIterator, Callable

from patron.model.people import Key, Person
from patron.runtime.breath import Breath
from patron.runtime.workspace import Workspace

NAME_TRAITS = ("name", "first_name", "firstName", "last_name", "lastName")


_ASCII = re.compile("[\\x00-\\x7f]+")
FOLDED = "\u00df\u0130\u0149\u017f\u01f0\u1e96\u1e97\u1e98\u1e99\u1e9a\u1e9e\u212a\ufb00\ufb01\ufb02\ufb03\ufb04\ufb05\ufb06"
"""The characters beyond ASCII that fold to some of it, such as the sharp s."""
_FOLDED = re.compile("|".join(FOLDED).encode())


async def search(workspace: Workspace, query: str, limit: int, breath: Breath) -> list[tuple[Person, Key]]:
    """People by any part of an identifier or name, best matches first, each once.

    An exact identifier comes first; digits match inside phone numbers whatever the spacing.
    """
    text = query.strip().casefold()
    digits = "".join(c for c in text if c.isdigit())
    phoneish = len(digits) >= 3 and not any(c.isalpha() or c == "@" for c in text)
    found: dict[str, tuple[Person, Key]] = {}
    async for key in _matching(workspace, text, digits if phoneish else "", breath):
        await breath.take()
        person = workspace.graph.person_of(key)
        if person is not None and person.id not in found:
            found[person.id] = (person, key)
            if len(found) >= limit:
                break
    return list(found.values())


async def _matching(workspace: Workspace, text: str, digits: str, breath: Breath) -> AsyncIterator[Key]:
    if not text:
        return
    exact, inside = list[Key](), list[Key]()
    for key in list(workspace.idents.keys()):
        await breath.take()
        kind, _, value = key.partition(":")
        folded = value.casefold()
        if folded == text or key == text:
            exact.append(key)
        elif text in folded or (digits and kind == "phone" and digits in value):
            inside.append(key)
    for key in (*exact, *sorted(inside, key=len)):
        yield key
    async for key in _named(workspace, text, breath):
        yield key


async def _named(workspace: Workspace, text: str, breath: Breath) -> AsyncIterator[Key]:
    words = text.split()
    if not any(w.isalpha() for w in words):
        return
    may_hold = _may_hold(words)
    for key in list(workspace.nodes.keys()):
        await breath.take()
        part = workspace.nodes.peek(key, may_hold)
        traits = part.traits if part is not None else None
        if not traits:
            continue
        name = " ".join(str(traits[n][0]) for n in NAME_TRAITS if n in traits and traits[n][0]).casefold()
        if name and all(w in name for w in words):
            yield key


def _may_hold(words: list[str]) -> Callable[[bytes], bool]:
    """Whether the bytes of a node may hold all words, in whatever case: most nodes need not be decoded.

    >>> holds = _may_hold(["rossi", "cafè"])
    >>> holds("Caf\u00c9 ROSSI".encode()), holds(b"Bianchi, caf"), holds("Bianchi, Stra\u00dfe".encode())
    (True, False, True)
    """
    parts = {part.encode() for word in words for part in _ASCII.findall(word)}

    def holds(raw: bytes) -> bool:
        low = raw.lower()
        return all(part in low for part in parts) or _FOLDED.search(raw) is not None

    return holds
