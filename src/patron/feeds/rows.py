"""A row of a file as a frozen value: what it names, when it holds, since when it was known, and what it says."""

import difflib
from collections.abc import Collection, Mapping
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct

from patron.feeds.kinds import CALENDAR_KINDS, TYPES, Column, Kind
from patron.feeds.values import Unreadable, read, shown
from patron.model.clock import DAY
from patron.model.feeds import Reject

MAX_KEY = 200
Layout = tuple[tuple[str, Column], ...]
"""The columns of a file that are read: (name in the file, column)."""


class Row(Struct, frozen=True, array_like=True):
    """One row, as it stands in the log."""

    key: str
    item: str
    valid_from: int
    until: int | None
    known_at: int
    values: tuple[Any, ...] | None
    """In the order of `Kind.values`; None: withdrawn."""


class Terms(Struct, frozen=True):
    """How rows are read: their time of knowledge when they give none, the zone of bare dates, and other names of columns."""

    now: int
    """ms UTC; when the rows came."""
    zone: ZoneInfo
    known_at: int | None = None
    """ms UTC: since when all rows that do not say were known; the time they came when None."""


def names_of(
    kind: Kind, given: Collection[str], mapping: Mapping[str, str]
) -> tuple[dict[str, str], list[Reject]]:
    """Which column of a file stands for which of the kind: (name in the file -> column), and what is wrong with the header.

    `mapping` says it where names differ: name in the file -> column.

    >>> from patron.feeds.kinds import KINDS
    >>> names_of(KINDS["stock"], ["shop", "sku", "quantity"], {"shop": "store"})[0]
    {'shop': 'store', 'sku': 'product_id', 'quantity': 'quantity'}
    """
    faults = [
        Reject(
            0,
            name,
            f"the mapping names `{name}`, which the file does not have",
            f"the file has {_listed(given)}",
        )
        for name in mapping
        if name not in given
    ]
    faults += [
        Reject(
            0,
            wanted,
            f"the mapping leads to `{wanted}`, which {kind.name} does not have",
            f"use {_listed(kind.names)}",
        )
        for wanted in mapping.values()
        if wanted not in kind.names
    ]
    columns = {c.name: c for name in kind.names for c in (kind.column(name),)}
    found = {name: wanted for name, wanted in mapping.items() if name in given and wanted in columns}
    for name in given:
        exact = name.strip()
        if name not in found and exact in columns and exact not in found.values():
            found[name] = exact
    for name in given:
        if name not in found:
            wanted = _other_name(name, columns, found.values())
            if wanted:
                found[name] = wanted
    for column in columns.values():
        if column.required and column.name not in found.values():
            faults.append(_missing(column, [name for name in given if name not in found]))
    twice = [wanted for wanted in found.values() if list(found.values()).count(wanted) > 1]
    faults += [
        Reject(0, w, f"two columns stand for `{w}`", "leave one out of the mapping")
        for w in dict.fromkeys(twice)
    ]
    return {name: found[name] for name in given if name in found}, faults


def layout(kind: Kind, names: Mapping[str, str]) -> Layout:
    """The columns that `names_of` found."""
    return tuple((name, kind.column(wanted)) for name, wanted in names.items())


def _other_name(name: str, columns: Mapping[str, Column], taken: Collection[str]) -> str | None:
    word = name.strip().lower()
    return next(
        (
            c.name
            for c in columns.values()
            if c.name not in taken and word in (c.name, *(n.lower() for n in c.names))
        ),
        None,
    )


def _missing(column: Column, left: list[str]) -> Reject:
    near = difflib.get_close_matches(column.name, left, n=1, cutoff=0.4) or left[:1]
    hint = f"; if it is called `{near[0]}` here, say --mapping {near[0]}={column.name}" if near else ""
    return Reject(
        0,
        column.name,
        f"the column `{column.name}` is missing: {column.about}",
        f"for example {column.example}{hint}",
    )


def _listed(names: Collection[str]) -> str:
    shown = ", ".join(str(name)[:40] for name in list(names)[:20])
    return shown + (", ..." if len(names) > 20 else "") if shown else "no columns"


def row_of(
    kind: Kind, record: Mapping[str, Any], number: int, layout: Layout, terms: Terms
) -> tuple[Row, bool] | list[Reject]:
    """Read one record (name in the file -> cell). Gives the row and whether it says itself since when it is known.

    Everything that is wrong with it comes back at once, each with row, column, problem and hint.

    >>> from patron.feeds.kinds import KINDS
    >>> terms = Terms(7, ZoneInfo("UTC"))
    >>> stock = {"store": "S1", "product_id": "P1", "quantity": "0"}
    >>> row_of(KINDS["stock"], stock, 2, layout(KINDS["stock"], {name: name for name in stock}), terms)
    (Row(key='S1/P1', item='', valid_from=7, until=None, known_at=7, values=(0,)), False)
    """
    cells: dict[str, Any] = {}
    faults: list[Reject] = []
    for given, column in layout:
        try:
            cells[column.name] = read(record.get(given), column.type, terms.zone)
        except Unreadable as error:
            faults.append(
                Reject(number, given, str(error), f"write {TYPES[column.type]}", shown(record.get(given), 80))
            )
    withdrawn = cells.get("withdrawn") is True
    faults += _gaps(kind, cells, number, {f.column for f in faults}, layout, withdrawn=withdrawn)
    if faults:
        return faults
    stated = cells.get("known_at")
    known = stated if stated is not None else terms.known_at if terms.known_at is not None else terms.now
    begins = cells.get(kind.valid)
    valid = known if begins is None else begins
    until = _end(kind, record, layout, cells, valid, terms)
    key, item = (joined(cells[name] for name in part) for part in (kind.key, kind.item))
    faults = _sense(kind, cells, key, number, valid, until)
    if faults:
        return faults
    values = None if withdrawn else tuple(cells.get(name) for name in kind.values)
    return Row(key, item, valid, until, known, values), stated is not None or terms.known_at is not None


def _end(
    kind: Kind,
    record: Mapping[str, Any],
    layout: Layout,
    cells: Mapping[str, Any],
    valid: int,
    terms: Terms,
) -> int | None:
    """Until when a row holds: as it says, else as its kind does. A bare date is a whole day of its zone."""
    until: int | None = cells.get(kind.until) if kind.until else None
    if until is not None or kind.lasts is None:
        return until
    begins = next((record.get(name) for name, column in layout if column.name == kind.valid), None)
    if kind.lasts == DAY and isinstance(begins, str) and len(begins.strip()) <= 10:
        end: int = read(begins, "last_day", terms.zone)
        return end
    return valid + kind.lasts


def _gaps(
    kind: Kind,
    cells: Mapping[str, Any],
    number: int,
    bad: Collection[str],
    layout: Layout,
    *,
    withdrawn: bool,
) -> list[Reject]:
    """Required cells that are empty; a withdrawal needs only what names the row."""
    given = {column.name: name for name, column in layout}
    needed = {*kind.key, *kind.item, kind.valid} if withdrawn else None
    return [
        Reject(number, given.get(c.name, c.name), "is empty", f"write {TYPES[c.type]}: {c.about}")
        for c in kind.columns
        if (c.required if needed is None else c.name in needed)
        and cells.get(c.name) is None
        and given.get(c.name, c.name) not in bad
    ]


def _sense(
    kind: Kind, cells: Mapping[str, Any], key: str, number: int, valid: int, until: int | None
) -> list[Reject]:
    """What no single cell shows."""
    if len(key) > MAX_KEY:
        return [
            Reject(number, kind.key[0], f"the key has {len(key)} characters", f"at most {MAX_KEY} are kept")
        ]
    if until is not None and until <= valid:
        return [Reject(number, kind.until, f"ends before it begins ({kind.valid})", "swap the two")]
    if kind.name == "calendar" and cells["kind"] not in CALENDAR_KINDS:
        return [
            Reject(
                number,
                "kind",
                f"`{cells['kind'][:40]}` is no kind of day",
                f"use {', '.join(CALENDAR_KINDS)}",
            )
        ]
    zone = cells.get("timezone")
    if zone is not None:
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return [
                Reject(
                    number,
                    "timezone",
                    f"there is no time zone `{zone[:40]}`",
                    "for example Europe/Rome",
                    zone[:80],
                )
            ]
    return []


def joined(parts: Any) -> str:
    """The parts of a key as one text, from which they can be told apart again.

    >>> joined(["S1", "a/b"])
    'S1/a%2Fb'
    """
    return "/".join(str(part).replace("%", "%25").replace("/", "%2F") for part in parts)


def parted(key: str) -> list[str]:
    """The parts of a key again.

    >>> parted("S1/a%2Fb")
    ['S1', 'a/b']
    """
    return [part.replace("%2F", "/").replace("%25", "%") for part in key.split("/")]
