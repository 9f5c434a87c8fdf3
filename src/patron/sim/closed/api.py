"""The policy `api`: what is shown is what `POST /v1/decide` answers; letters go out as usual."""

from collections.abc import Callable

import numpy as np
from msgspec import Struct

from patron.model.clock import DAY
from patron.sim.alive.visits import NOTHING, AskDecision, shown_category
from patron.sim.closed.touchpoints import ask_of
from patron.sim.engine.day import Plan
from patron.sim.engine.letters import Send
from patron.sim.engine.policy import Today
from patron.sim.luck import Ints
from patron.sim.messages import Message, Pen, Told
from patron.sim.policies.business_as_usual import BusinessAsUsual
from patron.sim.server.api import Api, Refused
from patron.sim.town import Town
from patron.sim.world.catalogue import wanted_first

_SHOWS_AFTER = 2_000
"""Milliseconds after the visit begins at which what was decided is on the screen."""


class Asked(Struct):
    """Questions that touchpoints put, and what became of them."""

    asked: int = 0
    shown: int = 0
    """Answers that were an offer."""
    refused: int = 0
    last_refusal: str = ""


class Platform:
    """A policy that asks a running Patron at every touchpoint that can ask.

    A day's questions are put at its midnight (UTC), before anything of that day is sent: what somebody is shown rests on
    all that had arrived by then, and not on what they did earlier on the same day.

    Parameters
    ----------
    asked : is counted up.
    until : hands over what has arrived, and lets the server's clock go on to a moment (UTC ms).
    """

    def __init__(self, town: Town, api: Api, asked: Asked, until: Callable[[int], None]) -> None:
        self._town, self._api, self._asked, self._until = town, api, asked, until
        self._usual = BusinessAsUsual()
        self._made: list[tuple[int, AskDecision, Message]] = []

    def messages(self, today: Today) -> list[Send]:
        """The retailer's own letters go on: Patron sends none yet."""
        return self._usual.messages(today)

    def slots(self, today: Today, rows: Ints, channel: Ints) -> Ints:
        """Ask for each visitor; -1 where nothing asks, or nothing is to be shown."""
        self._until(today.date * DAY)
        self._made, found = [], np.full(len(rows), -1, dtype=np.int64)
        for at, (row, where) in enumerate(zip(rows.tolist(), channel.tolist(), strict=True)):
            ask = ask_of(self._town, row, where, today.day, today.date)
            answer = self._ask(ask) if ask is not None else None
            if ask is None or answer is None or answer.get("action") in {None, NOTHING}:
                continue
            self._asked.shown += 1
            self._made.append((row, ask, answer))
            category = shown_category(answer, wanted_first(today.need[row].tolist()))
            found[at] = -1 if category is None else category
        return found

    def told(self, plan: Plan) -> list[Told]:
        """`Offer Shown` of what was decided today, as the touchpoints report it."""
        found: list[Told] = []
        for row, ask, answer in self._made:
            pen = Pen(self._town.seed, int(self._town.people.ids[row]), plan.day, run=3)
            properties = {
                "decision_id": answer["decisionId"],
                "offer_id": answer["action"],
                "offer_name": (answer.get("content") or {}).get("title") or answer["action"],
                "placement": ask.placement,
            }
            pen.track(
                ask.channel,
                ask.at + _SHOWS_AFTER,
                "Offer Shown",
                properties,
                **ask.ids,
                context=dict(ask.context),
            )
            found += pen.told
        return found

    def _ask(self, ask: AskDecision) -> Message | None:
        self._asked.asked += 1
        try:
            answer: Message = self._api.post("/v1/decide", ask.body())
        except Refused as refusal:
            self._asked.refused += 1
            self._asked.last_refusal = str(refusal)
            return None
        return answer
