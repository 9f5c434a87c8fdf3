"""The quick look-up equals reading the definition over all rows, in whatever order they came."""

from hypothesis import given
from hypothesis import strategies as st

from patron.feeds.rows import Row
from patron.feeds.versions import Version, all_as_of, as_of, put, tells, turns

TIMES = st.integers(0, 12)
ROWS = st.builds(
    lambda item, valid, lasts, known, value: Row(
        "k", item, valid, None if lasts is None else valid + lasts, known, None if value is None else (value,)
    ),
    st.sampled_from(["", "a", "b"]),
    TIMES,
    st.none() | st.integers(1, 8),
    TIMES,
    st.none() | st.integers(0, 3),
)


def by_definition(rows: list[tuple[int, Row]], at: int, known: int, item: str) -> tuple[object, ...] | None:
    """Of each beginning what was last said; of those that hold the one that began last."""
    latest: dict[int, tuple[int, int, Row]] = {}
    for position, row in rows:
        if row.item == item and row.known_at <= known and row.valid_from <= at:
            told = (row.known_at, position, row)
            if row.valid_from not in latest or told[:2] >= latest[row.valid_from][:2]:
                latest[row.valid_from] = told
    for _, (_, _, row) in sorted(latest.items(), reverse=True):
        if row.values is not None and (row.until is None or at < row.until):
            return row.values
    return None


def kept(rows: list[tuple[int, Row]]) -> list[Version]:
    held: list[Version] = []
    for position, row in rows:
        put(held, row, position)
    return held


@given(st.lists(ROWS, max_size=14), TIMES, TIMES, st.randoms())
def test_as_of_is_its_definition_in_every_order(rows: list[Row], at: int, known: int, luck: object) -> None:
    told = list(enumerate(dict.fromkeys(rows), 1))
    expected = {item: by_definition(told, at, known, item) for item in ("", "a", "b")}
    luck.shuffle(told)  # type: ignore[attr-defined]
    held = kept(told)
    found = {item: as_of(held, at, known, item) for item in ("", "a", "b")}
    assert {item: v and v.values for item, v in found.items()} == expected
    shown = {v.item: v.values for v in all_as_of(held, at, known)}
    assert shown == {item: values for item, values in expected.items() if values is not None}


@given(st.lists(ROWS, max_size=14))
def test_loading_again_changes_nothing(rows: list[Row]) -> None:
    held = kept(list(enumerate(rows, 1)))
    before = list(held)
    assert not any(tells(held, row, stated=True) for row in rows)
    assert not any(put(held, row, 99) for row in rows)
    assert held == before


@given(st.lists(ROWS, max_size=10), TIMES)
def test_nothing_changes_by_time_alone_before_the_turn(rows: list[Row], now: int) -> None:
    held = kept(list(enumerate(rows, 1)))
    turn = turns(held, now)
    until = 30 if turn is None else turn
    for moment in range(now, until):
        assert list(all_as_of(held, moment, moment)) == list(all_as_of(held, now, now))
