"""What a computed trait gives the people of a sample."""

from collections import Counter

from patron.model.audiences import Value, Values
from patron.rules.tree import Computed
from patron.runtime.crowd.sample import Crowd
from patron.runtime.people.views import name_of
from patron.runtime.segments.definitions import Active
from patron.runtime.workspace import Workspace

SOME = 6
_TEXTS = 6


async def values(workspace: Workspace, crowd: Crowd, trait: Computed, active: Active) -> Values | None:
    """Some people with their values, and how these are spread; None for accounts, or when there is nobody."""
    if trait.subject != "person" or not await crowd.look():
        return None
    found = [
        (one.subject.name, v)
        async for one in crowd.by(active)
        if (v := one.subject.computed(trait.id)) is not None
    ]
    numbers = sorted(value for _, value in found if isinstance(value, int | float))
    low, middle, high = (numbers[len(numbers) * n // 10] if numbers else None for n in (1, 5, 9))
    texts = Counter(value for _, value in found if isinstance(value, str))
    some = sorted(found, key=lambda pair: not pair[1])[:SOME]
    return Values(
        tuple(Value(name, _name(workspace, name), value) for name, value in some),
        len(found), crowd.seen, crowd.total, crowd.at, low, middle, high, tuple(texts.most_common(_TEXTS)),
    )  # fmt: skip


def _name(workspace: Workspace, name: str) -> str:
    person = workspace.graph.person_by_id(name)
    return name_of(workspace, person) if person else name
