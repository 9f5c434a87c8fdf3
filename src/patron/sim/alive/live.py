"""The town alive: visits that begin all the time, told at the pace of a clock, with decisions asked on the way."""

import heapq
import math
from collections.abc import Iterator

import numpy as np

from patron.model.clock import DAY, HOUR, MINUTE
from patron.sim.alive.visits import Answer, AskDecision, Guest, Visit, at_store, on_line, passes_by
from patron.sim.engine.state import need_of, needs
from patron.sim.luck import Dice, splitmix64
from patron.sim.messages import Delivery, Message, Pen, Told, iso, known_by
from patron.sim.telling import cast, service
from patron.sim.telling.history import state_today
from patron.sim.telling.occasion import Occasion
from patron.sim.town import Town
from patron.sim.world.catalogue import CATEGORIES
from patron.sim.world.identities import Cookie, Dossier, uuid_of
from patron.sim.world.people import EMAIL

PASSERS_BY = 2_000
"""How many strangers come and go; their browsers come back."""
STRANGERS, PLANTED = 0.55, 0.03
"""Shares of visits by strangers and by the planted people; the others are customers."""
WARM_UP = 4 * MINUTE
"""Visits begin this long before the start, so that the first minute is like any other; at high rates less."""
TWICE = 0.01


class Live(Iterator[Delivery | AskDecision]):
    """An endless iterator of deliveries and asks by time; give each ask its answer with `answer` before the next.

    An ask that gets none counts as unanswered: the visit goes on with nothing shown. Times begin at `start_ms` and
    nothing sleeps here; `patron.sim.alive.alive` keeps pace with the clock. Two runs that begin at the same moment and
    get the same answers tell the same bytes.

    Parameters
    ----------
    rate : messages a second, on average.
    """

    def __init__(self, town: Town, start_ms: int, rate: float = 5.0) -> None:
        if rate <= 0:
            raise ValueError(f"the rate must be above 0 messages a second, not {rate}")
        self.town, self.start, self.rate = town, start_ms, rate
        self.state = state_today(town)
        self._luck = splitmix64(town.seed & (1 << 63) - 1) ^ start_ms
        self._waiting: list[tuple[int, int, Told | AskDecision, Visit | None, Guest | None]] = []
        self._count = self._visits = self._told = 0
        self._clock, self._shift = float(start_ms - min(WARM_UP, 2_000_000 / rate)), 0
        self._open: tuple[AskDecision, Visit, Guest] | None = None
        self._cast = [row for number in cast.REGULARS if (row := town.row(number)) is not None]
        self._weights: list[float] = []
        self._warm()

    def __iter__(self) -> "Live":
        return self

    def __next__(self) -> Delivery | AskDecision:
        if self._open is not None:
            self.answer(self._open[0], None)
        at, item = self._take()
        return item if isinstance(item, AskDecision) else self._deliver(at + self._shift, item)

    def _take(self) -> tuple[int, Told | AskDecision]:
        """The next item; an ask stays open until it is answered."""
        self._head()
        at, _, item, visit, guest = heapq.heappop(self._waiting)
        if isinstance(item, AskDecision) and visit is not None and guest is not None:
            self._open = (item, visit, guest)
        return at, item

    def _head(self) -> int:
        """Time of the next item, after new visits have begun as needed."""
        while not self._waiting or self._clock <= self._waiting[0][0]:
            self._begin()
        return self._waiting[0][0]

    def _warm(self) -> None:
        """Let the visits go by that began before the start; what they told then is nobody's business."""
        while self._head() < self.start:
            _, item = self._take()
            if isinstance(item, AskDecision):
                self.answer(item, None)

    def answer(self, ask: AskDecision, answer: Answer) -> None:
        """Tell what was decided (the JSON of the reply, or None); the visit goes on from there."""
        if self._open is None or self._open[0] is not ask:
            raise ValueError("this ask is not open: answer an ask before taking the next item")
        _, visit, guest = self._open
        self._open = None
        self._go_on(visit, guest, answer)

    def due(self) -> int:
        """When the next item happens, UTC ms; it takes nothing."""
        return self._head() + self._shift

    def resume(self, now: int) -> None:
        """Go on from `now` after a pause (a machine that slept): what was under way moves, nothing is caught up."""
        self._shift += max(0, now - self.due())

    def _deliver(self, at: int, told: Told) -> Delivery:
        happened = at - told.delay
        message: Message = {**told.message, "timestamp": iso(happened), "sentAt": iso(at)}
        return Delivery(at, told.source, message)

    def _push(
        self, at: int, item: Told | AskDecision, visit: Visit | None = None, guest: Guest | None = None
    ) -> None:
        self._count += 1
        heapq.heappush(self._waiting, (at, self._count, item, visit, guest))

    def _go_on(self, visit: Visit, guest: Guest, answer: Answer) -> None:
        try:
            ask: AskDecision | None = visit.send(answer)
        except StopIteration:
            ask = None
        told, guest.pen.told = guest.pen.told, []
        self._told += len(told)
        for one in told:
            at = one.at + one.delay
            if at > guest.at + HOUR:
                continue  # a follow-up of tomorrow: nobody watches that long
            self._push(at, one)
            if Dice(self._luck, self._count).chance(TWICE, "twice"):
                self._push(at + 2_000, one)
        if ask is not None:
            self._push(ask.at, ask, visit, guest)
        elif guest.bought:
            self.state.since[guest.row, guest.bought] = 0.0

    def _begin(self) -> None:
        """Let one more visit begin, and the clock move on so that the average rate is kept."""
        self._visits += 1
        dice = Dice(self._luck, self._visits)
        guest = self._guest(dice, int(self._clock))
        self._go_on(self._visit(guest, dice), guest, None)
        mean = self._told / self._visits if self._visits > 50 else 5.0
        self._clock += 1000.0 * -math.log(1.0 - dice.uniform("pause")) * mean / self.rate

    def _guest(self, dice: Dice, at: int) -> Guest:
        town, who = self.town, dice.uniform("who")
        stranger = who < STRANGERS
        if stranger or not len(town.people):
            row, person = -1, self._stranger(dice.below(PASSERS_BY, "stranger"))
            near = town.setting.geography.by_country[person.country][0].tolist()
            store = town.setting.geography.stores[dice.pick(near, "store")]
        else:
            planted = bool(self._cast) and who < STRANGERS + PLANTED
            row = dice.pick(self._cast, "planted") if planted else self._customer(dice)
            person, store = town.who(row), town.home(row)
        pen = Pen(self._luck, self._visits, 0, run=2)
        need = (
            need_of(town.parameters, town.people, self.state, row) if row >= 0 else np.zeros(len(CATEGORIES))
        )
        met = Occasion(town.setting, town.noise, pen, dice, person, store, town.days, person.consents)
        return Guest(town, row, met, need, at, at // DAY)

    def _stranger(self, number: int) -> Dossier:
        cookie = Cookie(uuid_of(self.town.seed, 1 << 50, number), "phone", False, False)
        country = Dice(self.town.seed, number).below(3, "stranger's country")
        return Dossier(number, -1, country, "", "", "", "", "", (cookie,))

    def _customer(self, dice: Dice) -> int:
        if not self._weights or self._visits % 64 == 0:
            people = self.town.people
            mood = np.exp(
                people.alpha + 1.25 * np.log1p(needs(self.town.parameters, people, self.state).sum(axis=1))
            )
            self._weights = np.cumsum(mood * (self.state.here & (people.until > 0)) + 1e-9).tolist()
        return dice.choice(self._weights, "customer")

    def _visit(self, guest: Guest, dice: Dice) -> Visit:
        if guest.row < 0:
            return passes_by(guest)
        kind = dice.uniform("kind")
        if kind < 0.05 and guest.person.noisy:
            return self._calls(guest)
        if kind < 0.17 and self.state.agreed[guest.row, EMAIL]:
            return self._letter(guest)
        scores = [
            float(t) + 0.9 * dice.normal("channel", k)
            for k, t in enumerate(self.town.people.taste[guest.row])
        ]
        scores[0] -= 1.0  # more looking around than buying: most visits of a live hour are on screens
        best = max(range(3), key=lambda k: scores[k])
        if best == 0 or not guest.person.cookies:
            return at_store(guest)
        return on_line(guest, "app" if best == 2 and guest.person.install else "web")

    def _letter(self, guest: Guest) -> Visit:
        """Opens the last letter, and now and then goes on to the web shop."""
        letter: Message = {
            "message_id": f"n-{guest.pen.number():016x}",
            "channel": "email",
            "campaign_id": "newsletter",
        }
        context: Message = {"externalIds": known_by(email=guest.person.email)}
        clicks = guest.dice.chance(0.4, "clicks")
        for event in ("Message Opened", "Message Clicked") if clicks else ("Message Opened",):
            guest.pen.track("email", guest.at, event, dict(letter), context=dict(context))
            guest.spend_time(2_000, 20_000, event)
        if clicks and guest.person.cookies:
            yield from on_line(guest, "web", "newsletter")

    def _calls(self, guest: Guest) -> Visit:
        """Calls the service."""
        service.call(guest.who, guest.at)
        yield from ()  # a generator like the other visits


def live(town: Town, start_ms: int, rate: float = 5.0) -> Live:
    """The town from `start_ms` (UTC ms) on, endless: about `rate` messages a second. See `Live`."""
    return Live(town, start_ms, rate)
