"""Tallies from the log: series that begin today get their past in slices, series that are no more leave."""

from collections.abc import Callable, Generator, Iterator

from patron.model.events import Event
from patron.model.people import Key
from patron.model.ports import Table
from patron.rules.calendar import Calendar
from patron.rules.filters import Stores
from patron.runtime.served import SeriesRow
from patron.segments.feeds import Fed, Feed, Feeds
from patron.segments.folding import Folding
from patron.segments.tally import Tally

SLICE = 25
History = Callable[[int], Iterator[tuple[Event, Key]]]
"""Accepted events from a log position on, in order of position, each with the node that holds it today."""


class Filling:
    """The tallies of a workspace and the series in them, as long as no rule is asked.

    Parameters
    ----------
    history : the events of the past.
    """

    def __init__(
        self, tallies: Table[Tally], series: Table[SeriesRow], calendar: Calendar, history: History
    ) -> None:
        self._tallies = tallies
        self._series = series
        self._calendar = calendar
        self._folding = Folding(calendar)
        self._history = history
        self.stores: Stores = {}

    @property
    def waiting(self) -> bool:
        """Whether a series waits for its past."""
        return any(not row.full for _, row in self._series.items())

    def fill(self) -> Generator[None, None, bool]:
        """Fill the series that wait from furthest back, together with those that stand where it stands. In slices.

        Gives whether they are full: they are not where one of them is dropped meanwhile.
        """
        rows = [row for _, row in self._series.items() if not row.full]
        filled, since = min((row.filled, row.since) for row in rows)
        rows = [row for row in rows if (row.filled, row.since) == (filled, since)]
        feeds = Feeds([Fed(row.series, row.number, -1) for row in rows], self._calendar, self.stores)
        for count, (event, node) in enumerate(self._history(filled + 1), 1):
            if event.position > since:
                break
            if any(row.series.id not in self._series for row in rows):
                return False
            feed = feeds.of(event)
            if feed is not None:
                self._fold(event, node, feed)
            if count % SLICE == 0:
                self._mark(rows, event.position)
                yield
        self._mark(rows, since)
        return True

    def _mark(self, rows: list[SeriesRow], position: int) -> None:
        for row in rows:
            self._series.touch(row.series.id)
            row.filled = position

    def _fold(self, event: Event, node: Key, feed: Feed) -> None:
        tally = self._tallies.get(node)
        if tally is None:
            tally = {}
            self._tallies.put(node, tally)
        else:
            self._tallies.touch(node)
        self._folding.fold(tally, event, feed)
        if not tally:
            self._tallies.delete(node)

    def clear(self) -> Iterator[None]:
        """Take series that nobody reads any more out of the tallies. In slices."""
        numbers = {row.number for _, row in self._series.items()}
        for count, node in enumerate(list(self._tallies.keys())):
            tally = self._tallies.get(node)
            gone = () if tally is None else tally.keys() - numbers
            if tally is not None and gone:
                self._tallies.touch(node)
                for number in gone:
                    del tally[number]
                if not tally:
                    self._tallies.delete(node)
            if count % SLICE == SLICE - 1:
                yield

    def drop(self, node: Key) -> None:
        """A node's events are taken out."""
        self._tallies.delete(node)

    def refold(self, event: Event, node: Key, feeds: Feeds) -> None:
        """Add an event of the past to a node that was dropped: to each series that has its position already.

        `feeds` are those of all series.
        """
        position = event.position
        late = [row for _, row in self._series.items() if row.filled < position <= row.since]
        if late:
            fed = [Fed(row.series, row.number, -1) for _, row in self._series.items() if row not in late]
            feeds = Feeds(fed, self._calendar, self.stores)
        feed = feeds.of(event)
        if feed is not None:
            self._fold(event, node, feed)
