"""Bundles for touchpoints: made from what would be answered to nobody in particular, and kept in memory until they are stale."""

import asyncio
from typing import Any

import msgspec
from msgspec import Struct

from patron.decide import fallback
from patron.decide.fallback import FORMAT, PARTS, Seal
from patron.decide.index import CatalogueIndex
from patron.model.clock import HOUR
from patron.model.errors import BadRequest, NotFound
from patron.model.offers import Ask, Offer, Placement, Rating
from patron.profiles.public import iso
from patron.rules.calendar import Calendar
from patron.rules.faults import near
from patron.runtime.app import App
from patron.runtime.decisions.answer import Answers
from patron.runtime.decisions.looks import WEATHER

FRESH = HOUR
"""How long a bundle is given again as it is, ms: what is learned meanwhile is not in it."""
LIFE = 24 * HOUR
"""How long a bundle holds, ms."""
_MOST = 1_000
"""Bundles that are kept; placements and channels are few."""


class Bundle(Struct, frozen=True):
    """A bundle as it is given."""

    id: str
    text: str
    """JSON; what the signature is of."""
    stale: int
    """From when on another one is made, ms."""

    def seconds(self, now: int) -> int:
        """How long it may still be held without asking again.

        >>> Bundle("b_1", "{}", 5_000).seconds(1_000)
        4
        """
        return max(0, (self.stale - now) // 1_000)


class Fallbacks:
    """The bundles of one workspace."""

    def __init__(self, app: App, answers: Answers) -> None:
        self._workspace = app.workspace
        self._answers = answers
        self._calendar = Calendar(app.workspace.settings.business.timezone)
        self._kept: dict[tuple[str, str, str], Bundle] = {}
        self._making = asyncio.Lock()

    async def bundle(self, placement: str, channel: str = "") -> Bundle:
        """The bundle of a placement, made anew at most once an hour or when the catalogue changed.

        Parameters
        ----------
        channel : of the touchpoint, for a placement that names none.

        Raises
        ------
        NotFound : no offer or placement has that name. BadRequest : the placement is one that Patron sends to.
        """
        async with self._making:
            while True:
                index = self._answers.index
                found = await self._of(index, self._place(index, placement), channel)
                if found is not None:
                    return found

    async def _of(self, index: CatalogueIndex, place: Placement, channel: str) -> Bundle | None:
        """The bundle of a place; None when the catalogue changed while it was made."""
        key = place.id, place.channel or channel or "web", index.version
        kept, now = self._kept.get(key), self._workspace.clock.now()
        if kept is not None and now < kept.stale:
            return kept
        made = await self._made(index, place, key[1], now)
        if made is not None:
            if len(self._kept) >= _MOST:
                self._kept.clear()
            self._kept[key] = made
        return made

    def _place(self, index: CatalogueIndex, name: str) -> Placement:
        place = index.places_of.get(name)
        if place is None and not index.places_of:
            named = {one for offer in index.offers for one in offer.placements}
            place = Placement(name, name) if name in named else None
        if place is None:
            meant = near(name, list(index.places_of))
            raise NotFound("unknown_placement", f"There is no placement `{name[:64]}`{meant or '.'}")
        if place.outbound:
            raise BadRequest(
                "no_fallback",
                f"`{name}` reaches people who did not come by themselves: nothing is sent while Patron is away, so it has no "
                "bundle.",
            )
        return place

    async def _made(self, index: CatalogueIndex, place: Placement, channel: str, now: int) -> Bundle | None:
        expires = now + LIFE
        name = fallback.bundle_id(self._workspace.secret, place.id, channel, index.version, now)
        rows: list[dict[str, Any]] = []
        when: dict[str, dict[str, int]] = {}
        offers: dict[str, Offer] = {}
        for part, first, end in PARTS:
            moment = self._calendar.next((first + end) * 30, now)
            for weather in ("", *WEATHER):
                await asyncio.sleep(0)  # each costs as much as a decision: others have their turn in between
                if self._answers.index is not index:
                    return None
                places, rating = self._ranked(index, place, channel, weather, moment, expires)
                seal = Seal(FORMAT, name, place.id, channel, index.version, now, expires, places, rating)
                row = fallback.table_of(index, seal, fallback.sealed(self._workspace.secret, seal))
                if weather and fallback.are_alike(row, rows[when[part][""]]):
                    continue
                when.setdefault(part, {})[weather] = len(rows)
                rows.append(row)
                offers.update((index.ids[at], index.offers[at]) for at in places)
        value = {
            "bundle": name,
            "placement": place.id,
            "channel": channel,
            "catalogue": index.version,
            "issued": now,
            "expires": expires,
            "issued_at": iso(now),
            "expires_at": iso(expires),
            "timezone": self._calendar.zone,
            "parts": [list(part) for part in PARTS],
            "when": when,
            "tables": rows,
            "offers": {name: fallback.shown_of(offer, place.id) for name, offer in offers.items()},
        }
        return Bundle(name, msgspec.json.encode(value).decode(), now + FRESH)

    def _ranked(
        self, index: CatalogueIndex, place: Placement, channel: str, weather: str, moment: int, expires: int
    ) -> tuple[tuple[int, ...], Rating]:
        """The best few for nobody in particular; what the business said to show, where it said so."""
        context = {"weather": weather} if weather else {}
        made = self._answers.preview(Ask(place.id, None, None, channel, context), now=moment)
        if place.fallback:
            kept = index.by_id[place.fallback]
            there = place.fallback in made.eligible and fallback.is_promised(kept, made.time, expires)
            return ((index.places[kept.id],), SURE) if there else ((), NONE)
        return fallback.narrowed(made, index, expires)


SURE = Rating(bytes((0, 255)), 1.0, 1.0, -1.0)
"""The rating of what is always shown: the business said so."""
NONE = Rating(bytes(1))
"""The rating of nothing alone."""
