"""People by any part of an identifier or name. Everybody is looked through, beside events."""

from collections.abc import AsyncIterator

from patron.model.people import Key, Person
from patron.runtime.breath import Breath
from patron.runtime.workspace import Workspace

NAME_TRAITS = ("name", "first_name", "firstName", "last_name", "lastName")


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
    for key in list(workspace.nodes.keys()):
        await breath.take()
        part = workspace.nodes.peek(key)
        traits = part.traits if part is not None else None
        if not traits:
            continue
        name = " ".join(str(traits[n][0]) for n in NAME_TRAITS if n in traits and traits[n][0]).casefold()
        if name and all(w in name for w in words):
            yield key
