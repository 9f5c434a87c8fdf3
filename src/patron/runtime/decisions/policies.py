"""How placements were decided, and how another policy would have done: read from the recorded decisions and what followed."""

import asyncio
import datetime as dt
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from patron.decide.encoding import Record, decode_record, look
from patron.decide.formula import Formula, formula_problem
from patron.decide.index import CatalogueIndex
from patron.decide.launch.ranking import Scorers, catalogue_for, would
from patron.decide.offpolicy.compare import Comparison, compare
from patron.decide.offpolicy.intervals import Interval
from patron.decide.offpolicy.replay import Choice, Got, Replayed, Slate, greedy, replay, rescored, without
from patron.decide.rating import propensities, scores_of
from patron.decide.said import span_said
from patron.decide.scoring import Scorer
from patron.model.clock import DAY, HOUR
from patron.model.errors import BadRequest, NotFound
from patron.model.offers import NOTHING, Decision
from patron.model.policies import ArmRow, EstimateRow, Figure, Judged, Policy, PolicyDay, PolicyView
from patron.runtime.decisions.model import place_of
from patron.runtime.decisions.pace import is_paced
from patron.runtime.people import people
from patron.runtime.tables import DecisionRow
from patron.runtime.workspace import Workspace

CHALLENGERS = ("greedy", "uniform")
_SLICE = 100
_SILENT = 0.05
"""Share of decisions that may be silent about a challenger."""
_EPOCH = dt.date(1970, 1, 1)


class Change(NamedTuple):
    """What a challenger does otherwise than its base."""

    stop: tuple[str, ...] = ()
    """Offers that it never gives."""
    at_most: int = 0
    """Not more than so many in `hours` for a person, over all offers; 0 = no cap."""
    hours: int = 24
    formula: str = ""
    """Another formula; it reads `propensity` as the recorded score, so that `propensity * 2` doubles it."""


class Policies:
    """The policies of one running workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def change(self, **fields: Any) -> Change:
        """What a challenger does otherwise, from its fields."""
        return Change(**fields)

    def placements(self) -> list[str]:
        """Where anything may be decided: declared placements, then others that asked lately."""
        workspace = self._workspace
        rows = [row for _, name in workspace.newest if (row := workspace.decisions.get(name)) is not None]
        asked = {look(row.record).placement for row in rows}
        return list(dict.fromkeys([*workspace.catalogues.present.places_of, *sorted(asked)]))

    async def view(self, placement: str, days: int = 28) -> PolicyView:
        """How a placement was decided in the last days. Raises NotFound where nothing ever asked."""
        workspace, now = self._workspace, self._workspace.clock.now()
        index = workspace.catalogues.present
        place = place_of(index, placement)
        policies, arms = Counter[str](), Counter[str]()
        rewards: dict[str, float] = {}
        by_day: dict[int, list[float]] = {}
        held = closed = 0
        async for row, record, worth in self._rows(placement, now - days * DAY):
            closed += row.begins + place.window_hours * HOUR <= now
            if row.held_out:
                held += 1
                continue
            policies[record.policy] += 1
            arms[row.action] += 1
            rewards[row.action] = rewards.get(row.action, 0.0) + worth
            day = by_day.setdefault(row.time // DAY, [0, 0.0, 0])
            day[0], day[1], day[2] = day[0] + 1, day[1] + worth, day[2] + (row.action != NOTHING)
        count = sum(arms.values())
        if not count and not held and placement not in index.places_of:
            raise NotFound("unknown_placement", f"Nothing was ever decided at `{placement[:64]}`.")
        names = {offer.id: offer.name for offer in index.offers}
        return PolicyView(
            placement, place.name, place.reward, place.window_hours, dict(policies), count + held, held, closed,
            [
                ArmRow(name, "Nothing shown" if name == NOTHING else names.get(name, name), n, n / count, rewards[name] / n)
                for name, n in arms.most_common()
            ],
            [
                PolicyDay((_EPOCH + dt.timedelta(day)).isoformat(), int(n), worth / n, shown / n)
                for day, (n, worth, shown) in sorted(by_day.items())
            ],
            workspace.pace.standing(index.catalogue, now) if is_paced(place) else None,
        )  # fmt: skip

    async def evaluate(
        self, challenger: str, placement: str, change: Change | None = None, days: int = 28
    ) -> Judged:
        """Judge a challenger (`greedy`, `uniform` or a policy's id) from the decisions at a placement.

        Raises BadRequest with what to do.
        """
        workspace, now = self._workspace, self._workspace.clock.now()
        held = workspace.launches.get(challenger)
        if held is not None:
            if change is not None and change != Change():
                raise BadRequest(
                    "bad_policy", "A saved policy is judged as it is: save the change as another one."
                )
            return await self.judged(held.policy, held.decides_as, placement, now - days * DAY)
        place = place_of(workspace.catalogues.present, placement)
        change = change or Change()
        choice = self._choice(challenger, change)
        slates: list[Slate] = []
        waiting = 0
        async for row, _, worth in self._rows(placement, now - days * DAY):
            if row.held_out:
                continue
            if row.begins + place.window_hours * HOUR > now:
                waiting += 1
                continue
            index = workspace.catalogues.version(row.catalogue)
            slate = self._slate(decode_record(row.record, index.ids), worth)
            if slate is not None:
                slates.append(slate)
        if waiting and not slates:
            return _refused(_named(challenger, change), placement, _too_early(waiting, place.window_hours))
        slates.sort(key=lambda slate: (slate.time, slate.id))
        replayed = await asyncio.to_thread(replay, slates, choice)
        told = await asyncio.to_thread(compare, replayed.rows)
        return _judged(_named(challenger, change), placement, told, replayed)

    async def judged(self, policy: Policy, name: str, placement: str, since: int) -> Judged:
        """Judge a policy from the decisions at a placement since a time whose windows are closed.

        What it had chosen is worked out from what is recorded; a log that holds no scores for it is refused.
        """
        workspace, now = self._workspace, self._workspace.clock.now()
        hours = place_of(workspace.catalogues.present, placement).window_hours
        slates: list[Slate] = []
        chances: dict[str, Mapping[str, float]] = {}
        scorers: dict[tuple[str, str], Scorers] = {}
        silent = waiting = 0
        async for row, record, worth in self._rows(placement, since):
            if row.held_out:
                continue
            if row.begins + hours * HOUR > now:
                waiting += 1
                continue
            index = workspace.catalogues.version(row.catalogue)
            decision = decode_record(row.record, index.ids)
            slate = self._slate(decision, worth)
            if slate is None:
                continue
            key = (row.catalogue, record.policy)
            if key not in scorers:
                scorers[key] = self._scorers(policy, index, record.policy)
            found = would(policy, decision, scorers[key])
            if found is None:
                silent += 1
                continue
            chances[slate.id] = dict(zip(decision.eligible, found.tolist(), strict=True))
            slates.append(slate)
        if waiting and not slates and not silent:
            return _refused(name, placement, _too_early(waiting, hours))
        if silent > _SILENT * (silent + len(slates)):
            return _refused(name, placement, _unsaid(silent, silent + len(slates)), silent + len(slates))
        slates.sort(key=lambda slate: (slate.time, slate.id))
        replayed = await asyncio.to_thread(replay, slates, lambda slate, _past: chances[slate.id])
        told = await asyncio.to_thread(compare, replayed.rows)
        return _judged(name, placement, told, replayed)

    def _scorers(self, policy: Policy, index: CatalogueIndex, decided_as: str) -> Scorers:
        """The scorers of a catalogue: of the policy that decided, and of the one in question."""
        by = self._workspace.launches.policy_of(decided_as)
        before = index.catalogue if by is None else catalogue_for(by, index.catalogue)
        return Scorers(index, Scorer(before), Scorer(catalogue_for(policy, index.catalogue)))

    def _choice(self, challenger: str, change: Change) -> Choice:
        if challenger not in CHALLENGERS:
            raise BadRequest(
                "bad_policy",
                f"`challenger` is one of {', '.join(CHALLENGERS)} or a policy's id, not {challenger[:40]!r}.",
            )
        choice: Choice = greedy if challenger == "greedy" else _uniform
        index = self._workspace.catalogues.present
        unknown = [name for name in change.stop if name not in index.by_id]
        if unknown:
            raise BadRequest("bad_policy", f"There is no offer `{unknown[0][:64]}` in the catalogue.")
        if change.formula:
            problem = formula_problem(change.formula)
            if problem:
                raise BadRequest("bad_formula", f"The formula: {problem}.")
            choice = rescored(choice, _scored(index, change.formula))
        if change.stop:
            choice = without(choice, lambda _slate, _past, action: action in change.stop)
        if change.at_most:
            choice = without(choice, _capped(change.at_most, change.hours * HOUR))
        return choice

    def _slate(self, decision: Decision, reward: float) -> Slate | None:
        """A decision as replay asks it again; None when it had no choice."""
        rating, names = decision.rating, decision.eligible
        if len(names) < 2:
            return None
        if rating is None:
            scores, chances = [0.0] * len(names), [1 / len(names)] * len(names)
        else:
            scores, chances = scores_of(rating).tolist(), propensities(rating).tolist()
        person = people.by_key(self._workspace, decision.node) if decision.node else None
        who = person.id if person else decision.node or decision.id
        return Slate(
            decision.id, who, decision.time, decision.action, decision.propensity, reward,
            dict(zip(names, scores, strict=True)), dict(zip(names, chances, strict=True)),
        )  # fmt: skip

    async def _rows(self, placement: str, since: int) -> AsyncIterator[tuple[DecisionRow, Record, float]]:
        """The decisions at a placement since a time, each with its reward so far; the loop is let go between slices."""
        workspace = self._workspace
        for count, name in enumerate(list(workspace.decisions.keys())):
            if count % _SLICE == 0:
                await asyncio.sleep(0)
            row = workspace.decisions.get(name)
            if row is None or row.time < since:
                continue
            record = look(row.record)
            if record.placement == placement:
                yield row, record, workspace.rewards.of(name)


def _uniform(slate: Slate, _past: Sequence[Got] = ()) -> Mapping[str, float]:
    return dict.fromkeys(slate.scores, 1 / len(slate.scores)) if slate.scores else {slate.action: 1.0}


def _capped(limit: int, span: int) -> Callable[[Slate, Sequence[Got], str], bool]:
    def stops(slate: Slate, past: Sequence[Got], action: str) -> bool:
        if action == NOTHING:
            return False
        given = sum(1 for got in past if got.action != NOTHING and got.time > slate.time - span)
        return given >= limit

    return stops


def _scored(index: CatalogueIndex, text: str) -> Callable[[Slate, str], float]:
    """The recorded score under another formula; what it gives no number keeps its own."""
    formula = Formula(text)

    def score(slate: Slate, action: str) -> float:
        offer = index.by_id.get(action)
        if offer is None:
            return slate.scores[action]
        one = {
            "propensity": slate.scores[action], "value": offer.value, "margin": offer.margin, "cost": offer.cost,
            "weight": 1.0, "priority": offer.priority, "unsubscribe": 0.0, "unsubscribe_cost": 0.0,
        }  # fmt: skip
        found = float(formula({name: np.float64(value) for name, value in one.items()}, 1)[0])
        return found if found == found else slate.scores[action]  # noqa: PLR0124 - NaN

    return score


def _named(challenger: str, change: Change) -> str:
    parts = [challenger]
    if change.stop:
        parts.append(f"without {', '.join(change.stop)}")
    if change.at_most:
        parts.append(f"at most {change.at_most} in {change.hours} h")
    if change.formula:
        parts.append(f"formula {change.formula}")
    return ", ".join(parts)


def _judged(
    challenger: str,
    placement: str,
    told: Comparison,
    replayed: Replayed,
) -> Judged:
    found, count = told.evaluation, len(replayed.would)
    same = sum(one.same for one in replayed.would)
    looked = found.diagnostics
    return Judged(
        challenger, placement, told.outcome, told.sentence, found.verdict.name, found.verdict.sentence, count,
        looked.units if looked else 0,
        looked.effective if looked else 0.0,
        looked.largest_weight if looked else 0.0,
        looked.outside if looked else None,
        _figure(told.logging),
        None if found.headline is None else EstimateRow(found.headline.name, _told(found.headline.interval)),
        _figure(told.lift),
        [EstimateRow(one.name, _told(one.interval)) for one in found.estimates],
        {name: round(n, 3) for name, n in replayed.given.items()},
        replayed.given_before,
        1 - same / count if count else None,
    )  # fmt: skip


def _unsaid(silent: int, count: int) -> str:
    return (
        f"Refused: {silent:,} of {count:,} decisions hold no scores by which it could be judged: they were drawn evenly, or "
        "their formula does not give back what was expected. In shadow, decisions keep their scores."
    )


def _too_early(waiting: int, hours: int) -> str:
    whose = "the only one" if waiting == 1 else f"any of {waiting:,}"
    return (
        f"Refused: it is too early. A decision here is judged by what follows within {span_said(hours)}, and that time is "
        f"not over for {whose}."
    )


def _refused(challenger: str, placement: str, why: str, count: int = 0) -> Judged:
    return Judged(
        challenger, placement, "refused", why, "refused", why, count, 0, 0.0, 0.0, None, None, None, None, [], {}, {}
    )  # fmt: skip


def _told(interval: Interval) -> Figure:
    return Figure(interval.value, interval.low, interval.high)


def _figure(interval: Interval | None) -> Figure | None:
    return None if interval is None else _told(interval)
