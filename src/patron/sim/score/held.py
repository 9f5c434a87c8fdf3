"""What the platform holds, read back through its public API: all people, and every event of each.

One person at a time passes by; what is kept is flat arrays beside the rows of `Sent`.
"""

from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from patron.sim.score.ahead import ahead
from patron.sim.score.consents import SENT, Sends
from patron.sim.score.ledger import Ledger, Sums, cents
from patron.sim.score.sent import NOBODY, Counts, Sent
from patron.sim.server.api import Api, Refused, part
from patron.sim.server.filling import bare

PEOPLE_A_PAGE = 500
EVENTS_A_PAGE = 1000
READ_AHEAD = 100
"""Timelines asked for before they are reckoned with."""
LIGHT = frozenset({"order_id", "visit_id"})
"""Types of identifiers that name a receipt or a visit, and nobody."""
REFUSED = "collection_refused"
"""Reason of a dead letter that is no fault: its sender wished that it is not kept."""

Event = Mapping[str, Any]


class Held:
    """Reads a platform once and keeps what the figures need.

    Parameters
    ----------
    api : a key of scope `admin` that sees every field and source.
    sent : what the world sent.
    progress : told (people read, people there).

    Raises LoadFailed or Refused.
    """

    def __init__(self, api: Api, sent: Sent, progress: Callable[[int, int], None] | None = None) -> None:
        self.sent = sent
        self.people: list[str] = []
        """Ids by number, in the order of the platform's list."""
        self.holder = array("q", [NOBODY]) * len(sent.person)
        """By row of `sent`: the number of the person on whose timeline it is first found (-1: on none)."""
        self.copies: Counter[int] = Counter()
        """Row -> how often beyond once it is found."""
        self.foreign = 0
        """Events that this world did not send: other data in the same workspace."""
        self.events = 0
        self.moved = 0
        """Events that would have to move for every timeline to stand in true order."""
        self.disordered = 0
        """Timelines on which some event stands before an earlier one, by the platform's own times."""
        self.shifted = 0
        """Events whose time on the platform is not the one that the source wrote."""
        self.misplaced = 0
        """Events told under another source than the one that sent them."""
        self.ledger = Ledger()
        self.unknown = Sums()
        """Orders on timelines of nobody known: people of whom only a receipt or a visit is known."""
        self.totals: dict[str, Sums] = {}
        """Sums of all profiles by currency, as the profiles say it."""
        self.orders = 0
        self.sends = Sends()
        self.mixed: list[str] = []
        """Ids of people on whose timelines two true people are."""
        self._consents = sent.consents()
        for there, person, events in ahead(timelines(api), READ_AHEAD):
            self._take(person, events)
            if progress is not None and (len(self.people) % PEOPLE_A_PAGE == 0 or len(self.people) == there):
                progress(len(self.people), there)
        self.refused, self.letters = letters(api, sent)

    def _take(self, person: Mapping[str, Any], events: Iterable[Event]) -> None:
        number, before, true = len(self.people), -1, array("q")
        self.people.append(person["id"])
        known = any(one["type"] not in LIGHT for one in person["identifiers"])
        owners: set[int] = set()
        disordered = False
        for event in events:
            self.events += 1
            disordered |= event["time"] < before
            before = event["time"]
            row = self.sent.row.get(event["messageId"])
            if row is None:
                self.foreign += 1
                continue
            owners.add(self.sent.person[row])
            true.append(self.sent.time[row])
            self._place(row, number, event, known=known)
        self.disordered += disordered
        self.moved += len(true) - in_order(true)
        if len(owners) > 1:
            self.mixed.append(person["id"])
        self._profile(person["totals"])

    def _place(self, row: int, number: int, event: Event, *, known: bool) -> None:
        if self.holder[row] != NOBODY:
            self.copies[row] += 1
            return
        sent, time = self.sent, event["time"]
        self.holder[row] = number
        self.shifted += time != sent.time[row]
        source = sent.manifest.sources[sent.source[row]].name
        self.misplaced += bare(event["source"]) != source
        if event["type"] != "track":
            return
        name, properties = event["event"], event["properties"]
        self.ledger.take(bare(event["source"]), name, time, properties)
        if name == SENT:
            self.sends.take(self._consents, sent.person[row], time, properties)
        elif not known and name == "Order Completed":
            self.unknown.orders += 1
            self.unknown.gross += cents(properties.get("revenue", 0))

    def _profile(self, totals: Mapping[str, Any]) -> None:
        self.orders += totals["orders"]
        for currency, amount in totals["gross"].items():
            self.totals.setdefault(currency, Sums()).gross += cents(Decimal(amount))
        for currency, amount in totals["refunded"].items():
            self.totals.setdefault(currency, Sums()).refunds += cents(Decimal(amount))

    def counts(self) -> list[Counts]:
        """What became of the messages of each source, in the order of the manifest."""
        sent = self.sent
        found = [Counts(source.name) for source in sent.manifest.sources]
        for row, number in enumerate(sent.source):
            one = found[number]
            one.sent += 1
            if self.copies[row]:
                one.more += 1
            elif self.holder[row] != NOBODY:
                one.once += 1
            elif row in sent.refusing:
                one.refused += 1
            else:
                one.missing += 1
        return found

    def labels(self, records: Iterable[tuple[str, int]]) -> list[int]:
        """For each record (as written, true owner) the person on whose timeline most of its messages are.

        On a tie it is the first of the platform's list; a record that is on no timeline stands alone.
        """
        votes: dict[int, Counter[int]] = {}
        for record, holder in zip(self.sent.record, self.holder, strict=True):
            if record != NOBODY and holder != NOBODY:
                votes.setdefault(record, Counter())[holder] += 1
        found = []
        for at, name in enumerate(records):
            counted = votes.get(self.sent.records.get(name, NOBODY))
            found.append(
                min(counted, key=lambda holder: (-counted[holder], holder)) if counted else NOBODY - 1 - at
            )
        return found


def timelines(api: Api) -> Iterator[tuple[int, Mapping[str, Any], list[Event]]]:
    """How many people there are, and each of them with the whole timeline."""
    for page in api.pages("/v1/profiles", PEOPLE_A_PAGE):
        for person in page["data"]:
            yield page["total"], person, list(events_of(api, person))


def events_of(api: Api, person: Mapping[str, Any]) -> Iterator[Event]:
    """The whole timeline of a listed person, oldest first. Empty when they merged or were erased meanwhile."""
    if not person["events"]:
        return
    try:
        for page in api.pages(f"/v1/profiles/{part(person['id'])}/events", EVENTS_A_PAGE, order="asc"):
            yield from page["data"]
    except Refused as refused:
        if refused.status not in {404, 410}:
            raise


def letters(api: Api, sent: Sent) -> tuple[int, dict[str, int]]:
    """Open dead letters of the world's sources: those kept back by a person's own wish, and the others by reason."""
    ours = {source.name for source in sent.manifest.sources}
    found: Counter[str] = Counter()
    for page in api.pages("/v1/admin/deadletters", EVENTS_A_PAGE):
        found.update(letter["code"] for letter in page["data"] if bare(letter["source"]) in ours)
    return found.pop(REFUSED, 0), dict(sorted(found.items()))


def in_order(times: Iterable[int]) -> int:
    """How many of these stand in order already: the longest part that never goes back (patience sorting).

    >>> in_order([1, 2, 5, 3, 3, 4]), in_order([3, 2, 1]), in_order([])
    (5, 1, 0)
    """
    tops: list[int] = []
    for time in times:
        at = bisect_right(tops, time)
        tops[at : at + 1] = [time]
    return len(tops)
