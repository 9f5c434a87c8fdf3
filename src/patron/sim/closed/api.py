"""The policy `api`: what is shown and what is sent is what `POST /v1/decide` answers.

Whom the platform holds out, and whom nothing asks for, the retailer treats as usual; so does a screen to which the answer
is `nothing`, which shows what it shows to everybody.
"""

import http
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from msgspec import Struct

from patron.model.clock import DAY
from patron.sim.alive.visits import NOTHING, AskDecision
from patron.sim.closed.actions import REST_DAYS, SHOW, WRITTEN, creative_place
from patron.sim.closed.asking import Asking
from patron.sim.closed.screens import Screens, order_chances
from patron.sim.closed.touchpoints import ask_of, message_to
from patron.sim.engine.day import Plan
from patron.sim.engine.letters import Send
from patron.sim.engine.policy import Today
from patron.sim.engine.state import NEVER
from patron.sim.luck import Dice, Ints
from patron.sim.messages import Message, Pen, Told
from patron.sim.policies.business_as_usual import BusinessAsUsual
from patron.sim.town import Town
from patron.sim.world.catalogue import CATEGORIES
from patron.sim.world.people import CALL

HOUR = 15.0
"""Local hour at which messages go out."""
CONTROL, TREATED = "control", "treated"
_SHOWS_AFTER = 2_000
"""Milliseconds after the visit begins at which what was decided is on the screen."""


class Asked(Struct):
    """Questions that touchpoints put, and what became of them."""

    asked: int = 0
    shown: int = 0
    """Answers that were an offer on a screen."""
    sent: int = 0
    """Answers that were a message."""
    crossed: int = 0
    """Answers to somebody as of another arm than their first answer: by an identifier that was drawn apart."""
    refused: int = 0
    last_refusal: str = ""


class Arms(Struct):
    """In which arm of its universal holdout the platform put people, as its answers said first; rows of the town."""

    treated: Ints
    """Day of the first answer, `NEVER` = none."""
    control: Ints


class _Letter(Struct, frozen=True):
    """A message that the platform decided for."""

    row: int
    channel: int
    category: int
    offer: bool
    creative: int
    decision: str


class Platform:
    """A policy that asks a running Patron at every touchpoint that can ask, and before every message.

    A day's questions are put at its midnight (UTC), before anything of that day is sent: what somebody gets rests on
    all that had arrived by then, and not on what they did earlier on the same day.

    Parameters
    ----------
    asked : is counted up.
    until : hands over what has arrived, and lets the server's clock go on to a moment (UTC ms).
    begins : day from which the platform decides; before it all is as usual.
    """

    def __init__(
        self, town: Town, asking: Asking, asked: Asked, until: Callable[[int], None], begins: int = 0
    ) -> None:
        self._town, self._asking, self._asked, self._until, self._begins = town, asking, asked, until, begins
        self._usual = BusinessAsUsual()
        self._made: list[tuple[int, AskDecision, Message]] = []
        n = len(town.people)
        self.arms = Arms(np.full(n, NEVER), np.full(n, NEVER))
        self._written = np.full(n, NEVER)
        self.screens = Screens()

    # --- messages ---------------------------------------------------------------------------------------------------

    def messages(self, today: Today) -> list[Send]:
        """What the platform sends, and the retailer's own letters to those whom it does not decide for."""
        usual = self._usual.messages(today)
        if today.day < self._begins:
            return usual
        self._until(today.date * DAY)
        letters = self._letters(today)
        own = [_without(send, self.arms.treated > NEVER) for send in usual]
        return [*own, *(_send(k, letters) for k in range(CALL))]

    def _letters(self, today: Today) -> list[_Letter]:
        """Ask for everybody who has rested what to say to them, and by which of the channels that they agreed to."""
        agreed = today.state.agreed[:, :CALL]
        rested = today.day - self._written >= REST_DAYS
        rows = np.flatnonzero(agreed.any(axis=1) & rested & (self.arms.control == NEVER)).tolist()
        asks = [
            message_to(self._town, row, self._channels(row, agreed[row], today.day), today.date, HOUR)
            for row in rows
        ]
        found: list[_Letter] = []
        for row, answer in zip(rows, self._ask(today.day, list(zip(rows, asks, strict=True))), strict=True):
            if answer is not None and answer["action"] != NOTHING:
                found.append(_letter(row, WRITTEN.index(answer["placement"]), answer))
        self._written[[letter.row for letter in found]] = today.day
        self._asked.sent += len(found)
        return self._with_creatives(today, found)

    def _channels(self, row: int, agreed: Sequence[bool], day: int) -> list[int]:
        """The channels that somebody agreed to, in any order: the first one says who they are."""
        dice = Dice(self._town.seed, int(self._town.people.ids[row]), day)
        chosen = [k for k in range(CALL) if agreed[k]]
        return sorted(chosen, key=lambda k: dice.uniform("asks first", k))

    def _with_creatives(self, today: Today, letters: list[_Letter]) -> list[_Letter]:
        asks = []
        for letter in letters:
            ask = message_to(self._town, letter.row, [letter.channel], today.date, HOUR)
            place = creative_place(WRITTEN[letter.channel])
            asks.append((letter.row, AskDecision(ask.at, place, ask.channel, ask.ids, ask.context)))
        found = []
        for letter, answer in zip(letters, self._ask(today.day, asks), strict=True):
            chosen = None if answer is None else (answer.get("content") or {}).get("creative")
            if not isinstance(chosen, int):
                dice = Dice(self._town.seed, int(self._town.people.ids[letter.row]), today.day)
                chosen = dice.below(self._town.parameters.messages.creatives, "creative")
            found.append(
                _Letter(letter.row, letter.channel, letter.category, letter.offer, chosen, letter.decision)
            )
        return found

    # --- screens ----------------------------------------------------------------------------------------------------

    def slots(self, today: Today, rows: Ints, channel: Ints) -> Ints:
        """Ask for each visitor who can be told; as usual for all others, and where the answer is `nothing`."""
        found = self._usual.slots(today, rows, channel)
        self._made = []
        if today.day < self._begins:
            return found
        self._until(today.date * DAY)
        places, asks = [], []
        for at, (row, where) in enumerate(zip(rows.tolist(), channel.tolist(), strict=True)):
            ask = ask_of(self._town, row, where, today.day, today.date)
            if ask is not None:
                places.append(at)
                asks.append((row, ask))
        orders = order_chances(today, rows, channel)
        for at, (row, ask), answer in zip(places, asks, self._ask(today.day, asks), strict=True):
            if answer is None:
                continue
            if answer["group"] == TREATED and len(answer["eligible"]) > 1:
                eligible = [_category(name) for name in answer["eligible"]]
                self.screens.add(ask.placement, orders[at], int(found[at]), eligible)
            if answer["action"] == NOTHING:
                continue
            self._asked.shown += 1
            self._made.append((row, ask, answer))
            found[at] = CATEGORIES.index(answer["content"]["category"])
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

    # --- asking -----------------------------------------------------------------------------------------------------

    def _ask(self, day: int, asks: list[tuple[int, AskDecision]]) -> list[Any]:
        """The answers, None where one was refused; notes the arm of everybody who was answered for."""
        found: list[Any] = []
        for (row, _), (status, answer) in zip(
            asks, self._asking.ask([ask.body() for _, ask in asks]), strict=True
        ):
            self._asked.asked += 1
            if status != http.HTTPStatus.OK:
                self._asked.refused += 1
                self._asked.last_refusal = str(answer.get("message") or status)
                found.append(None)
                continue
            mine, other = self.arms.treated, self.arms.control
            if answer["group"] == CONTROL:
                mine, other = other, mine
            if mine[row] == other[row]:
                mine[row] = day
            self._asked.crossed += int(other[row] > NEVER)
            found.append(answer)
        return found


def _category(action: str) -> int:
    """The category that an action on a screen shows; -1 for what is usual."""
    return -1 if action == NOTHING else CATEGORIES.index(action.removeprefix(SHOW))


def _letter(row: int, channel: int, answer: Message) -> _Letter:
    content = answer["content"]
    category = CATEGORIES.index(content["category"])
    return _Letter(row, channel, category, bool(content["offer"]), 0, answer["decisionId"])


def _send(channel: int, letters: list[_Letter]) -> Send:
    mine = [letter for letter in letters if letter.channel == channel]
    return Send(
        channel,
        np.array([letter.row for letter in mine], dtype=np.int64),
        np.array([letter.category for letter in mine], dtype=np.int64),
        np.array([letter.offer for letter in mine], dtype=np.bool_),
        np.array([letter.creative for letter in mine], dtype=np.int64),
        np.full(len(mine), HOUR),
        reminder=True,
        campaign=f"decided-{WRITTEN[channel]}",
        decisions=tuple(letter.decision for letter in mine),
    )


def _without(send: Send, treated: Any) -> Send:
    """A message of the retailer to all but some."""
    kept = ~treated[send.rows]
    return Send(
        send.channel,
        send.rows[kept],
        send.category[kept],
        send.offer[kept],
        send.creative[kept],
        send.hour[kept],
        send.reminder,
        send.campaign,
    )
