"""Deciding as soon as somebody comes in: the card is ready before the associate looks, the message before anybody asks.

A placement with a `trigger` waits for that event. Each one gets a decision by the same engine, gates and ledger as any ask; within the
cool-down of a person nothing is decided. What is decided stands in the placement's outbox, page by page for whoever brings it.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec import structs

from patron.decide.record import ANSWER_LIFE, weigh
from patron.decide.variants import content_for
from patron.model.access import ApiKey, Source
from patron.model.clock import HOUR
from patron.model.errors import NotFound
from patron.model.offers import Ask, Decision, Placement
from patron.model.people import Key, Person
from patron.model.sends import Sent, SentPage
from patron.runtime.decisions.answer import Answers
from patron.runtime.decisions.entered import FRESH, PASSED, Waiting, outbox
from patron.runtime.feeds.feeds import store_of
from patron.runtime.people import people, scoped
from patron.runtime.sends import pages as send_pages
from patron.runtime.sends.sending import has_address
from patron.runtime.tables import DecisionRow

if TYPE_CHECKING:
    from patron.runtime.app import App

RETRY = 1.0
_log = logging.getLogger("patron")


class Entering:
    """Decides for whoever comes in, over one running workspace."""

    def __init__(self, app: "App", answers: Answers) -> None:
        self._app = app
        self._workspace = app.workspace
        self._answers = answers
        self._one = asyncio.Lock()

    async def serve(self) -> None:
        """Decide for everybody who comes in, for as long as the workspace is open."""
        entered = self._workspace.entered
        while not self._app.closing:
            if not entered.any:
                entered.came.clear()
                await entered.came.wait()
            try:
                await self.catch_up()
            except Exception:  # noqa: BLE001 - one that fails must not end the others
                _log.exception("an entry waits and is decided for later")
                await asyncio.sleep(RETRY)

    async def catch_up(self) -> None:
        """Decide for everybody who waits; done when it is durable and applied."""
        if not self._workspace.entered.any:
            return
        async with self._one:
            for name, node, waiting in self._workspace.entered.waiting():
                row = self._decide(name, node, waiting)
                self._workspace.crash("entry")
                if row is None:
                    await self._app.record(PASSED, name)
                else:
                    await self._answers.keep(name, row)

    def _decide(self, name: str, node: Key, waiting: Waiting) -> DecisionRow | None:
        """The decision for one entry; None when none is made."""
        workspace, index, now = self._workspace, self._answers.index, self._workspace.clock.now()
        place, person = index.places_of.get(waiting.placement), people.by_key(workspace, node)
        if place is None or person is None or not place.trigger or name in workspace.decisions:
            return None
        if now - waiting.time >= FRESH or self._rests(place, person, now):
            return None
        if place.outbound and not has_address(workspace, person, place.channel):
            return None
        context = {"store_id": waiting.store} if waiting.store else {}
        ask = Ask(place.id, channel=place.channel or "web", context=context)
        known = self._answers.foresee(ask, node, person, now)
        terms = self._answers.terms(ask, name, node, person, known, place)
        model = workspace.model.of(person.members)
        policy = self._answers.policy(index, model, place.id, node, person)
        made = weigh(index, ask, known, structs.replace(terms, count=place.slots), policy)
        hour = known.zone.minute(now) // 60
        sent = Sent(outbox(place.id), now, hour, position=waiting.position, store=waiting.store)
        return self._answers.row(made, index, sent, outbound=place.outbound)

    def _rests(self, place: Placement, person: Person, now: int) -> bool:
        """Whether somebody came in before, so lately that nothing is decided again."""
        last = self._workspace.entered.last(person.members, place.id)
        return last is not None and now - last.time < place.cooldown_hours * HOUR

    # --- what is ready ------------------------------------------------------------------------------------------------

    async def ready(
        self, ask: Ask, *, trusted: bool, source: Source | None, user_hash: str
    ) -> tuple[Decision, tuple[Mapping[str, Any], ...]] | None:
        """What was decided for somebody as they came in, with the content behind it; None: it is to be decided now.

        It is given until it is shown, for as long as an answer lasts; in the same store, under the same catalogue, and while
        consents allow it.
        """
        workspace, index = self._workspace, self._answers.index
        place = index.places_of.get(ask.placement)
        if place is None or not place.trigger or not trusted or ask.beside:
            return None
        await self.catch_up()
        key = self._answers.asker(ask, trusted=trusted, source=source, user_hash=user_hash)
        person = people.by_key(workspace, key) if key else None
        last = None if person is None else workspace.entered.last(person.members, place.id)
        row = None if last is None else workspace.decisions.get(last.decision)
        if last is None or row is None or last.decision in workspace.shown or row.catalogue != index.version:
            return None
        if workspace.clock.now() >= row.time + ANSWER_LIFE or not self._same_store(ask, row):
            return None
        offer = index.by_id.get(row.action)
        if offer is not None and not send_pages.shown(workspace, last.decision, row).allowed:
            return None
        made = self._answers.read(row)
        language = made.language
        return made, tuple(content_for(index.by_id[name], place.id, language) for name in made.slate)

    def _same_store(self, ask: Ask, row: DecisionRow) -> bool:
        store = store_of(ask.context)
        return not store or row.sent is None or row.sent.store == store

    # --- the outbox ---------------------------------------------------------------------------------------------------

    async def page(
        self, key: ApiKey, placement: str, cursor: str, limit: int, *, everyone: bool, store: str
    ) -> SentPage:
        """A page of what events began at a placement; there is always a cursor. Raises NotFound, BadRequest, Forbidden."""
        scoped.need_whole(key, "Decisions of an entry name people by their identifiers")
        place = self._answers.index.places_of.get(placement)
        if place is None or not place.trigger:
            raise NotFound("no_trigger", f"No placement `{placement[:64]}` has a `trigger` in the catalogue.")
        await self.catch_up()
        name = outbox(place.id)
        found = await send_pages.pages(self._workspace, name, cursor, limit, everyone=everyone, store=store)
        return SentPage(found.data, found.cursor)
