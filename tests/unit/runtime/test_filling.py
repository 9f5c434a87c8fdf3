"""The past is read once for many series, also where their definitions were saved one after the other."""

from collections.abc import Iterator

from patron.model.events import Event
from patron.model.people import Key
from patron.rules.calendar import Calendar
from patron.rules.tree import Did
from patron.runtime.segments.filling import Filling
from patron.runtime.segments.served import SeriesRow
from patron.segments.feeds import Fed, Feeds
from patron.segments.series import Series, series_of
from patron.segments.tally import Tally
from patron.testing.tables import MemoryTable

NOW = 1_800_000_000_000
NAMES = [f"E{n}" for n in range(8)]
EVENTS = [Event(n, "s", "web", "track", NAMES[n % 8], f"m{n}", NOW + n, NOW + n) for n in range(1, 81)]


def test_definitions_saved_one_after_the_other_are_filled_together() -> None:
    read: list[int] = []

    def history(start: int) -> Iterator[tuple[Event, Key]]:
        for event in EVENTS:
            if event.position >= start:
                read.append(event.position)
                yield event, "user_id:a"

    tallies, series = MemoryTable[Tally](), MemoryTable[SeriesRow]()
    filling = Filling(tallies, series, Calendar("UTC"), history)
    needed = [series_of(Did(name)) for name in NAMES]
    for at, one in enumerate(needed):
        filling.begin([one], 70 + at)  # each was saved by an entry of the log of its own
    while filling.behind:
        for _ in filling.fill():
            pass
    assert len(read) < 2 * len(EVENTS)
    tally = tallies.get("user_id:a")
    assert tally is not None
    rows = filling.rows()
    for at, (name, one) in enumerate(zip(NAMES, needed, strict=True)):
        counted = sum(event.name == name and event.position <= 70 + at for event in EVENTS)
        assert tally[rows[one].number][0] == counted


def _filled(needed: list[Series]) -> tuple[Filling, MemoryTable[Tally]]:
    """Series that have their past."""
    tallies = MemoryTable[Tally]()

    def history(start: int) -> Iterator[tuple[Event, Key]]:
        yield from ((event, "user_id:a") for event in EVENTS if event.position >= start)

    filling = Filling(tallies, MemoryTable[SeriesRow](), Calendar("UTC"), history)
    filling.begin(needed, 40)
    while filling.behind:
        for _ in filling.fill():
            pass
    return filling, tallies


def test_series_that_end_together_all_leave_the_tallies_and_their_numbers_are_not_given_again_before() -> (
    None
):
    needed = [series_of(Did(name)) for name in NAMES[:4]]
    filling, tallies = _filled(needed)
    numbers = {row.number for row in filling.rows().values()}
    assert (tallies.get("user_id:a") or {}).keys() == numbers
    filling.end(needed[:1])
    assert filling.untidy
    fresh = series_of(Did(NAMES[5]))
    filling.begin([fresh], 40)
    assert filling.rows()[fresh].number not in numbers, "rows of these are in tallies still"
    for _ in filling.clear():
        pass
    assert not filling.untidy
    assert (tallies.get("user_id:a") or {}).keys() == {filling.rows()[needed[0]].number}


def test_a_node_that_is_folded_anew_gives_a_series_nothing_that_its_filling_will_bring() -> None:
    ripe = series_of(Did(NAMES[1]))
    filling, tallies = _filled([ripe])
    waiting = series_of(Did(NAMES[1], measure="sum", property="properties.x"))
    filling.begin([waiting], 70)
    rows = filling.rows()
    assert (rows[ripe].full, rows[waiting].full) == (True, False)
    feeds = Feeds([Fed(one, row.number, -1) for one, row in rows.items()], Calendar("UTC"), {})
    filling.drop("user_id:a")
    for position in (9, 73):  # the first comes by filling, the second came live
        value = {"x": 5}
        event = Event(
            position, "s", "web", "track", NAMES[1], f"m{position}", NOW + position, NOW, properties=value
        )
        filling.refold(event, "user_id:a", feeds)
    tally = tallies.get("user_id:a")
    assert tally is not None
    assert tally[rows[ripe].number][0] == 2
    alone = MemoryTable[Tally]()
    other = Filling(alone, MemoryTable[SeriesRow](), Calendar("UTC"), lambda _: iter(()))
    other.begin([waiting], 0)
    (row,) = other.rows().values()
    other.refold(event, "user_id:a", Feeds([Fed(waiting, row.number, -1)], Calendar("UTC"), {}))
    assert tally[rows[waiting].number] == (alone.get("user_id:a") or {})[row.number], "one event, not two"
