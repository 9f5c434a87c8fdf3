"""What rules may be built from: the names of events, properties and traits that a sample has, and the definitions in force."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from patron.model.audiences import Named, Vocabulary
from patron.model.events import CHANNELS
from patron.runtime.crowd.sample import Crowd, Sighted
from patron.runtime.segments.definitions import Active
from patron.runtime.workspace import Workspace

SEVERAL = 40
"""Different values of a property that are offered; a property with more has names or numbers of its own."""
_EVENTS, _PROPERTIES, _TRAITS = 200, 40, 100
"""Names that are offered."""
_LOOKED_AT = 200
"""Newest events of a person whose properties are looked at."""


class Seen:
    """Names of one workspace, worked out once for each look at the crowd and each change of definitions."""

    def __init__(self, workspace: Workspace, crowd: Crowd) -> None:
        self._workspace = workspace
        self._crowd = crowd
        self._held: tuple[tuple[int, int], Vocabulary] = ((-1, -1), Vocabulary())

    def vocabulary(self) -> Vocabulary:
        """Everything that can be chosen."""
        active = self._workspace.definitions.active()
        mark = (self._crowd.at, active.version)
        if self._held[0] != mark:
            self._held = (mark, self._vocabulary(active))
        return self._held[1]

    def _vocabulary(self, active: Active) -> Vocabulary:
        people, written = self._crowd.people, active.written
        properties, values = properties_of(people)
        traits, known = traits_of(people)
        purposes = {"personalization", *self._workspace.settings.decide.opt_in, *purposes_of(people)}
        purposes |= {segment.purpose for segment in written.segments.values()}
        return Vocabulary(
            events_of(people),
            properties,
            tuple(Named(name, _readable(name)) for name in traits),
            tuple(Named(one.id, one.name) for one in written.computed.values()),
            tuple(Named(one.id, one.name) for one in written.segments.values()),
            tuple(Named(one.id, one.name) for one in written.conditions.values()),
            tuple(sorted(purposes)),
            tuple(CHANNELS),
            {**values, **known, **self._stores()},
        )

    def _stores(self) -> dict[str, tuple[str, ...]]:
        """What may stand for the centre of a radius: the stores of the feed."""
        stores = tuple(sorted(self._workspace.feeds.locations()))
        return {"place": stores} if stores else {}


def events_of(people: Sequence[Sighted]) -> tuple[Named, ...]:
    """Names of the events that some people did, most frequent first."""
    seen = Counter(event.name for one in people for event in one.subject.history.events)
    return tuple(Named(name, name, count) for name, count in seen.most_common(_EVENTS))


def properties_of(people: Sequence[Sighted]) -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]:
    """Properties by event, and the values of those that have few; lists of objects are named `products[].category`."""
    named: dict[str, Counter[str]] = {}
    values: dict[str, Counter[str]] = {}
    for event in (e for one in people for e in one.subject.history.events[-_LOOKED_AT:]):
        for field, value in _fields(event.properties):
            named.setdefault(event.name, Counter())[field] += 1
            _note(values, field, value)
        _note(values, "channel", event.channel)
        _note(values, "source", event.source)
    return {name: _most(seen, _PROPERTIES) for name, seen in named.items()}, _few(values)


def traits_of(people: Sequence[Sighted]) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
    """Names of traits, most frequent first, and the values of those that have few."""
    seen: Counter[str] = Counter()
    values: dict[str, Counter[str]] = {}
    for one in people:
        for name, value in one.subject.history.traits.items():
            seen[name] += 1
            _note(values, f"traits.{name}", value)
    return _most(seen, _TRAITS), _few(values)


def purposes_of(people: Sequence[Sighted]) -> set[str]:
    """Purposes that somebody said something on."""
    return {purpose for one in people for purpose, _ in one.subject.history.consents}


def _fields(properties: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """Properties with their values, one level into objects and lists of objects.

    >>> list(_fields({"total": 3, "products": [{"category": "tea"}]}))
    [('properties.total', 3), ('properties.products[].category', 'tea')]
    """
    for name, value in properties.items():
        if "." in name or "[]" in name:
            continue
        if isinstance(value, list) and value and isinstance(value[0], dict):
            for item in value[:5]:
                if isinstance(item, dict):
                    yield from ((f"properties.{name}[].{inner}", one) for inner, one in item.items())
        elif isinstance(value, dict):
            yield from ((f"properties.{name}.{inner}", one) for inner, one in value.items())
        else:
            yield f"properties.{name}", value


def _most(seen: Counter[str], count: int) -> tuple[str, ...]:
    return tuple(name for name, _ in seen.most_common(count))


def _note(values: dict[str, Counter[str]], field: str, value: object) -> None:
    if isinstance(value, str) and 0 < len(value) <= 60:
        seen = values.setdefault(field, Counter())
        if len(seen) <= SEVERAL or value in seen:
            seen[value] += 1


def _few(values: dict[str, Counter[str]]) -> dict[str, tuple[str, ...]]:
    return {
        field: tuple(value for value, _ in seen.most_common())
        for field, seen in values.items()
        if len(seen) <= SEVERAL
    }


def _readable(trait: str) -> str:
    """A trait's name for people.

    >>> _readable("favourite_store")
    'Favourite store'
    """
    words = trait.replace("_", " ").replace(".", ", ")
    return words[:1].upper() + words[1:]
