"""The price of a message in a running workspace: what was asked on each day, kept, and today's price from the week before."""

import msgspec
from msgspec import structs

from patron.decide.encoding import Record
from patron.decide.pace import LEAST, MONTH, Paced, price
from patron.decide.rating import scores_of
from patron.model.clock import DAY
from patron.model.offers import NOTHING, Catalogue, Placement
from patron.model.policies import MessageBudget
from patron.model.ports import Table
from patron.runtime.tables import DecisionRow

WEEK = 7
"""Days that a price is found from."""
_encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(Paced).decode
"""The day of `encode`."""
_CHOICES = 2
"""Of a question that was one: a message, and none."""
_GREW = 0.05
"""On the first day of all a price is found again after so many more questions, as a part of all."""


def encode(day: Paced) -> bytes:
    """Canonical bytes.

    >>> day = Paced(questions=2, worths={7: 1, -3: 1})
    >>> decode(encode(day)) == day, encode(day) == encode(Paced(questions=2, worths={-3: 1, 7: 1}))
    (True, True)
    """
    return _encode(structs.replace(day, worths=dict(sorted(day.worths.items()))))


class Pace:
    """Counts the questions about messages, and tells what a message must be worth.

    >>> Pace({}).price(Catalogue(), 0)
    0.0
    """

    def __init__(self, days: Table[Paced]) -> None:
        self._days = days
        self._found: dict[tuple[int, float], tuple[int, float]] = {}
        """(day, messages a month) -> questions it was found from, and the price."""

    def price(self, catalogue: Catalogue, now: int) -> float:
        """What a message must be worth beside its cost, by the questions of the seven days before; 0 without a budget.

        On the first day of all it is found from that day's questions so far.
        """
        a_month = catalogue.scoring.messages_a_month
        if a_month is None:
            return 0.0
        today, days = now // DAY, self._lately(now)
        count = sum(day.questions for day in days)
        seen, found = self._found.get((today, a_month), (0, 0.0))
        if abs(count - seen) > (_GREW * seen if count >= LEAST else 0):
            found = price(days, a_month)
            self._found = {(today, a_month): (count, found)}
        return found

    def standing(self, catalogue: Catalogue, now: int) -> MessageBudget | None:
        """The budget, what people got of it lately, and the price; None without one."""
        wanted = catalogue.scoring.messages_a_month
        if wanted is None:
            return None
        days = self._lately(now)
        covered, sent = sum(day.covered for day in days), sum(day.sent for day in days)
        return MessageBudget(wanted, sent * MONTH / covered if covered else None, self.price(catalogue, now))

    def _lately(self, now: int) -> list[Paced]:
        """The seven days before today; on the first day of all, today."""
        today = now // DAY
        days = [day for at in range(today - WEEK, today) if (day := self._days.get(str(at))) is not None]
        first = None if days else self._days.get(str(today))
        return days if first is None else [first]

    def decided(
        self, row: DecisionRow, record: Record, catalogue: Catalogue, covered: int, times: int = 1
    ) -> None:
        """A question about a message was answered; `times=-1`: it is erased."""
        rating = record.rating
        if rating is None or len(rating.codes) < _CHOICES:
            return
        scores = scores_of(rating)
        best, nothing = float(scores[:-1].max()), float(scores[-1])
        name = str(row.time // DAY)
        day = self._days.get(name)
        if day is None:
            day = Paced()
            self._days.put(name, day)
        else:
            self._days.touch(name)
        usual = catalogue.scoring.nothing
        day.note(
            worth=best - usual,
            price=nothing - usual,
            sent=row.action != NOTHING,
            covered=covered,
            times=times,
        )


def is_paced(place: Placement) -> bool:
    """Whether what is decided at a placement counts as a message: it is sent, and is no wording of one."""
    return place.outbound and not place.fill
