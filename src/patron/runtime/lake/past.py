"""Events that the log gave to the lake, read back: for replay in order of the log, for timelines by position."""

import shutil
import tempfile
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from patron.model.events import Batch, Event
from patron.model.log import Entry
from patron.runtime.lake.envelope import Kept, event_of

_COLUMNS = (
    "position, epoch_us(time) AS time, epoch_us(received) AS received, type, name, channel, source, store, touchpoint, "
    "message_id, user_id, anonymous_id, group_id, properties, envelope"
)
_BATCH = 2_000
_REMEMBERED = 50_000


class Past:
    """Reads the lake at `url`. Engines are loaded when it is first used: most workspaces keep their whole log."""

    def __init__(self, url: str, options: Mapping[str, str]) -> None:
        self._url = url
        self._options = options
        self._held: dict[int, Kept | None] = {}

    def at(self, position: int) -> Event | None:
        """The event at a position; None when the lake has none."""
        if position not in self._held:
            self.recall([position])
        kept = self._held.get(position)
        return None if kept is None else kept.event

    def recall(self, positions: Collection[int]) -> None:
        """Read the events at these positions at once, and remember them for `at`."""
        missing = sorted(set(positions) - self._held.keys())
        if not missing:
            return
        if len(self._held) > _REMEMBERED:
            self._held.clear()
        self._held.update(dict.fromkeys(missing))
        listed = ", ".join(map(str, missing))
        where = f"position BETWEEN {missing[0]} AND {missing[-1]} AND position IN ({listed})"
        for kept in self._select(f"WHERE {where}"):
            self._held[kept.event.position] = kept

    def forget(self) -> None:
        """Let go of everything: the lake was written anew."""
        self._held.clear()

    def ordered(self, first: int, last: int) -> Iterator[Kept]:
        """Every event from one position to another, in order, in bounded memory."""
        return self._select(f"WHERE position BETWEEN {first} AND {last} ORDER BY position")

    def _select(self, rest: str) -> Iterator[Kept]:
        import duckdb

        from patron.storage.lake.duck import create_views, lake_files

        spill = tempfile.mkdtemp(prefix="patron-past-")
        try:
            config: dict[str, Any] = {"memory_limit": "1GB", "threads": 2, "temp_directory": spill}
            with duckdb.connect(config=config) as connection:
                create_views(connection, lake_files(self._url, self._options), self._options)
                reader = connection.sql(f"SELECT {_COLUMNS} FROM events {rest}").to_arrow_reader(_BATCH)
                for batch in reader:
                    yield from map(event_of, batch.to_pylist())
        finally:
            shutil.rmtree(spill, ignore_errors=True)


class Replayed:
    """Puts the messages that are in the lake only back into the bodies of the log, entry by entry."""

    def __init__(self, past: Past, first: int, last: int) -> None:
        self.last = last
        self._rest = past.ordered(first, last)
        self._next = next(self._rest, None)

    def whole(self, entry: Entry, batch: Batch) -> Batch:
        """What an entry held, messages of the log and of the lake together. Entries are given in order."""
        held = {event.position for event in batch.events}
        told = list(zip(batch.events, batch.indexes, batch.payload_hashes, strict=True))
        while self._next is not None and self._next.event.position <= entry.last:
            kept = self._next
            if kept.event.position >= entry.base and kept.event.position not in held:
                told.append((kept.event, kept.event.position - entry.base, kept.checksum))
            self._next = next(self._rest, None)
        told.sort(key=_index)
        events, indexes, checksums = (
            (list(column) for column in zip(*told, strict=True)) if told else ([], [], [])
        )
        return Batch(batch.count, events, indexes, batch.rejects, checksums)


def _index(told: tuple[Event, int, int]) -> int:
    return told[1]
