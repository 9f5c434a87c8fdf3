"""Loading a feed: records are read, compared with what is known, and the news goes into the log in parts.

A part that is in the log is loaded; a load that was interrupted is simply repeated: what is there already changes nothing.
"""

import asyncio
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from itertools import count
from typing import Any

import msgspec
from msgspec import Struct

from patron.collect.importers.feeds import Record, UnreadableFile, of_bytes
from patron.feeds.facts import state_key
from patron.feeds.kinds import KINDS, Kind, unknown_kind
from patron.feeds.rows import Layout, Row, Terms, layout, names_of, row_of
from patron.feeds.values import Unreadable, read
from patron.feeds.versions import Version, put, tells
from patron.model.errors import BadRequest, Fault, NotFound
from patron.model.feeds import FeedLoad, FeedReport, FeedRequest, Reject
from patron.runtime.app import App
from patron.runtime.feeds.feeds import KEPT_REJECTS, Feeds

PART = 128 << 10
"""Bytes of one fact: small, since applying one keeps everybody else waiting."""
TURN = 200
"""Records read before everybody else has a turn."""
TOLD = 2_000
"""Rejects of one answer."""
_LAYOUTS = 1_000
_ID = re.compile(r"[0-9]{13}-[0-9a-f]{8}")
_encode = msgspec.json.Encoder().encode


class Handed(Struct, frozen=True):
    """What was handed over: records, their columns (none: each has its own names), and how they are meant."""

    records: Iterable[Record]
    columns: tuple[str, ...]
    terms: FeedRequest
    """Its `rows` are not read."""


def kind_of(name: str) -> Kind:
    """A kind by its name. Raises NotFound saying which there are."""
    kind = KINDS.get(name)
    if kind is None:
        raise NotFound("unknown_feed", unknown_kind(name))
    return kind


def handed(body: bytes, options: Mapping[str, str]) -> Handed:
    """Read a request: JSON rows (`FeedRequest`, or a bare list), else CSV or JSON lines with their terms in the query.

    Raises BadRequest.
    """
    form = options.get("format", "")
    if form not in ("", "json", "csv", "jsonl"):
        raise BadRequest("bad_query", "`format` is json, csv or jsonl; leave it out to have Patron look.")
    if form in ("", "json") and body[:1024].lstrip()[:1] in (b"[", b"{"):
        try:
            whole = msgspec.json.decode(body)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            if form or body[:1024].lstrip()[:1] == b"[":
                raise BadRequest("bad_body", f"The JSON body cannot be read: {error}.") from error
            whole = None  # several objects: JSON lines
        if isinstance(whole, list):
            return _rows(_terms(options, whole))
        if isinstance(whole, dict) and "rows" in whole:
            try:
                return _rows(msgspec.convert(whole, FeedRequest))
            except msgspec.ValidationError as error:
                raise BadRequest("bad_body", f"The JSON body is not as documented: {error}.") from error
    try:
        found = of_bytes(body, "" if form == "json" else form)
    except UnreadableFile as error:
        raise BadRequest("bad_file", str(error)) from error
    return Handed(found.rows, found.columns, _terms(options, []))


def _terms(options: Mapping[str, str], rows: list[Any]) -> FeedRequest:
    pairs = [pair.partition("=") for pair in options.get("mapping", "").split(",") if pair]
    known = options.get("known_at") or None
    return FeedRequest(
        rows,
        mapping={name: column for name, _, column in pairs},
        known_at=int(known) if known and known.isdecimal() and len(known) < 18 else known,
        dry_run=options.get("dry_run", "").lower() in ("true", "1", "yes"),
        file=options.get("file", ""),
    )


def _rows(asked: FeedRequest) -> Handed:
    columns = tuple(asked.columns)
    if len(set(columns)) < len(columns):
        raise BadRequest("bad_body", "`columns` names one column twice.")
    if asked.numbers and len(asked.numbers) != len(asked.rows):
        raise BadRequest("bad_body", "`numbers` has one number for each of `rows`, or is left out.")
    return Handed(_records(asked, columns), columns, asked)


def _records(asked: FeedRequest, columns: tuple[str, ...]) -> Iterator[Record]:
    for number, row in zip(asked.numbers or count(1), asked.rows, strict=False):
        if isinstance(row, dict):
            yield Record(number, row)
        elif not isinstance(row, list) or not columns:
            yield Record(
                number, {}, "is no object", 'write {"store": "S01", ...}, or give `columns` and lists'
            )
        elif len(row) != len(columns):
            yield Record(number, {}, f"has {len(row)} cells for {len(columns)} columns", "give all cells")
        else:
            yield Record(number, dict(zip(columns, row, strict=True)))


async def load(app: App, name: str, given: Handed, by: str) -> FeedReport:
    """Load a part of a feed, or only say what that would do. Raises NotFound, BadRequest."""
    loading = _Loading(app, kind_of(name), given, by)
    for place, record in enumerate(given.records, 1):
        loading.take(record)
        if place % TURN == 0:
            await loading.send(PART)
            await asyncio.sleep(0)
    return await loading.end()


class _Loading:
    """One part of a load on its way."""

    def __init__(self, app: App, kind: Kind, given: Handed, by: str) -> None:
        self._app = app
        self._feeds: Feeds = app.workspace.feeds
        self._kind = kind
        self._terms = given.terms
        self._by = by
        self._mapping = given.terms.mapping
        self._layouts: dict[tuple[str, ...], tuple[Layout, list[Reject]]] = {}
        self._ragged = not given.columns
        self._now = app.workspace.clock.now()
        self._news: list[bytes] = []
        self._bytes = 0
        self._ahead: dict[str, list[Version]] = {}
        """Keys of this part as they will be: a file that says a thing twice says it once."""
        self._ignored: dict[str, None] = {}
        self._rejects: list[Reject] = []
        self.rows = self.added = self.unchanged = self.rejected = self.later = 0
        self.id, began = self._begun(given.terms.load)
        self._how = Terms(began, self._feeds.zone, self._known_at(given.terms.known_at))
        if given.columns:
            self._header(given.columns)
        for one in given.terms.unread:
            self.rows += 1
            self._reject([one])

    def _begun(self, given: str) -> tuple[str, int]:
        """The load's id, and when its first part came: since then all of it was known."""
        if given and not _ID.fullmatch(given):
            raise BadRequest("bad_load", "`load` is the id that the answer to the first part gave.")
        held = self._feeds.loads.get(given) if given else None
        if held is not None and held.kind != self._kind.name:
            raise BadRequest("bad_load", f"That load is one of {held.kind}.")
        if held is None and given:
            raise BadRequest("bad_load", "There is no such load any more; begin anew, without `load`.")
        if held is not None:
            return given, held.time
        return f"{self._now:013d}-{secrets.token_hex(4)}", self._now

    def _known_at(self, given: int | str | None) -> int | None:
        try:
            known: int | None = read(given, "time", self._feeds.zone)
        except Unreadable as error:
            raise BadRequest("bad_time", f"`known_at`: {error}; write 2026-05-04T10:00:00Z.") from error
        return known

    def _header(self, columns: tuple[str, ...]) -> None:
        """Refuse a table as a whole when its columns are not those of the kind."""
        faults = self._layout(columns)[1]
        if faults:
            told = "; ".join(f"{fault.problem} ({fault.hint})" for fault in faults[:5])
            where = tuple(Fault(fault.column, f"{fault.problem} ({fault.hint})") for fault in faults)
            raise BadRequest("bad_columns", f"This is no feed of {self._kind.name}: {told}.", where)

    def _layout(self, names: tuple[str, ...]) -> tuple[Layout, list[Reject]]:
        held = self._layouts.get(names)
        if held is None:
            if len(self._layouts) >= _LAYOUTS:
                self._layouts.clear()
            mapping = self._mapping
            if self._ragged:
                mapping = {name: column for name, column in mapping.items() if name in names}
            found, faults = names_of(self._kind, names, mapping)
            self._ignored.update(dict.fromkeys(n[:80] for n in names[:500] if n not in found))
            held = self._layouts[names] = (layout(self._kind, found), faults)
        return held

    def take(self, record: Record) -> None:
        """Read one record, and keep it for the log when it says anything new."""
        self.rows += 1
        if record.problem:
            self._reject([Reject(record.row, "", record.problem, record.hint)])
            return
        columns, faults = self._layout(tuple(record.cells))
        if faults:
            self._reject([msgspec.structs.replace(fault, row=record.row) for fault in faults])
            return
        read_row = row_of(self._kind, record.cells, record.row, columns, self._how)
        if isinstance(read_row, list):
            self._reject(read_row)
            return
        self._compare(*read_row)

    def _compare(self, row: Row, stated: bool) -> None:
        name = state_key(self._kind.name, row.key, row.valid_from)
        held = self._ahead.get(name)
        if held is None:
            held = self._ahead[name] = list(self._feeds.rows.get(name) or ())
        if not tells(held, row, stated=stated):
            self.unchanged += 1
            return
        put(held, row, 1 << 60)
        self.added += 1
        self.later += row.known_at > self._now
        if not self._terms.dry_run:
            text = _encode(row)
            self._news.append(text)
            self._bytes += len(text) + 1

    def _reject(self, faults: list[Reject]) -> None:
        self.rejected += 1
        self._rejects.extend(faults[: max(0, TOLD - len(self._rejects))])

    async def send(self, least: int = 1) -> None:
        """Put what is new into the log when it is enough, and wait until it is there and applied."""
        while self._bytes >= least:
            size, taken = 0, 0
            while taken < len(self._news) and (taken == 0 or size + len(self._news[taken]) < PART):
                size += len(self._news[taken]) + 1
                taken += 1
            rows = msgspec.Raw(b"[" + b",".join(self._news[:taken]) + b"]")
            del self._news[:taken]
            self._bytes -= size
            await self._app.record("Feed Loaded", {"kind": self._kind.name, "load": self.id, "rows": rows})

    async def end(self) -> FeedReport:
        """The rest into the log, with a note of what the load did."""
        position = self._app.workspace.applied
        if not self._terms.dry_run:
            await self.send()
            position = await self._app.record("Feed Load Noted", self._note())
        return FeedReport(
            self.id,
            self._kind.name,
            self.rows,
            self.added,
            self.unchanged,
            self.rejected,
            tuple(self._rejects),
            tuple(self._ignored)[:100],
            self.later,
            self._terms.dry_run,
            position,
        )

    def _note(self) -> FeedLoad:
        return FeedLoad(
            self.id,
            self._kind.name,
            self._terms.file[:200],
            self._by[:100],
            self._now,
            self.rows,
            self.added,
            self.unchanged,
            self.rejected,
            tuple(self._rejects[:KEPT_REJECTS]),
            not self._terms.more,
            self._now,
        )
