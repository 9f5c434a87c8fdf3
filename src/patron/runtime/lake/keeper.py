"""Keeping the lake: from the log's entries to committed rows, a chunk at a time. Runs in the jobs process.

Of each chunk the tables beside are committed first and `events` last. After a crash between them the next chunk begins where
`events` ends, and what a table beside has already (its own position says so) is passed over.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from patron.collect.limits import Limits
from patron.decide.catalogue import parse
from patron.decide.encoding import decode_record
from patron.decide.index import CatalogueIndex
from patron.identity.households import HouseholdIds
from patron.model.clock import DAY
from patron.model.log import Entry
from patron.runtime.decisions.decided import decision_of
from patron.runtime.flow import KeyHash
from patron.runtime.lake.rows import EventRows, signed
from patron.runtime.lake.terms import Terms
from patron.runtime.reading import place_batch, read_entry
from patron.storage.embedded.follow import LogFollower
from patron.storage.lake.schema import SCHEMAS
from patron.storage.lake.store import LakeStore

CHUNK_BYTES = 64 << 20
"""Bytes of bodies after which a chunk ends, however few events it has."""
_NO_CUTS: dict[str, list[int]] = {}


class Keeper:
    """The lake of one directory and the log it follows.

    Parameters
    ----------
    store : the lake, open for writing.
    log : folder of the log.
    secret : of the workspace; keys the hashes of nodes.
    crash : called with the name of each crash point.
    """

    def __init__(
        self, store: LakeStore, log: Path, secret: bytes, terms: Terms, crash: Callable[[str], None]
    ) -> None:
        self.store = store
        self.follower = LogFollower(log)
        self.hashes = KeyHash(secret)
        self.households = HouseholdIds(secret)
        self.crash = crash
        self._links: list[Sequence[Any]] = []
        self._limits = Limits()
        self._ids: dict[str, tuple[str, ...]] = {}
        self.agree(terms)

    def agree(self, terms: Terms) -> None:
        """Read by these terms from now on."""
        self.terms = terms

    @property
    def position(self) -> int:
        """Log position up to which everything is in the lake."""
        return self.store.position

    # --- events, decisions, members ----------------------------------------------------------------------------------

    def advance(self, upto: int, most: int) -> int:
        """Bring one chunk of the log, at most about `most` events and nothing after `upto`, into the lake.

        Gives the new position. Raises StorageError or CorruptLog; asking again is safe.
        """
        start = self.position + 1
        if upto < start:
            return start - 1
        chunk = _Chunk(self, start)
        for entry, body in self.follower.read(start, upto):
            chunk.take(entry, body)
            if len(chunk.events) >= most or chunk.bytes > CHUNK_BYTES:
                break
        self._commit(chunk)
        return self.position

    def _commit(self, chunk: "_Chunk") -> None:
        last = chunk.last
        self.crash("lake_before_people")
        self._commit_people(last)
        for name, rows in (("members", chunk.members), ("decisions", chunk.decisions)):
            table = self.store[name]
            fresh = [row for row in rows if row["position"] > table.position]
            if fresh:
                table.append(pa.Table.from_pylist(fresh, schema=SCHEMAS[name]), last)
                self.crash(f"lake_after_{name}")
        self.crash("lake_before_events")
        self.store["events"].append(chunk.events.table(), last)
        self.crash("lake_after_events")

    # --- people --------------------------------------------------------------------------------------------------

    def take_links(self, rows: Sequence[Sequence[Any]]) -> None:
        """Rows of `people` that the main process told; they are written with the events of their positions."""
        self._links += rows

    def _commit_people(self, last: int) -> None:
        people = self.store["people"]
        held = people.position
        due = [row for row in self._links if held < row[4] <= last]
        if due:
            people.append(people_table(due), last)
            self.crash("lake_after_people")
        self._links = [row for row in self._links if row[4] > last]

    def take_snapshot(self, rows: Sequence[Sequence[Any]], position: int) -> int:
        """Whose every node is as of `position`; what the table does not say so yet is written. Gives the number of rows."""
        people = self.store["people"]
        self._links = [row for row in self._links if row[4] > position]
        told = dict[int, set[tuple[Any, ...]]]()
        for row in rows:
            told.setdefault(signed(row[0]), set()).add((row[1], row[2], row[3]))
        held = self._people_now()
        known = max((row[5] for row in rows), default=0)
        due = [
            (node, since, until, person, position, known)
            for node, parts in told.items()
            if held.get(node) != parts
            for since, until, person in parts
        ]
        table = people_table(due, hashed=False) if due else SCHEMAS["people"].empty_table()
        people.append(table, max(position, people.position))
        return len(due)

    def _people_now(self) -> dict[int, set[tuple[Any, ...]]]:
        latest = dict[int, tuple[int, set[tuple[Any, ...]]]]()
        people = self.store["people"]
        for file in people.files():
            for node, since, until, person, position in _people_rows(people.read(file)):
                at, parts = latest.get(node, (-1, set()))
                if position > at:
                    latest[node] = (position, {(since, until, person)})
                elif position == at:
                    parts.add((since, until, person))
        return {node: parts for node, (_, parts) in latest.items()}

    # --- decisions -----------------------------------------------------------------------------------------------

    def decision(self, entry: Entry, body: bytes) -> dict[str, Any] | None:
        """The row of a decision; None for any other fact."""
        found = decision_of(body)
        if found is None:
            return None
        name, row = found
        ids = self._catalogue(row.catalogue)
        made = decode_record(row.record, ids) if ids is not None else None
        return {
            "position": entry.base,
            "time": row.time * 1000,
            "day": row.time // DAY,
            "id": name,
            "node": signed(self.hashes[row.node]) if row.node else None,
            "channel": row.channel,
            "placement": made.placement if made else None,
            "action": row.action,
            "would": made.would if made else None,
            "propensity": made.propensity if made else None,
            "treated": row.group == "treated",
            "holdout": row.holdout,
            "catalogue": row.catalogue,
        }

    def _catalogue(self, version: str) -> tuple[str, ...] | None:
        if version not in self._ids and version in self.terms.catalogues:
            text, opt_in = self.terms.catalogues[version]
            self._ids[version] = tuple(CatalogueIndex(parse(text), tuple(opt_in)).ids)
        return self._ids.get(version)

    # --- reading -------------------------------------------------------------------------------------------------

    def found(self, entry: Entry, body: bytes) -> Iterator[tuple[Any, str, int]]:
        """Events of a body that count, each with its node and the checksum of what it says."""
        terms = self.terms
        batch = read_entry(entry, body, self._limits, terms.reading)
        checksums = {
            event.position: sum_ for event, sum_ in zip(batch.events, batch.payload_hashes, strict=True)
        }
        for event, located, fresh in place_batch(entry, batch, terms.identity, _NO_CUTS):
            if fresh:
                yield event, located.node, checksums[event.position]


class _Chunk:
    """Rows of some entries that follow one another."""

    def __init__(self, keeper: Keeper, start: int) -> None:
        self._keeper = keeper
        self._start = start
        self.last = start - 1
        self.bytes = 0
        self.events = EventRows(keeper.terms.profiles, keeper.hashes.__getitem__, keeper.households.stated)
        self.members: list[dict[str, Any]] = []
        self.decisions: list[dict[str, Any]] = []

    def take(self, entry: Entry, body: bytes) -> None:
        """Take in one entry."""
        self.last = entry.last
        self.bytes += len(body)
        if entry.kind == "fact":
            decision = self._keeper.decision(entry, body)
            if decision is not None:
                self.decisions.append(decision)
            return
        for event, node, checksum in self._keeper.found(entry, body):
            if event.position < self._start:
                continue
            self.events.add(event, node, entry.received, checksum)
            if event.type == "group" and event.group_id:
                self.members.append(
                    {
                        "account": event.group_id,
                        "person_node": signed(self._keeper.hashes[node]),
                        "position": event.position,
                        "known": entry.received * 1000,
                    }
                )


def people_table(rows: Sequence[Sequence[Any]], *, hashed: bool = True) -> pa.Table:
    """Rows of `people` as Arrow; `hashed`: their nodes are as the log's index has them, unsigned."""
    node, since, until, person, position, known = zip(*rows, strict=True)
    nodes = np.array(node, np.uint64).view(np.int64) if hashed else np.array(node, np.int64)
    arrays = [
        pa.array(nodes),
        _times(since),
        _times(until),
        pa.array(person),
        pa.array(position),
        _times(known),
    ]
    return pa.table(arrays, schema=SCHEMAS["people"])


def _times(values: Sequence[int | None]) -> pa.Array:
    return pc.multiply(pa.array(values, pa.int64()), 1000).cast(pa.timestamp("us", "UTC"))


def _people_rows(table: pa.Table) -> Iterator[tuple[Any, ...]]:
    milliseconds = [pc.divide(table[name].cast(pa.int64()), 1000).to_pylist() for name in ("since", "until")]
    return zip(
        table["node"].to_pylist(),
        *milliseconds,
        table["person"].to_pylist(),
        table["position"].to_pylist(),
        strict=True,
    )
