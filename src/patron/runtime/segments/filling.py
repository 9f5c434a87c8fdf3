"""Tallies from the log: series that begin today get their past in slices, series that are no more leave."""

from collections.abc import Callable, Collection, Generator, Iterator

from msgspec.structs import replace

from patron.model.events import Event
from patron.model.people import Key
from patron.model.ports import Table
from patron.rules.calendar import Calendar
from patron.runtime.segments.served import SeriesRow
from patron.segments.feeds import Fed, Feed, Feeds
from patron.segments.folding import Folding
from patron.segments.series import Series
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

    def rows(self) -> dict[Series, SeriesRow]:
        """The series that are kept, in order of their ids."""
        return {row.series: row for _, row in sorted(self._series.items()) if not row.gone}

    def begin(self, needed: Collection[Series], position: int) -> None:
        """Begin those series that are not kept yet; what is up to `position` of the log waits to be filled in.

        No number is given again while rows of it are left in tallies.
        """
        number = 1 + max((row.number for _, row in self._series.items()), default=-1)
        for one in sorted(needed, key=lambda series: series.id):
            if one.id not in self._series:
                self._series.put(one.id, SeriesRow(one, number, position, 0, layout=one.layout))
                number += 1

    def end(self, needed: Collection[Series]) -> None:
        """End all series but these; `clear` takes them out of the tallies."""
        for key, row in list(self._series.items()):
            if row.series not in needed and not row.gone:
                self._series.delete(key)
                self._series.put(f"gone/{row.number}", replace(row, gone=True))

    def end_outdated(self) -> set[Series]:
        """End those whose rows lie as they did in an older version of Patron; gives them."""
        rows = self.rows()
        old = {one for one, row in rows.items() if row.layout != one.layout}
        if old:
            self.end(rows.keys() - old)
        return old

    @property
    def waiting(self) -> bool:
        """Whether a series waits for its past, or to be cleared."""
        return self.behind or self.untidy

    @property
    def behind(self) -> bool:
        """Whether a series waits for its past."""
        return any(not (row.full or row.gone) for _, row in self._series.items())

    @property
    def untidy(self) -> bool:
        """Whether a series that was ended is in tallies still."""
        return any(row.gone for _, row in self._series.items())

    def fill(self) -> Generator[None, None, bool]:
        """Fill the series that wait from furthest back, all that stand there together, as far as the first needs. In slices.

        Definitions saved one after the other lack a few events more each: the past is still read once for all of them.
        Gives whether one is full: none is where one of them is dropped meanwhile.
        """
        waiting = [row for row in self.rows().values() if not row.full]
        filled = min(row.filled for row in waiting)
        rows = [row for row in waiting if row.filled == filled]
        since = min(row.since for row in rows)
        feeds = Feeds([Fed(row.series, row.number, -1) for row in rows], self._calendar, {})
        for count, (event, node) in enumerate(self._history(filled + 1), 1):
            if event.position > since:
                break
            if not self._still(rows):
                return False
            feed = feeds.of(event)
            if feed is not None:
                self._fold(event, node, feed)
            if count % SLICE == 0:
                self._mark(rows, event.position)
                yield
        self._mark(rows, since)
        return True

    def _still(self, rows: list[SeriesRow]) -> bool:
        """Whether none of these was ended since (it may have begun again, under another number)."""
        held = [self._series.get(row.series.id) for row in rows]
        return all(now is not None and now.number == row.number for now, row in zip(held, rows, strict=True))

    def _mark(self, rows: list[SeriesRow], position: int) -> None:
        for row in rows:
            self._series.put(row.series.id, replace(row, filled=position))

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
        """Take series that were ended out of the tallies. In slices."""
        ended = {row.number: key for key, row in self._series.items() if row.gone}
        for count, node in enumerate(list(self._tallies.keys())):
            tally = self._tallies.get(node)
            gone = () if tally is None else tally.keys() & ended.keys()
            if tally is not None and gone:
                self._tallies.touch(node)
                for number in gone:
                    del tally[number]
                if not tally:
                    self._tallies.delete(node)
            if count % SLICE == SLICE - 1:
                yield
        for key in ended.values():
            self._series.delete(key)

    def drop(self, node: Key) -> None:
        """A node's events are taken out."""
        self._tallies.delete(node)

    def refold(self, event: Event, node: Key, feeds: Feeds) -> None:
        """Add an event of the past to a node that was dropped: to each series that has its position already.

        `feeds` are those of all series.
        """
        position = event.position
        kept = self.rows().values()
        ripe = [row for row in kept if not row.filled < position <= row.since]
        if len(ripe) < len(kept):
            feeds = Feeds([Fed(row.series, row.number, -1) for row in ripe], self._calendar, {})
        feed = feeds.of(event)
        if feed is not None:
            self._fold(event, node, feed)
