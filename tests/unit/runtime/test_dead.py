"""Dead letters at hand: what is open, by reason and source, newest first, equal to a look through the whole table."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from patron.runtime.dead import OPEN, UNKNOWN, DeadLetters
from patron.runtime.tables import DeadRow
from patron.testing.tables import MemoryTable

CODES, SOURCES = ("bad_time", UNKNOWN, "collection_refused"), ("till", "web")
STEPS = st.lists(
    st.tuples(
        st.integers(1, 12),
        st.sampled_from(CODES),
        st.sampled_from(SOURCES),
        st.sampled_from((OPEN, "replayed", "dismissed", "deleted")),
        st.sampled_from("abc"),
    ),
    max_size=40,
)


def _row(place: int, code: str, source: str, status: str, name: str) -> DeadRow:
    return DeadRow(place, 0, source, "pos", code, f"The channel {name!r} is unknown.", "$", status)


@given(STEPS)
def test_what_is_open_is_what_the_table_holds(steps: list[tuple[int, str, str, str, str]]) -> None:
    rows = MemoryTable[DeadRow]()
    letters = DeadLetters(rows)
    for place, code, source, status, name in steps:
        if status == "deleted":
            letters.delete(str(place))
        else:
            letters.put(str(place), _row(place, code, source, status, name))
    for one in (letters, DeadLetters(rows)):
        held = sorted((row for _, row in rows.items() if row.status == OPEN), key=lambda row: -row.position)
        assert one.counts() == dict(sorted(Counter(row.code for row in held).items()))
        assert list(one.newest()) == [row.position for row in held]
        for code in CODES:
            assert list(one.newest(code)) == [row.position for row in held if row.code == code]
            assert list(one.newest(apart=code)) == [row.position for row in held if row.code != code]
            assert list(one.newest(code, "web", before=7)) == [
                row.position for row in held if row.code == code and row.source == "web" and row.position < 7
            ]
        unknown = [row for row in held if row.code == UNKNOWN]
        counted = Counter(row.message for row in unknown)
        newest = {row.message: row.position for row in reversed(unknown)}
        assert one.unknown() == {newest[text]: count for text, count in counted.items()}
        assert len(one) == len(rows)
