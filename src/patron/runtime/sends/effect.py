"""What a send changed: who got something of it beside who would have, had they not been held out.

Both arms are watched from the moment at which each person's message was due, for `decide.window_days`; a person counts once
that is over. Intention to treat: whom the message never reached counts as sent to.
"""

from collections import Counter, defaultdict

from patron.experiments.assign import CONTROL, TREATED
from patron.experiments.compare import compare
from patron.experiments.power import Plan
from patron.experiments.verdicts import line
from patron.model.clock import DAY
from patron.model.money import UNIT
from patron.model.offers import NOTHING
from patron.model.people import Person
from patron.model.sends import Gain, SendEffect, SendRow
from patron.moments.sums import Sums
from patron.runtime.breath import Breath
from patron.runtime.people import people
from patron.runtime.workspace import Workspace

_DIGITS = 4


class _Arm:
    """Who of an arm has been watched to the end, and what they spent."""

    def __init__(self) -> None:
        self.people = self.buyers = 0
        self.spent = defaultdict[str, list[int]](list)

    def add(self, sums: dict[str, int]) -> None:
        self.people += 1
        self.buyers += bool(sums)
        for currency, units in sums.items():
            self.spent[currency].append(units)

    @property
    def bought(self) -> Sums:
        return Sums.of_rate(self.buyers, self.people)

    def amounts(self, currency: str) -> Sums:
        """Of everybody in the arm: those who spent nothing count as 0."""
        some = Sums.of(self.spent.get(currency, ()))
        return Sums(self.people, some.total, some.squares)


async def effect_of(workspace: Workspace, row: SendRow) -> SendEffect:
    """Orders and revenue of both arms of a send, so far; each person once, in the arm of their first decision."""
    decide, now, breath = workspace.settings.decide, workspace.clock.now(), Breath()
    window = decide.window_days * DAY
    arms = {TREATED: _Arm(), CONTROL: _Arm()}
    seen, waiting = set[str](), 0
    for _, decision in list(workspace.sent.made(row.send.id)):
        await breath.take()
        found = _drawn(workspace, decision)
        if found is None or found[0].id in seen:
            continue
        person, arm, due = found
        seen.add(person.id)
        if due + window > now:
            waiting += 1
        else:
            arms[arm].add(_followed(workspace, person, due, due + window))
    treated, control = arms[TREATED], arms[CONTROL]
    plan = Plan(effect=decide.minimum_effect, holdout=row.send.holdout)
    said = line(treated.bought, control.bought, plan)
    return SendEffect(decide.window_days, waiting, said, _gain(treated, control))


def _drawn(workspace: Workspace, decision: str) -> tuple[Person, str, int] | None:
    """The person of a decision, their arm, and when it was due; None for who would have got nothing anyway."""
    row = workspace.decisions.get(decision)
    if row is None or row.sent is None or row.group == CONTROL:
        return None
    arm = row.sent.arm
    person = people.by_key(workspace, row.node)
    if person is None or (row.sent.would if arm == CONTROL else row.action) == NOTHING:
        return None
    return person, arm, row.sent.due


def _followed(workspace: Workspace, person: Person, begin: int, end: int) -> dict[str, int]:
    """What they bought meanwhile and kept, by currency; empty for nothing."""
    found = defaultdict[str, int](int)
    for one in people.orders(workspace, person):
        if begin < one.time <= end and one.net > 0:
            found[one.currency] += one.net
    return found


def _gain(treated: _Arm, control: _Arm) -> Gain:
    buyers = Counter[str]()
    for arm in (treated, control):
        buyers.update({name: len(units) for name, units in arm.spent.items()})
    currency = max(buyers, key=lambda name: (buyers[name], name), default="")
    of, against = treated.amounts(currency), control.amounts(currency)
    found = compare(of, against).difference
    bounds = (None, None, None) if found is None else (found.value, found.low, found.high)
    return Gain(currency, _money(of.mean), _money(against.mean), *map(_or_none, bounds))


def _or_none(units: float | None) -> float | None:
    return None if units is None else _money(units)


def _money(units: float) -> float:
    return round(units / UNIT, _DIGITS)
