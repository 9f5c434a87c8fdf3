"""What held at one moment as known at another: corrections, withdrawals, ends, and what is news."""

from patron.feeds.rows import Row
from patron.feeds.versions import Version, all_as_of, as_of, put, tells, turns


def kept(*rows: Row) -> list[Version]:
    held: list[Version] = []
    for position, one in enumerate(rows, 1):
        put(held, one, position)
    return held


def row(valid: int, known: int, value: object, until: int | None = None, item: str = "") -> Row:
    return Row("k", item, valid, until, known, None if value is None else (value,))


def said(held: list[Version], at: int, known: int) -> object:
    found = as_of(held, at, known)
    return None if found is None or found.values is None else found.values[0]


def test_a_correction_supersedes_from_when_it_is_known_and_not_before() -> None:
    held = kept(row(10, 5, "rain"), row(10, 50, "dry"))
    assert [said(held, 10, known) for known in (4, 5, 49, 50)] == [None, "rain", "rain", "dry"]
    assert said(held, 9, 99) is None


def test_a_late_correction_of_the_past_leaves_what_came_after() -> None:
    held = kept(row(10, 10, 5), row(20, 20, 0), row(10, 30, 6))
    assert [said(held, at, 40) for at in (15, 25)] == [6, 0]
    assert said(held, 15, 29) == 5


def test_a_withdrawn_row_is_none_and_what_it_hid_shows_again() -> None:
    held = kept(row(10, 10, 5), row(20, 20, 0), row(20, 30, None))
    assert [said(held, 25, known) for known in (20, 29, 30)] == [0, 0, 5]


def test_a_row_ends_and_one_below_it_still_holds() -> None:
    held = kept(row(0, 0, "long", until=100), row(10, 0, "short", until=20))
    assert [said(held, at, 0) for at in (5, 10, 19, 20, 99, 100)] == [
        "long",
        "short",
        "short",
        "long",
        "long",
        None,
    ]


def test_of_two_known_at_once_the_later_in_the_log_stands() -> None:
    assert said(kept(row(0, 0, 1), row(0, 0, 2)), 0, 0) == 2


def test_items_hold_side_by_side() -> None:
    held = kept(row(0, 0, "a", 10, "holiday/x"), row(5, 5, "b", 20, "event/y"))
    assert [v.item for v in all_as_of(held, 6, 6)] == ["event/y", "holiday/x"]
    assert [v.item for v in all_as_of(held, 12, 12)] == ["event/y"]


def test_the_next_turn_is_a_beginning_an_end_or_news() -> None:
    held = kept(row(10, 5, 1, until=30), row(20, 40, 2))
    assert [turns(held, now) for now in (0, 5, 10, 20, 30, 40)] == [5, 10, 20, 30, 40, None]


def test_what_is_there_is_no_news() -> None:
    held = kept(row(10, 10, 5), row(10, 20, 6))
    assert not tells(held, row(10, 10, 5), stated=True)
    assert not tells(held, row(10, 20, 6), stated=True)
    assert tells(held, row(10, 20, 5), stated=True)
    assert tells(held, row(10, 30, 6), stated=True)


def test_a_row_without_a_time_of_knowledge_is_news_only_when_it_says_something_else() -> None:
    held = kept(row(10, 10, 5), row(10, 20, 6))
    assert not tells(held, row(10, 99, 6), stated=False)
    assert tells(held, row(10, 99, 5), stated=False)
    assert tells(held, row(11, 99, 6), stated=False)
    # nor does it say from when it holds: then it must differ from what holds now
    assert not tells(held, row(99, 99, 6), stated=False)
    assert tells(held, row(99, 99, 0), stated=False)
    assert tells([], row(99, 99, 0), stated=False)
