"""Erasing from the lake: files that hold rows of the erased are written again without them, in the jobs process.

Rows of the person's nodes go, rows of other people that mention the person lose the mention, as in the log. When nobody reads
the files from before any more they are removed, and the tables' own logs with them. Repeating it is harmless.
"""

import json
import re
from collections.abc import Callable, Collection, Iterable
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct

from patron.collect.edit import redact
from patron.identity.households import HouseholdIds
from patron.identity.normalise import normalise
from patron.identity.rules import IdentityRules
from patron.model.people import ERASED
from patron.storage.lake.store import LakeStore
from patron.storage.lake.table import DataFile, LakeTable

_KINDS = ("email", "phone", "user_id")
_IDS = ("user_id", "anonymous_id", "group_id")
_JSON = ("properties", "traits", "consents", "envelope")
_LONGEST = 1 << 62


class Wanted(Struct, frozen=True):
    """Who is to be erased, as the lake can know them."""

    nodes: list[tuple[int, int | None, int | None]]
    """Node hash (signed), and the part of its time, ms: the whole of it mostly."""
    positions: list[int]
    """Messages that mention the person."""
    values: list[str]
    """The identifiers as they stand in messages."""
    keys: list[str]
    """The identifiers with their types, whole."""
    people: list[str]
    """Ids of the person."""
    needles: list[str]
    """Texts that tell of the person wherever they stand, lower case."""


class Erased(Struct):
    """How many rows went, and how many lost a mention."""

    rows: int = 0
    redacted: int = 0
    files: int = 0
    mentions: list[int] = []
    """Positions of the redacted ones."""


def erase(
    store: LakeStore, wanted: Wanted, rules: IdentityRules, homes: HouseholdIds, crash: Callable[[str], None]
) -> Erased:
    """Erase somebody from every table of the lake. Raises StorageError; then ask again."""
    done = Erased()
    mentions = _Mentions(wanted, rules, homes)
    for file in store["events"].files():
        _rewrite(store["events"], file, wanted, mentions, done)
        crash("lake_in_erasure")
    _filter(store["people"], lambda rows: _of_people(rows, wanted), done)
    _filter(store["members"], lambda rows: _among(rows["person_node"], _whole(wanted)), done)
    _filter(store["decisions"], lambda rows: _own(rows, wanted), done)
    _filter(store["profiles"], lambda rows: _of_profiles(rows, wanted), done)
    return done


def sweep(store: LakeStore, crash: Callable[[str], None]) -> int:
    """Remove every file that is no part of the lake any more, and the tables' own logs before now; gives their number.

    Whoever reads the lake must be done with the files from before.
    """
    gone = 0
    for table in store.tables.values():
        crash("lake_before_sweep")
        gone += table.sweep(0)
    return gone


def _rewrite(table: LakeTable, file: DataFile, wanted: Wanted, mentions: "_Mentions", done: Erased) -> None:
    probe = table.read(file, ["node", "time", "position", *mentions.columns])
    own = _own(probe, wanted)
    touched = (_among(probe["position"], wanted.positions) | mentions.found(probe)) & ~own
    if not own.any() and not touched.any():
        return
    rows = table.read(file)
    kept = rows.filter(pa.array(~own))
    places = np.flatnonzero(touched[~own])
    if len(places):
        done.mentions += kept["position"].take(pa.array(places)).to_pylist()
        kept = _patched(kept, places, mentions)
    table.replace([file], [kept])
    done.rows += int(own.sum())
    done.redacted += len(places)
    done.files += 1


def _patched(rows: pa.Table, places: Any, mentions: "_Mentions") -> pa.Table:
    """The rows with those at some places redacted."""
    fresh = {int(place): mentions.redacted(rows.slice(int(place), 1).to_pylist()[0]) for place in places}
    for number, field in enumerate(rows.schema):
        if field.name in (*mentions.columns, "products", "home"):
            values = rows[field.name].to_pylist()
            for place, row in fresh.items():
                values[place] = row[field.name]
            rows = rows.set_column(number, field, pa.array(values, field.type))
    return rows


class _Mentions:
    """Finds and takes away what rows of other people say of the erased."""

    columns = (
        *("name", "store", "touchpoint", "message_id", "user_id", "anonymous_id", "group_id", "product_id"),
        *("category", "order_id", "coupon", "currency", "properties", "traits", "consents", "envelope"),
    )

    def __init__(self, wanted: Wanted, rules: IdentityRules, homes: HouseholdIds) -> None:
        self._homes = homes
        self._values = set(wanted.values)
        self._keys = set(wanted.keys)
        self._rules = rules
        self._pattern = "|".join(re.escape(needle) for needle in wanted.needles)

    def found(self, rows: pa.Table) -> Any:
        """Which rows hold one of the needles in one of their texts."""
        hit = np.zeros(len(rows), bool)
        if self._pattern:
            for name in self.columns:
                found = pc.match_substring_regex(rows[name], self._pattern, ignore_case=True)
                hit |= pc.fill_null(found, False).to_numpy(zero_copy_only=False).astype(bool)
        return hit

    def redacted(self, row: dict[str, Any]) -> dict[str, Any]:
        """A row without the mentions; an identifier that was one is gone."""
        body = {name: row[name] for name in self.columns if name not in _JSON and row[name] is not None}
        texts = {name: row[name] for name in _JSON if row[name] is not None}
        lines = [{"product_id": p["product_id"], "category": p["category"]} for p in row["products"] or ()]
        raw = json.dumps({**body, **{n: json.loads(t) for n, t in texts.items()}, "products": lines}).encode()
        cleaned = json.loads(redact(raw, "track", 0, self._values, self._same))
        for name in body:
            row[name] = cleaned.get(name)
            if name in _IDS and row[name] == ERASED:
                row[name] = None
        for name in texts:
            row[name] = msgspec.json.encode(cleaned.get(name)).decode()
        if row["home"] is not None:
            row["home"] = self._homes.stated(cleaned["traits"])
        for line, clean in zip(row["products"] or (), cleaned.get("products", ()), strict=True):
            line.update(clean)
        return row

    def _same(self, text: str) -> bool:
        return any(f"{kind}:{normalise(kind, text, self._rules)}" in self._keys for kind in _KINDS)


# --- which rows --------------------------------------------------------------------------------------------------------


def _among(column: pa.ChunkedArray, values: Collection[Any]) -> Any:
    found = pc.is_in(column, value_set=pa.array(list(values), column.type))
    return found.to_numpy(zero_copy_only=False).astype(bool)


def _own(rows: pa.Table, wanted: Wanted) -> Any:
    """Rows of the person's nodes, each in its part of time."""
    hit = _among(rows["node"], _whole(wanted))
    parts = [(node, a, b) for node, a, b in wanted.nodes if a is not None or b is not None]
    if parts:
        nodes, times = rows["node"].to_pylist(), rows["time"].cast(pa.int64()).to_numpy() // 1000
        for node, since, until in parts:
            inside = (times >= (since or -_LONGEST)) & (times < (until or _LONGEST))
            hit |= inside & np.array([n == node for n in nodes], bool)
    return hit


def _whole(wanted: Wanted) -> list[int]:
    return [node for node, since, until in wanted.nodes if since is None and until is None]


def _of_people(rows: pa.Table, wanted: Wanted) -> Any:
    parts = {(node, since, until) for node, since, until in wanted.nodes}
    times = [
        [None if t is None else t // 1000 for t in rows[n].cast(pa.int64()).to_pylist()]
        for n in ("since", "until")
    ]
    named = [part in parts for part in zip(rows["node"].to_pylist(), *times, strict=True)]
    return (
        np.array(named, bool) | _among(rows["node"], _whole(wanted)) | _among(rows["person"], wanted.people)
    )


def _of_profiles(rows: pa.Table, wanted: Wanted) -> Any:
    """Snapshots of the person, and whole those of others that tell of them: as when they were one, before a split."""
    hit = _among(rows["person"], wanted.people) | _holding(
        rows["nodes"], {node for node, _, _ in wanted.nodes}
    )
    texts: Iterable[str] = (text.lower() for text in rows["profile"].to_pylist())
    return hit | np.array([any(n in text for n in wanted.needles) for text in texts], bool)


def _holding(lists: pa.ChunkedArray, values: Collection[int]) -> Any:
    """Which of the lists hold one of the values."""
    hit, lists = np.zeros(len(lists), bool), lists.combine_chunks()
    inside = _among(pa.chunked_array([pc.list_flatten(lists)]), values)
    hit[pc.list_parent_indices(lists).to_numpy()[inside]] = True
    return hit


def _filter(table: LakeTable, gone: Callable[[pa.Table], Any], done: Erased) -> None:
    for file in table.files():
        rows = table.read(file)
        hit = gone(rows)
        if hit.any():
            table.replace([file], [rows.filter(pa.array(~hit))])
            done.rows += int(hit.sum())
            done.files += 1
