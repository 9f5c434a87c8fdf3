"""Exposures of bundles as they arrive: each makes the record of its decision, once, before the event itself is applied.

A touchpoint that answered by itself says so later in an ordinary event. The decision goes into the log as any other, ahead of the
body that tells it, so that the event finds it: shown, rewarded and learned from as if Patron had been there.
"""

import asyncio
from collections.abc import Collection

import msgspec

from patron.collect.segment_api import Origin, read_batch
from patron.decide.encoding import encode_record
from patron.decide.fallback import Exposure, Refusal, decided, exposure_of, opened
from patron.decide.record import grants_of
from patron.identity.claims import locate
from patron.model.events import Batch, Event, Reject
from patron.model.log import Entry
from patron.model.offers import Decision
from patron.model.people import Key
from patron.runtime.decisions.decided import pack, row_of
from patron.runtime.decisions.given import SHOWN_BY
from patron.runtime.facts import DecisionWork
from patron.runtime.pipeline import Pipeline
from patron.runtime.tables import CATALOGUE
from patron.runtime.workspace import Workspace

MARK = b'"bundle_seal"'
"""What a body that tells of exposures holds: the others are not looked at."""


class Exposures:
    """Makes decisions of the exposures in bodies."""

    def __init__(self, workspace: Workspace, pipeline: Pipeline) -> None:
        self._workspace = workspace
        self._pipeline = pipeline
        self._flying: dict[str, Decision] = {}
        """Decisions on their way to the state."""

    def take(self, origin: Origin, route: str, body: bytes) -> list[Reject]:
        """Record the decisions that a body tells of; gives the messages that tell of none that can have been.

        It does not wait: whatever the body brings is applied after them.
        """
        workspace = self._workspace
        batch = read_batch(
            body,
            route,
            origin,
            workspace.clock.now(),
            workspace.log.last + 1,
            workspace.limits,
            workspace.read_rules,
        )
        refused = []
        for event, at in zip(batch.events, batch.indexes, strict=True):
            try:
                told = exposure_of(event.properties, event.time) if event.name in SHOWN_BY else None
                if told is not None:
                    self._one(told, event)
            except Refusal as error:
                refused.append(Reject(at, error.code, error.message, "$.properties.bundle_seal"))
        return refused

    def _one(self, told: Exposure, event: Event) -> None:
        workspace = self._workspace
        place = locate(event, workspace.settings.identity, workspace.cuts)
        if place is None or workspace.tombstones.bars(place, event.time):
            return  # it is refused, or blanked, as any other message of nobody
        made = self._decision(told, place.node)
        if made is not None:
            self._record(made)

    def _decision(self, told: Exposure, node: Key) -> Decision | None:
        """The decision to record; None when it is there already. Raises Refusal."""
        workspace = self._workspace
        seal = opened(workspace.secret, told.seal)
        version = seal.catalogue if seal is not None and self._has(seal.catalogue) else ""
        person = workspace.graph.person_of(node)
        made = decided(
            workspace.catalogues.version(version), told, workspace.secret, node, person.id if person else ""
        )
        row = workspace.decisions.get(made.id)
        flying = self._flying.get(made.id)
        before = (row.action, row.node) if row else (flying.action, flying.node) if flying else None
        if before is None:
            return made
        if before != (made.action, node):
            raise Refusal(
                "bad_bundle",
                "This decision_id stands for what was shown to somebody else: give every answer an id of its own.",
            )
        return None

    def _has(self, version: str) -> bool:
        return f"{CATALOGUE}/{version}" in self._workspace.config

    def _record(self, made: Decision) -> None:
        workspace = self._workspace
        index = workspace.catalogues.version(made.catalogue)
        grants = grants_of(index, made)
        row = row_of(made, encode_record(made, index.ids), grants)
        entry = Entry("fact", workspace.log.last + 1, 1, "patron", workspace.clock.now(), "fact")
        workspace.given.reserve(made.node, grants)
        self._flying[made.id] = made
        done = self._pipeline.submit(entry, pack(made.id, row), DecisionWork(workspace, entry, made.id, row))
        done.add_done_callback(lambda future: self._landed(made.id, future))

    def _landed(self, decision: str, future: "asyncio.Future[int]") -> None:
        self._flying.pop(decision, None)
        if not future.cancelled():
            future.exception()  # whoever sent the body is told by its own future


def without(batch: Batch, refused: Collection[Reject]) -> Batch:
    """A batch in which some messages are refused.

    >>> without(Batch(1, [], [], [], []), []).count
    1
    """
    gone = {one.index for one in refused}
    kept = [at for at, index in enumerate(batch.indexes) if index not in gone]
    return msgspec.structs.replace(
        batch,
        events=[batch.events[at] for at in kept],
        indexes=[batch.indexes[at] for at in kept],
        payload_hashes=[batch.payload_hashes[at] for at in kept],
        rejects=[*batch.rejects, *refused],
    )
