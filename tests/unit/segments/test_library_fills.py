"""The ready library on a simulated town: nearly every segment finds somebody, and nearly every trait has a value."""

import datetime as dt
import json
from collections import defaultdict
from pathlib import Path

import pytest

from patron.collect.limits import Limits
from patron.collect.origin import Origin, ReadRules
from patron.collect.segment_api import read_batch
from patron.rules.calendar import Calendar
from patron.rules.describe import describe
from patron.rules.evaluate import computed, evaluate
from patron.rules.explain import explain
from patron.rules.history import History, history_of
from patron.rules.resolve import resolved, resolved_trait
from patron.segments import library
from patron.sim import make_town
from patron.sim.generation.folder import rows
from patron.sim.generation.generate import generate

pytestmark = pytest.mark.slow

TODAY = dt.date(2026, 11, 21)
NOW = 1_795_219_200_000
"""Midnight UTC as that day begins: the moment after the town's history."""
ROME = Calendar("Europe/Rome")


def people(world: Path) -> list[History]:
    """Everybody's history, by the true person of each message."""
    whose = {row["messageId"]: row["person"] for row in rows(world / "truth", "person_map")}
    told = defaultdict(list)
    position = 0
    for file in sorted((world / "events").glob("*.ndjson")):
        for line in file.read_bytes().splitlines():
            message, position = json.loads(line), position + 1
            origin = Origin(file.stem, file.stem)
            batch = read_batch(
                b'{"batch":[%s]}' % line, "batch", origin, NOW, position, Limits(), ReadRules()
            )
            for event in batch.events:
                told[whose.get(message["messageId"])].append(event)
    return [history_of(events, f"p_{person}", now=NOW) for person, events in told.items()]


@pytest.fixture(scope="module")
def town(tmp_path_factory) -> list[History]:
    world = tmp_path_factory.mktemp("town") / "world"
    generate(make_town(7, TODAY, "XS"), world, "XS")
    return people(world)


def test_segments_find_people(town):
    found = {}
    for segment in library.segments():
        rule = resolved(segment, {}).rule
        inside = [history for history in town if evaluate(rule, history, NOW, ROME)]
        found[segment.id] = len(inside)
        assert len(inside) < len(town), f"everybody is in: {describe(segment).text}"
        for history in inside[:1]:
            why = explain(rule, history, NOW, ROME)
            assert why.held
    print(found)
    assert sum(number > 0 for number in found.values()) >= len(found) - 2, found


def test_traits_have_values(town):
    for trait in library.traits():
        values = [computed(resolved_trait(trait), history, NOW, ROME) for history in town]
        assert len({value for value in values if value is not None}) > 1, trait.id


def test_its_events_are_those_that_the_library_names(town):
    sent = {event.name for history in town for event in history.events}
    assert [one.item.id for one in library.ready(sent) if not one.ready] == []
