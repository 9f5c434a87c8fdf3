"""Why a rule holds of somebody or does not: every part with its value, the events that made it, and when it would turn."""

from collections.abc import Iterable

from msgspec import Struct

from patron.model.events import Event
from patron.rules.calendar import Calendar
from patron.rules.describe import Names, phrase
from patron.rules.evaluate import chain, compares, evaluate, fact_holds, fact_value, matching, measured
from patron.rules.faults import clip
from patron.rules.filters import values_of
from patron.rules.history import History
from patron.rules.tree import AllOf, AnyOf, Consented, Did, Fact, Not, Rule, Sequence
from patron.rules.turning import turns
from patron.rules.values import number_of, shown, text_of
from patron.rules.walk import Leaf
from patron.rules.wording import counted, value_words

WITNESSES = 5


class Witness(Struct, frozen=True):
    """One event that made an answer: when it happened (ms UTC), its name, and its position in the log."""

    time: int
    name: str
    position: int


class Explained(Struct, frozen=True, omit_defaults=True):
    """One part of a rule and why it holds or not."""

    path: str
    kind: str
    held: bool
    sentence: str
    value: int | float | str | bool | None = None
    """The measure, trait, computed trait or score as it is."""
    events: tuple[Witness, ...] = ()
    """Up to five, the latest ones that count."""
    until: int | None = None
    """When this becomes another by time alone (ms UTC, the full hour); None when it stays. For leaves and the whole."""
    of: tuple["Explained", ...] = ()


def explain(
    rule: Rule,
    history: History,
    now: int,
    calendar: Calendar,
    names: Names | None = None,
    path: str = "$.rule",
) -> Explained:
    """A resolved rule on one subject, part by part. `held` of the whole is what `evaluate` says.

    >>> visit = Event(7, "till", "pos", "track", "Store Entered", "m", 5, 5)
    >>> why = explain(Did("Store Entered", ">=", 2), History("p_1", (visit,)), 9, Calendar("UTC"))
    >>> why.held, why.sentence, why.events
    (False, 'Visited a store at least 2 times: no, 1 time.', (Witness(time=5, name='Store Entered', position=7),))
    """
    part = _Explainer(history, now, calendar, names or Names()).part(rule, path)
    if part.of:
        until = turns(rule, history, now, calendar)
        return Explained(path, part.kind, part.held, part.sentence, until=until, of=part.of)
    return part


class _Explainer:
    def __init__(self, history: History, now: int, calendar: Calendar, names: Names) -> None:
        self._history = history
        self._now = now
        self._calendar = calendar
        self._names = names

    def part(self, rule: Rule, path: str) -> Explained:
        """A part with those in it."""
        kind = str(rule.__struct_config__.tag)
        match rule:
            case AllOf(of) | AnyOf(of):
                parts = tuple(self.part(one, f"{path}.of[{at}]") for at, one in enumerate(of))
                number = sum(part.held for part in parts)
                held = number == len(parts) if isinstance(rule, AllOf) else number > 0
                wanted = "all" if isinstance(rule, AllOf) else "one"
                said = f"{number} of {len(parts)} hold, {wanted} {'are' if wanted == 'all' else 'is'} needed."
                return Explained(path, kind, held, said, of=parts)
            case Not(inner):
                part = self.part(inner, f"{path}.rule")
                said = "What must not be " + ("holds." if part.held else "does not hold.")
                return Explained(path, kind, not part.held, said, of=(part,))
            case _:
                return self._leaf(rule, kind, path)

    def _leaf(self, leaf: Leaf, kind: str, path: str) -> Explained:
        held, value, words, events = self._found(leaf)
        text = phrase(leaf, self._names)
        said = f"{text[:1].upper()}{text[1:]}: {'yes' if held else 'no'}{', ' + words if words else ''}."
        until = turns(leaf, self._history, self._now, self._calendar)
        return Explained(path, kind, held, said, value, _witnesses(events), until)

    def _found(self, leaf: Leaf) -> tuple[bool, int | float | str | bool | None, str, Iterable[Event]]:
        """Whether a leaf holds, its value, the value in words, and the events that made it."""
        match leaf:
            case Did():
                exact = measured(leaf, self._history, self._now, self._calendar)
                value = None if exact is None else shown(exact)
                held = compares(leaf.op, leaf.value, exact)
                return held, value, _measure_words(leaf, value), self._makers(leaf, value)
            case Sequence():
                found = chain(leaf, self._history, self._now, self._calendar)
                return found is not None, None, "" if found else "no such order of events", found or ()
            case Fact():
                value = fact_value(leaf.field, self._history)
                held = fact_holds(leaf, value, self._now, self._calendar)
                plain = value if isinstance(value, int | float | str) else None
                words = (
                    "it is not known"
                    if value is None
                    else f"it is {value_words(value)}"
                    if plain is not None
                    else ""
                )
                return held, plain, words, self._writers(leaf.field)
            case Consented():
                held = evaluate(leaf, self._history, self._now, self._calendar)
                return held, None, "", self._speakers(leaf)
            case _:
                return evaluate(leaf, self._history, self._now, self._calendar), None, "", ()

    def _makers(self, did: Did, value: float | str | None) -> list[Event]:
        """The events that count, latest last; of the greatest, least or most frequent those that hold it."""
        events = list(matching(did.event, did.where, did.within, self._history, self._now, self._calendar))
        if did.measure == "count" or did.property is None:
            return events[:1] if did.measure == "first" else events[-1:] if did.measure == "last" else events
        if did.measure in ("min", "max", "most_frequent"):
            return [e for e in events if value in self._read(e, did)]
        return [e for e in events if self._read(e, did)]

    def _read(self, event: Event, did: Did) -> list[int | float | str]:
        values = values_of(event, did.property or "", self._calendar)
        if did.measure in ("most_frequent", "distinct"):
            return [text for v in values if (text := text_of(v)) is not None]
        return [_number(units) for v in values if (units := number_of(v)) is not None]

    def _writers(self, field: str) -> list[Event]:
        """The event that wrote a trait last."""
        root, _, path = field.partition(".")
        if root != "traits":
            return []
        names = {path, path.partition(".")[0]}
        wrote = [e for e in self._history.events if not names.isdisjoint(e.traits)]
        return sorted(wrote, key=lambda e: (e.time, e.uid))[-1:]

    def _speakers(self, leaf: Consented) -> list[Event]:
        """The events that said something on the purpose and channel."""
        about = {(leaf.purpose, "*"), (leaf.purpose, leaf.channel)}
        return [e for e in self._history.events if any((c.purpose, c.channel) in about for c in e.consents)]


def _number(units: int) -> int | float:
    return units // 1_000_000 if units % 1_000_000 == 0 else units / 1_000_000


def _measure_words(did: Did, value: float | str | None) -> str:
    if value is None:
        return "it has no value"
    if did.measure == "count":
        return "never" if value == 0 else counted(value, "time")
    if did.measure in ("first", "last"):
        return "it was today" if value == 0 else f"it was {counted(value, 'day')} ago"
    return f"it is {value_words(value)}"


def _witnesses(events: Iterable[Event]) -> tuple[Witness, ...]:
    latest = sorted(events, key=lambda e: e.time)[-WITNESSES:]
    return tuple(Witness(e.time, clip(e.name, 200), e.position) for e in latest)
