"""Moving policies along the launch path: saved, moved, stopped, rolled back. Each step is a fact with who took it and why."""

import asyncio
import logging
from typing import Any

from patron.decide.launch import guards, stages
from patron.decide.launch.reading import checked, faults, policy_of
from patron.decide.said import span_said
from patron.model.clock import HOUR
from patron.model.errors import BadRequest, Conflict, NotFound, PatronError
from patron.model.policies import Judged, Launch, LaunchRow, LaunchView, Move, Option, Policy
from patron.rules.faults import near
from patron.runtime.app import App
from patron.runtime.decisions.model import place_of
from patron.runtime.decisions.policies import Policies
from patron.runtime.facts import PolicyMoved, PolicySaved

EVERY = 1.0
"""Seconds between two looks at the guards."""
BY_GUARD = "patron"
"""Who rolls back when a guard trips."""
LONGEST = 1_000
"""Characters of a written reason."""
_log = logging.getLogger("patron")


class Launching:
    """The launch path of one running workspace."""

    def __init__(self, app: App, policies: Policies) -> None:
        self._app = app
        self._policies = policies
        self._launches = app.workspace.launches
        self._moving = asyncio.Lock()

    # --- what there is ------------------------------------------------------------------------------------------

    def rows(self) -> list[LaunchRow]:
        """Every policy, by id."""
        return [
            LaunchRow(
                one.policy.id, one.policy.name, one.policy.kind, one.version, one.policy.placements, one.stage, one.since,
                one.moves[-1].by if one.moves else "",
            )
            for one in self._launches.all()
        ]  # fmt: skip

    def view(self, name: str) -> LaunchView:
        """One policy, with what may be done with it now. Raises NotFound."""
        held = self._need(name)
        return LaunchView(
            held.policy, held.version, held.stage, held.since, held.decides_as, stages.SHARES.get(held.stage, 0.0),
            [self._option(held, to) for to in stages.steps(held.stage)],
            self._launches.figures(held),
            list(reversed(held.moves)),
        )  # fmt: skip

    def _option(self, held: Launch, to: str) -> Option:
        taken = self._taken(held, to)
        early = "" if taken else self._early(held, to)
        return Option(to, stages.does(to), taken or early, overridable=bool(early))

    def _need(self, name: str) -> Launch:
        held = self._launches.get(name)
        if held is None:
            meant = near(name, [one.policy.id for one in self._launches.all()])
            raise NotFound("unknown_policy", f"There is no policy {name[:64]}{meant or '.'}")
        return held

    # --- changing it --------------------------------------------------------------------------------------------

    async def put(self, name: str, value: Any, by: str) -> LaunchView:
        """Save a policy: a new one, or another version of one that decides nothing now.

        Raises
        ------
        BadRequest : it has faults. Conflict : it is on its way (stop it first).
        """
        policy = checked(value) if isinstance(value, Policy) else policy_of(value)
        if policy.id != name:
            raise BadRequest("bad_policy", f"The address says `{name[:64]}`, the policy `{policy.id[:64]}`.")
        found = faults(policy, self._policies.placements())
        if found:
            raise BadRequest("bad_policy", found[0].problem, tuple(found))
        async with self._moving:
            held = self._launches.get(name)
            if held is not None and held.policy != policy and (refusal := stages.may_change(held)):
                raise Conflict("policy_launched", refusal)
            if held is None or held.policy != policy:
                await self._app.record("Policy Saved", PolicySaved(policy, by))
        return self.view(name)

    async def move(self, name: str, to: str, by: str, why: str = "") -> LaunchView:
        """Take the next step with a policy, or go back. `why` overrides what evidence is missing, and stands on the record.

        Raises
        ------
        NotFound : no such policy. Conflict : the step may not be taken now, with the reason and what to do.
        """
        why = why.strip()
        if len(why) > LONGEST:
            raise BadRequest("bad_reason", f"A reason has at most {LONGEST:,} characters.")
        held = self._need(name)
        self._check_order(held, to)
        # judging takes long, and guards must be able to act meanwhile
        judged = _accepted(await self._judged(held)) if to == "evaluated" else None
        async with self._moving:
            if self._need(name).position != held.position:
                raise Conflict("changed_meanwhile", "It was moved meanwhile. Nothing was done; look again.")
            self._check_order(held, to)
            refusal, evidence = judged or (self._early(held, to), self._evidence(held))
            if refusal and not why:
                raise Conflict(
                    "not_ready", f"{refusal} To go on all the same, give a reason; it stands on the record."
                )
            await self._record(held, to, by, why, evidence, refusal)
        return self.view(name)

    async def stop(self, name: str, by: str, why: str = "") -> LaunchView:
        """End it: from the next decision on the champion decides for everybody. Raises NotFound and Conflict."""
        return await self.move(name, "stopped", by, why)

    async def judge(self, name: str) -> list[Judged]:
        """What it would have earned at each of its placements, judged since it is in shadow; of a draft, of all that is kept."""
        return await self._judged(self._need(name))

    async def _judged(self, held: Launch) -> list[Judged]:
        since = 0
        for move in held.moves:
            if move.to == "shadow":
                since = move.time
        return [
            await self._policies.judged(held.policy, held.decides_as, place, since)
            for place in held.policy.placements
        ]

    def _check_order(self, held: Launch, to: str) -> None:
        wrong = stages.out_of_order(held.stage, to)
        if wrong:
            raise Conflict("out_of_order", wrong)
        taken = self._taken(held, to)
        if taken:
            raise Conflict("placement_taken", taken)

    async def _record(
        self, held: Launch, to: str, by: str, why: str, evidence: str, overridden: str = ""
    ) -> None:
        now = self._app.workspace.clock.now()
        move = Move(now, by, held.stage, to, held.version, why, evidence, overridden)  # type: ignore[arg-type]
        await self._app.record("Policy Moved", PolicyMoved(held.policy.id, move))

    # --- may it? ------------------------------------------------------------------------------------------------

    def _taken(self, held: Launch, to: str) -> str:
        """Whether somebody else is being compared at one of its placements."""
        if to not in stages.SHOWN_TO_SOME:
            return ""
        for place in held.policy.placements:
            other = self._launches.challenger(place)
            if other is not None and other.policy.id != held.policy.id:
                return (
                    f"`{other.policy.id}` is at {other.stage} at {place}: one policy at a time is compared with the champion "
                    "there. Wait for its end, or stop it."
                )
        return ""

    def _early(self, held: Launch, to: str) -> str:
        """Whether too little is known to show it to more people."""
        if held.stage not in stages.SHOWN_TO_SOME or to != stages.following(held.stage):
            return ""
        workspace = self._app.workspace
        for place in held.policy.placements:
            window = place_of(workspace.catalogues.present, place).window_hours
            closed = self._launches.closed(held, place, workspace.clock.now() - window * HOUR)
            if closed < held.policy.minimum:
                return (
                    f"Too early: of {held.policy.minimum:,} decisions of its own at {place} {closed:,} are past their window "
                    f"of {span_said(window)}."
                )
        return ""

    def _evidence(self, held: Launch) -> str:
        return " ".join(f"[{one.placement}] {one.sentence}" for one in self._launches.figures(held))

    # --- guards -------------------------------------------------------------------------------------------------

    async def check(self) -> list[str]:
        """Look at every guard, and roll back what tripped one; gives the ids."""
        found = []
        for one in self._launches.live:
            tripped = guards.tripped(self._launches.figures(one))
            if tripped is None:
                continue
            async with self._moving:
                held = self._launches.get(one.policy.id)
                if held is not None and held.position == one.position:
                    await self._record(held, "rolled_back", BY_GUARD, tripped.sentence, self._evidence(held))
                    found.append(one.policy.id)
        return found

    async def watch(self) -> None:
        """Look at the guards again and again; a fault is logged and tried again."""
        while True:
            await asyncio.sleep(EVERY)
            try:
                for name in await self.check():
                    _log.warning("policy %s was rolled back by a guard", name)
            except PatronError:
                _log.exception("the guards of policies could not be looked at")


def _accepted(told: list[Judged]) -> tuple[str, str]:
    """Why a policy may not be called evaluated (empty: it may), and what was judged."""
    evidence = " ".join(f"[{one.placement}] {one.sentence}" for one in told)
    for one in told:
        rests = f" It rests on {one.decisions:,} decisions since it is in shadow whose window is over."
        if one.verdict != "accepted":
            return f"At {one.placement}: {one.reason or one.sentence}{rests}", evidence
        if one.outcome == "worse":
            return f"At {one.placement}: {one.sentence}", evidence
    return "", evidence
