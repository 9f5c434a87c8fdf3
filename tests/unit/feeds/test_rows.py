"""Rows of files: every kind reads its own example, and every fault says row, column, problem and what to write."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from patron.feeds.kinds import KINDS, TYPES, unknown_kind
from patron.feeds.rows import Row, Terms, layout, names_of, row_of
from patron.model.clock import DAY, HOUR
from patron.model.feeds import Reject

NOW = 1_800_000_000_000
UTC = Terms(NOW, ZoneInfo("UTC"))
ROME = Terms(NOW, ZoneInfo("Europe/Rome"))
SOME = {"day": "2026-05-04", "store": "S1", "product_id": "P1", "quantity": "3"}


def read(kind: str, record: dict[str, Any], terms: Terms = UTC) -> tuple[Row, bool] | list[Reject]:
    names, faults = names_of(KINDS[kind], list(record), {})
    assert not faults
    return row_of(KINDS[kind], record, 7, layout(KINDS[kind], names), terms)


def row(kind: str, record: dict[str, Any], terms: Terms = UTC) -> Row:
    found = read(kind, record, terms)
    assert not isinstance(found, list), found
    return found[0]


def fault(kind: str, record: dict[str, Any]) -> Reject:
    found = read(kind, record)
    assert isinstance(found, list)
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_the_examples_that_a_kind_shows_are_a_good_row_of_it(kind: Any) -> None:
    record = {name: kind.column(name).example for name in kind.names}
    found = row(kind.name, record)
    assert found.values is not None
    assert len(found.values) == len(kind.values)
    assert found.known_at == 1_777_957_200_000
    assert found.until is None or found.until > found.valid_from
    assert set(kind.values).isdisjoint({*kind.key, *kind.item, kind.valid, kind.until})


def test_a_date_is_midnight_of_the_zone_and_a_time_without_one_is_utc() -> None:
    rome, utc = row("stock", SOME, ROME), row("stock", SOME)
    assert utc.valid_from - rome.valid_from == 2 * HOUR
    assert row("stock", {**SOME, "day": "2026-05-04T00:00:00"}, ROME).valid_from == utc.valid_from
    assert row("stock", {**SOME, "day": "2026-05-04T02:00:00+02:00"}).valid_from == utc.valid_from
    assert row("stock", {**SOME, "day": utc.valid_from}).valid_from == utc.valid_from


def test_what_a_row_leaves_out_is_as_the_load_says_else_now() -> None:
    bare = {name: cell for name, cell in SOME.items() if name != "day"}
    assert read("stock", bare) == (Row("S1/P1", "", NOW, None, NOW, (3,)), False)
    given = Terms(NOW, ZoneInfo("UTC"), known_at=5 * DAY)
    assert read("stock", bare, given) == (Row("S1/P1", "", 5 * DAY, None, 5 * DAY, (3,)), True)
    own = read("stock", {**bare, "known_at": "2026-05-05T05:00:00Z"}, given)
    assert own == (Row("S1/P1", "", 1_777_957_200_000, None, 1_777_957_200_000, (3,)), True)


def test_a_day_of_the_calendar_is_whole_where_clocks_change() -> None:
    record = {"scope": "IT", "kind": "event", "name": "Night", "from": "2026-10-25"}
    found = row("calendar", record, ROME)
    assert found.until is not None
    assert found.until - found.valid_from == 25 * HOUR
    assert row("calendar", {**record, "to": "2026-10-26"}, ROME).until == found.until + 24 * HOUR
    assert found.item == "event/Night"


def test_a_key_can_be_told_apart_whatever_its_parts_hold() -> None:
    assert (
        row("stock", {**SOME, "store": "a/b", "product_id": "c"}).key
        != row("stock", {**SOME, "store": "a", "product_id": "b/c"}).key
    )


def test_a_withdrawal_needs_only_what_names_the_row() -> None:
    gone = {"store": "S1", "product_id": "P1", "day": "2026-05-04", "quantity": "", "withdrawn": "yes"}
    assert row("stock", gone).values is None
    assert fault("stock", {**gone, "day": ""}).column == "day"


BAD: list[tuple[str, Any, str]] = [
    ("quantity", "12,5", "write a point for the decimals"),
    ("quantity", "many", "`many` is no number"),
    ("quantity", "NaN", "is no number"),
    ("quantity", "1e400", "is no number"),
    ("quantity", "9" * 400, "is no number"),
    ("quantity", True, "true or false, not a number"),
    ("quantity", [1], "a list, not a number"),
    ("quantity", "", "is empty"),
    ("day", "4.5.2026", "no date or time"),
    ("day", "2026-13-01", "no date or time"),
    ("day", "0026-05-04", "before 1900"),
    ("day", "9999-12-31", "after 2200"),
    ("day", 1_777_852_800, "give milliseconds"),
    ("store", "S\x001", "control character"),
    ("store", "x" * 501, "501 characters"),
    ("store", {"id": 1}, "an object"),
    ("store", None, "is empty"),
    ("store", 10**400, "too long for a name"),
    ("quantity", 10**400, "can be kept"),
    ("day", 10**400, "after 2200"),
    ("quantity", float("nan"), "can be kept"),
    ("day", [[]] * 100_000, "a list, not a date"),
]


@pytest.mark.parametrize(("column", "cell", "problem"), BAD)
def test_a_bad_cell_says_row_column_problem_and_what_to_write(column: str, cell: Any, problem: str) -> None:
    found = fault("stock", {**SOME, column: cell})
    assert (found.row, found.column) == (7, column)
    assert problem in found.problem
    assert TYPES[KINDS["stock"].column(column).type] in found.hint


def test_everything_wrong_with_a_row_is_told_at_once() -> None:
    found = read("stock", {"day": "x", "store": "", "product_id": "P1", "quantity": "y"})
    assert isinstance(found, list)
    assert {one.column for one in found} == {"day", "quantity", "store"}


def test_sense_over_several_cells() -> None:
    shift = {"store": "S1", "associate_id": "A", "from": "2026-05-04T12:00Z", "to": "2026-05-04T08:00Z"}
    assert fault("shifts", shift).problem.startswith("ends before it begins")
    assert fault("shifts", {**shift, "to": shift["from"]}).column == "to"
    day = {"scope": "*", "kind": "feast", "name": "n", "from": "2026-05-04"}
    assert fault("calendar", day).hint == "use holiday, promotion, event"
    store = {"store": "S1", "latitude": "44", "longitude": "11"}
    assert fault("stores", {**store, "latitude": "91"}).column == "latitude"
    assert fault("stores", {**store, "timezone": "../../etc/passwd"}).column == "timezone"
    assert "no day" in fault("stores", {**store, "opening_hours": "Mon-Fri 09:00-20:00"}).problem
    assert fault("stock", {**SOME, "store": "s" * 150, "product_id": "p" * 150}).problem.startswith(
        "the key has"
    )


def test_columns_are_found_by_other_names_and_by_mapping() -> None:
    stock = KINDS["stock"]
    names, faults = names_of(stock, ["Store_ID", "SKU", "menge", "x"], {"menge": "quantity"})
    assert (names, faults) == ({"menge": "quantity", "Store_ID": "store", "SKU": "product_id"} | names, [])
    assert "x" not in names


def test_a_header_says_what_is_missing_and_how_to_map_it() -> None:
    faults = names_of(KINDS["stock"], ["shop", "product_id", "quantity"], {})[1]
    assert [one.column for one in faults] == ["store"]
    assert "--mapping shop=store" in faults[0].hint
    faults = names_of(
        KINDS["stock"], ["store", "product_id", "quantity"], {"shop": "store", "store": "stoer"}
    )[1]
    assert any("does not have" in one.problem for one in faults)
    faults = names_of(
        KINDS["stock"], ["store", "shop", "product_id", "quantity"], {"shop": "store", "store": "store"}
    )[1]
    assert any("two columns stand for `store`" in one.problem for one in faults)


def test_people_are_no_feed() -> None:
    assert "personal data comes as events" in unknown_kind("crm")
    assert "did you mean `weather`" in unknown_kind("wheather")
