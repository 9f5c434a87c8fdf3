"""The past is read once for many series, also where their definitions were saved one after the other."""

from collections.abc import Iterator

from patron.model.events import Event
from patron.model.people import Key
from patron.rules.calendar import Calendar
from patron.rules.tree import Did
from patron.runtime.filling import Filling
from patron.runtime.served import SeriesRow
from patron.segments.series import series_of
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
