"""A segment or computed trait as one plain sentence, made of slots that know which part of the rule they say."""

from collections.abc import Mapping

from msgspec import Struct

from patron.rules.event_words import words_of
from patron.rules.faults import clip
from patron.rules.tree import (
    AllOf,
    AnyOf,
    Bucket,
    Computed,
    Consented,
    Did,
    Fact,
    Member,
    Not,
    Rule,
    Segment,
    Sequence,
    Step,
    Subject,
    Use,
    Where,
)  # fmt: skip
from patron.rules.wording import (
    AMOUNT,
    comparison,
    counted,
    either,
    field_words,
    filter_words,
    length_words,
    plural,
    value_words,
    weekdays,
    window_words,
)  # fmt: skip


class Slot(Struct, frozen=True):
    """A piece of a sentence and the path of the field it says; "" for words between."""

    text: str
    path: str = ""


class Sentence(Struct, frozen=True):
    """A sentence in slots."""

    slots: tuple[Slot, ...]

    @property
    def text(self) -> str:
        """The sentence as plain text."""
        return "".join(slot.text for slot in self.slots)


class Names(Struct, frozen=True):
    """What people call what a rule refers to, by id; an id stands for itself where there is none."""

    segments: Mapping[str, str] = {}
    computed: Mapping[str, str] = {}
    conditions: Mapping[str, str] = {}


def describe(item: Segment | Computed, names: Names | None = None) -> Sentence:
    """A definition in one sentence.

    >>> from patron.rules.tree import Window
    >>> often = Did("Store Entered", ">=", 2, within=Window(days=30))
    >>> bought = Did("Order Completed", where=(Where("channel", "in", ["web", "app"]),), within=Window(days=90))
    >>> describe(Segment("s", "S", AllOf((often, Not(bought), Not(Member("complaint")))))).text
    'People who visited a store at least 2 times in the last 30 days, and have not ordered on the web or in the app in the last 90 days; except people who are in the segment “complaint”.'
    >>> describe(Computed("c", "C", Did("Order Completed", measure="sum", property="revenue", within=Window(days=365)))).text
    'Total revenue of orders in the last 365 days.'
    """
    names = names or Names()
    if isinstance(item, Computed):
        slots = _measure(item.measure, "$.measure")
        if item.per is not None:
            slots += [Slot(" divided by "), *_measure(item.per, "$.per")]
        return Sentence((*_upper(slots), Slot(".")))
    return describe_rule(item.rule, names, subject=item.subject, hat=item.hat)


def describe_rule(
    rule: Rule,
    names: Names | None = None,
    *,
    path: str = "$.rule",
    subject: Subject = "person",
    hat: str = "any",
) -> Sentence:
    """A rule in one sentence about people, accounts or households.

    >>> describe_rule(Fact("traits.city", "=", "Bari")).text
    'People whose city is Bari.'
    """
    many = _MANY[subject]
    speaker = _Speaker(names or Names(), "who" if subject == "person" else "that", many)
    slots = [Slot(f"{many.capitalize()} "), *speaker.group(rule, path)]
    if hat != "any":
        slots.append(
            Slot(
                ", by what they did for an account"
                if hat == "business"
                else ", by what they did for themselves",
                "$.hat",
            )
        )
    return Sentence(_merged([*slots, Slot(".")]))


def phrase(rule: Rule, names: Names | None = None) -> str:
    """One rule as a phrase without pronoun or full stop, to stand in a list.

    >>> phrase(Did("Store Entered")), phrase(Fact("traits.city", "=", "Bari"))
    ('visited a store', 'city is Bari')
    """
    speaker = _Speaker(names or Names(), "who", "people")
    return "".join(slot.text for slot in speaker.clause(rule, "$")[1])


_MANY: Mapping[Subject, str] = {"person": "people", "account": "accounts", "household": "households"}
_Slots = list[Slot]
_Clause = tuple[str, _Slots]
"""The pronoun that leads a clause ("who", "whose") and the rest."""


class _Speaker:
    """Puts rules into clauses about one kind of subject."""

    def __init__(self, names: Names, who: str, subjects: str) -> None:
        self._names = names
        self._who = who
        self._subjects = subjects

    def group(self, rule: Rule, path: str) -> _Slots:
        """A whole rule, after "People": what must hold, then what is excepted."""
        if isinstance(rule, AnyOf):
            return self._led([self.clause(one, f"{path}.of[{at}]") for at, one in enumerate(rule.of)], "or")
        if not isinstance(rule, AllOf):
            return self._led([self.clause(rule, path)], "and")
        parts = [(one, f"{path}.of[{at}]") for at, one in enumerate(rule.of)]
        excepted = [
            (one.rule, f"{at}.rule") for one, at in parts if isinstance(one, Not) and not _is_plain(one.rule)
        ]
        kept = [(one, at) for one, at in parts if not isinstance(one, Not) or _is_plain(one.rule)]
        if not kept:
            return self._led([self.clause(one, at) for one, at in parts], "and")
        slots = self._led([self.clause(one, at) for one, at in kept], "and")
        for one, at in excepted:
            slots += [Slot(f"; except {self._subjects} "), *self._led([self.clause(one, at)], "and")]
        return slots

    def clause(self, rule: Rule, path: str) -> _Clause:
        """One rule with its pronoun."""
        match rule:
            case AllOf(of) | AnyOf(of):
                word = "and" if isinstance(rule, AllOf) else "or"
                inner = self._led([self.clause(one, f"{path}.of[{at}]") for at, one in enumerate(of)], word)
                return "", [Slot("("), *inner, Slot(")")] if len(of) > 1 else inner
            case Not(inner_rule):
                return self._negated(inner_rule, f"{path}.rule")
            case Did() if rule.measure == "count":
                return self._who, _counted(rule, path, negated=False)
            case Did():
                return "whose", _measured(rule, path)
            case Fact():
                return "whose", self._fact(rule, path)
            case Sequence():
                return self._who, _sequence(rule, path)
            case _:
                return self._who, self._belongs(rule, path, negated=False)

    def _negated(self, rule: Rule, path: str) -> _Clause:
        if isinstance(rule, Not):
            return self.clause(rule.rule, f"{path}.rule")
        if isinstance(rule, Did) and _is_plain(rule):
            return self._who, _counted(rule, path, negated=True)
        if isinstance(rule, Member | Consented | Bucket | Use):
            return self._who, self._belongs(rule, path, negated=True)
        return self._who, [
            Slot(f"are not among {self._subjects} "),
            *self._led([self.clause(rule, path)], "and"),
        ]

    def _led(self, clauses: list[_Clause], word: str) -> _Slots:
        """Clauses in a row; a pronoun is not said again after its like."""
        slots: _Slots = []
        before = ""
        for at, (pronoun, rest) in enumerate(clauses):
            lead = f"{pronoun} " if pronoun and (pronoun != before or pronoun == "whose") else ""
            slots += [Slot((f", {word} " if at else "") + lead), *rest]
            before = pronoun
        return slots

    def _fact(self, fact: Fact, path: str) -> _Slots:
        root, _, name = fact.field.partition(".")
        known = self._names.computed.get(name, "") if root == "computed" else ""
        words = clip(known[:1].lower() + known[1:], 80) if known else field_words(name)
        said = words + (" score" if root == "scores" else "")
        return [
            Slot(said, f"{path}.field"),
            Slot(" "),
            Slot(comparison(fact.op, fact.value), f"{path}.value"),
        ]

    def _belongs(self, rule: Member | Consented | Bucket | Use, path: str, *, negated: bool) -> _Slots:
        no = "not " if negated else ""
        match rule:
            case Member(segment):
                name = clip(self._names.segments.get(segment, segment), 80)
                return [Slot(f"are {no}in the segment "), Slot(f"“{name}”", f"{path}.segment")]
            case Consented(purpose, channel, granted):
                word = "agreed" if granted else "said no"
                where = "" if channel == "*" else f" on the channel {clip(channel)}"
                lead = f"have not {word} to " if negated else f"{word} to "
                return [
                    Slot(lead, f"{path}.granted"),
                    Slot(f"“{clip(purpose)}”", f"{path}.purpose"),
                    Slot(where, f"{path}.channel"),
                ]
            case Bucket(salt, start, end):
                share = f"{round(100 * (end - start), 4):g}%"
                return [Slot(f"are {no}among a random "), Slot(share, f"{path}.end"), Slot(" (drawn by "), Slot(f"“{clip(salt)}”", f"{path}.salt"), Slot(f", from {start:g})", f"{path}.start")]  # fmt: skip
            case Use(condition, given):
                name = clip(self._names.conditions.get(condition, condition), 80)
                filled = ", ".join(f"{key}: {value_words(value)}" for key, value in given.items())
                return [
                    Slot("do not meet " if negated else "meet "),
                    Slot(f"“{name}”", f"{path}.condition"),
                    Slot(f" ({filled})" if filled else "", f"{path}.given"),
                ]


def _is_plain(rule: Rule) -> bool:
    """Whether its contrary is said in one breath: a count of at least one."""
    return (
        isinstance(rule, Did) and rule.measure == "count" and (rule.op, rule.value) in ((">=", 1), (">", 0))
    )


def _is_never(did: Did) -> bool:
    return (did.op, did.value) in (("=", 0), ("<", 1), ("<=", 0))


def _counted(did: Did, path: str, *, negated: bool) -> _Slots:
    """How often somebody did something, or that they did not."""
    words = words_of(did.event)
    if negated or _is_never(did):
        verb = [Slot("have not "), Slot(words.participle, f"{path}.event")]
        return [*verb, *_filters(did.where, path), *_window(did, path)]
    slots = [Slot(words.past, f"{path}.event"), *_filters(did.where, path)]
    if not _is_plain(did):
        slots += [Slot(" "), Slot(_times(did), f"{path}.value")]
    return [*slots, *_window(did, path)]


def _times(did: Did) -> str:
    if did.op in ("in", "not_in"):
        many = did.value if isinstance(did.value, list | tuple) else [did.value]
        return f"{'' if did.op == 'in' else 'other than '}{either([value_words(one) for one in many])} times"
    return f"{AMOUNT[did.op]} {counted(did.value, 'time')}"


def _measured(did: Did, path: str) -> _Slots:
    """A measure and what is said of it, after "whose"."""
    slots = _measure(did, path, ago=True)
    if did.measure in ("first", "last") and did.op in AMOUNT:
        return [
            *slots,
            Slot(" was "),
            Slot(f"{AMOUNT[did.op]} {counted(did.value, 'day')} ago", f"{path}.value"),
        ]
    value = weekdays(did.value) if did.property == "weekday" else did.value
    return [*slots, Slot(" "), Slot(comparison(did.op, value), f"{path}.value")]


_MEASURES = {
    "sum": "total",
    "average": "average",
    "min": "least",
    "max": "greatest",
    "distinct": "number of different",
    "most_frequent": "most frequent",
}


def _measure(did: Did, path: str, *, ago: bool = False) -> _Slots:
    """A measure as a thing: "total revenue of orders on the web in the last 90 days"."""
    words, at = words_of(did.event), f"{path}.measure"
    rest = [*_filters(did.where, path), *_window(did, path)]
    if did.measure in ("first", "last"):
        return [
            Slot(did.measure if ago else f"days since the {did.measure}", at),
            Slot(" "),
            Slot(words.one, f"{path}.event"),
            *rest,
        ]
    if did.measure == "count":
        return [Slot("number of ", at), Slot(words.many, f"{path}.event"), *rest]
    word = field_words(did.property or "")
    word = plural(word) if did.measure == "distinct" else word
    measured = [Slot(_MEASURES[did.measure], at), Slot(" "), Slot(word, f"{path}.property")]
    return [*measured, Slot(" of "), Slot(words.many, f"{path}.event"), *rest]


def _sequence(rule: Sequence, path: str) -> _Slots:
    slots: _Slots = []
    for at, step in enumerate(rule.steps):
        slots += [Slot(", then " if at else ""), *_step(step, f"{path}.steps[{at}]")]
    if rule.limit is not None:
        slots += [Slot(", "), Slot(f"within {length_words(rule.limit)}", f"{path}.limit")]
    return [*slots, *_window(rule, path, lead=", ")]


def _step(step: Step, path: str) -> _Slots:
    return [Slot(words_of(step.event).past, f"{path}.event"), *_filters(step.where, path)]


def _filters(where: tuple[Where, ...], path: str) -> _Slots:
    slots: _Slots = []
    for at, one in enumerate(where):
        words, again = filter_words(one), at and filter_words(where[at - 1]).startswith("where ")
        said = "and " + words.removeprefix("where ") if again and words.startswith("where ") else words
        slots += [Slot(" "), Slot(said, f"{path}.where[{at}]")]
    return slots


def _window(leaf: Did | Sequence, path: str, lead: str = " ") -> _Slots:
    words = window_words(leaf.within)
    return [Slot(lead), Slot(words, f"{path}.within")] if words else []


def _upper(slots: _Slots) -> _Slots:
    first = slots[0]
    return [Slot(first.text[:1].upper() + first.text[1:], first.path), *slots[1:]]


def _merged(slots: _Slots) -> tuple[Slot, ...]:
    """Without empty slots, and with neighbouring glue as one."""
    kept: _Slots = []
    for slot in slots:
        if slot.text and kept and not slot.path and not kept[-1].path:
            kept[-1] = Slot(kept[-1].text + slot.text)
        elif slot.text:
            kept.append(slot)
    return tuple(kept)
