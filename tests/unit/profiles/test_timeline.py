"""Pages of a timeline: whole, in order, each event once, whatever arrives between two pages."""

import base64

import pytest

from patron.model.clock import DAY, HOUR
from patron.model.errors import BadRequest
from patron.model.events import Event
from patron.profiles import timeline
from patron.profiles.timeline import decode_cursor, encode_cursor, late_days, matching, page


def event(
    position: int, time: int, channel: str = "web", name: str = "Product Viewed", source: str = "shop"
) -> Event:
    return Event(position, source, channel, "track", name, f"m-{position}", time, time)


def walk(rows, read, order, limit, keep=None):
    """All pages, one after the other."""
    found, cursor = [], None
    while True:
        got = page(rows, read, limit=limit, order=order, cursor=cursor, keep=keep)
        found.append(got.entries)
        cursor = got.cursor
        if cursor is None:
            return found


ROWS = sorted({(100, 1), (100, 2), (50, 3), (100, 4), (70, 5), (200, 6)})


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 6, 7])
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_pages_hold_every_row_once_in_order(limit, order):
    pages = walk(ROWS, lambda row: row, order, limit)
    flat = [row for entries in pages for row in entries]
    assert flat == (ROWS if order == "asc" else ROWS[::-1])
    assert all(len(entries) == limit for entries in pages[:-1])
    assert pages[-1]


def test_rows_that_several_identifiers_share_appear_once():
    doubled = sorted([*ROWS, *ROWS, (100, 2)])
    for limit in (1, 2, 4):
        flat = [row for entries in walk(doubled, lambda row: row, "desc", limit) for row in entries]
        assert flat == ROWS[::-1]


def test_a_till_file_two_days_late_slots_between_the_web_events():
    events = {
        1: event(1, 10 * DAY),
        2: event(2, 12 * DAY),
        3: Event(3, "till", "pos", "track", "Order Completed", "t", 11 * DAY, 13 * DAY),
    }
    rows = sorted((e.time, e.position) for e in events.values())
    found = page(rows, lambda row: events[row[1]], limit=10, order="asc").entries
    assert [e.position for e in found] == [1, 3, 2]
    assert [late_days(e) for e in found] == [0, 2, 0]


def test_nothing_is_repeated_or_lost_when_events_arrive_between_pages():
    first = page(ROWS, lambda row: row, limit=3, order="desc")
    grown = sorted([*ROWS, (300, 7), (100, 8), (60, 9)])
    rest = page(grown, lambda row: row, limit=10, order="desc", cursor=first.cursor)
    assert first.entries == [(200, 6), (100, 4), (100, 2)]
    assert rest.entries == [(100, 1), (70, 5), (60, 9), (50, 3)]
    shrunk = [row for row in ROWS if row != (100, 2)]
    assert page(shrunk, lambda row: row, limit=9, cursor=first.cursor).entries == [(100, 1), (70, 5), (50, 3)]


def test_filters_by_channel_name_and_source():
    events = [
        event(1, 1),
        event(2, 2, "pos", "Order Completed", "till"),
        event(3, 3, "pos"),
        event(4, 4, "web", "Order Completed"),
    ]
    rows = [(e.time, e.position) for e in events]

    def positions(**wanted: object) -> list[int]:
        pages = walk(rows, lambda row: events[row[1] - 1], "asc", 1, matching(**wanted))
        return [e.position for entries in pages for e in entries]

    assert positions() == [1, 2, 3, 4]
    assert positions(channel="pos") == [2, 3]
    assert positions(name="Order Completed") == [2, 4]
    assert positions(channel="pos", name="Order Completed") == [2]
    assert positions(sources=("till",)) == [2]
    assert positions(channel="kiosk") == []


def test_events_that_are_gone_are_passed_over_without_ending_the_page():
    found = page(ROWS, lambda row: None if row[1] in (4, 6) else row, limit=2, order="desc")
    assert found.entries == [(100, 2), (100, 1)]


def test_only_the_events_of_the_page_are_read():
    read = []
    page([(t, t) for t in range(1000)], lambda row: read.append(row) or row, limit=5)
    assert len(read) == 5


def test_a_rare_filter_reads_a_bounded_number_and_gives_a_cursor_to_go_on_from():
    rows = [(t, t) for t in range(timeline.SCAN + 10)]
    first = page(rows, lambda row: row, limit=5, order="asc", keep=lambda row: row[0] >= timeline.SCAN + 5)
    assert (first.entries, first.cursor is not None) == ([], True)
    rest = page(
        rows,
        lambda row: row,
        limit=9,
        order="asc",
        cursor=first.cursor,
        keep=lambda row: row[0] > timeline.SCAN + 5,
    )
    assert [row[0] - timeline.SCAN for row in rest.entries] == [6, 7, 8, 9]
    assert rest.cursor is None


def test_of_no_rows_there_is_an_empty_last_page():
    assert page([], lambda row: row, limit=5).cursor is None


@pytest.mark.parametrize("row", [(0, 1), (-5 * HOUR, 2), (2**62, 2**62)])
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_cursors_come_back_as_they_went(row, order):
    text = encode_cursor(row, order)
    assert decode_cursor(text, order) == row
    assert text.isascii()
    assert not set(text) & set("+/=& ")


GOOD = encode_cursor((1_700_000_000_000, 42), "desc")


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "é",
        "A" * 10_000,
        GOOD[:-1],
        GOOD + "A",
        "B" + GOOD[1:],
        GOOD.swapcase(),
        base64.urlsafe_b64encode(b"\x09" + b"\x00" * 18).decode(),
        "\x00",
        "../../etc/passwd",
    ],
)
def test_a_cursor_that_is_none_is_refused_with_a_sentence(cursor):
    with pytest.raises(BadRequest, match="no cursor of a timeline"):
        decode_cursor(cursor, "desc")


def test_a_cursor_of_the_other_order_and_an_unknown_order_are_refused():
    with pytest.raises(BadRequest, match="order=desc"):
        page(ROWS, lambda row: row, limit=1, order="asc", cursor=GOOD)
    with pytest.raises(BadRequest, match="asc and desc"):
        page(ROWS, lambda row: row, limit=1, order="up")
