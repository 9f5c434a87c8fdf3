"""A generated world: the same bytes in any number of processes, its truth apart and complete, its totals exact."""

import csv
import datetime as dt
import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from patron.sim import make_town
from patron.sim.generation.folder import BadFolder, messages, read_manifest, rows
from patron.sim.generation.generate import generate
from patron.sim.messages import SOURCES
from patron.sim.telling.cast import LUCA

TODAY = dt.date(2026, 4, 1)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small world, told by one process."""
    out = tmp_path_factory.mktemp("world") / "out"
    generate(make_town(1_001, TODAY, 1_100, 8), out, "1100")
    return out


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_two_processes_in_another_folder_write_the_same_bytes(world: Path, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere"
    generate(make_town(1_001, TODAY, 1_100, 8), other, "1100", processes=2)
    assert files(other) == files(world)
    assert not (other / ".parts").exists()


def test_every_message_has_one_owner_and_files_are_in_order_of_arrival(world: Path) -> None:
    manifest = read_manifest(world)
    ids = Counter()
    for source in SOURCES:
        told = list(messages(world, source))
        arrived = [message["receivedAt"] for message in told]
        assert arrived == sorted(arrived)
        ids.update(message["messageId"] for message in told)
    assert sum(ids.values()) == manifest.messages > 5_000
    owners = list(rows(world / "truth", "person_map"))
    assert Counter(row["messageId"] for row in owners) == Counter(ids.keys())
    assert max(ids.values()) == 2


def test_totals_are_those_of_the_messages_to_the_cent(world: Path) -> None:
    seen: set[str] = set()
    gross: Counter[tuple[str, str, str]] = Counter()
    for source in SOURCES:
        for message in messages(world, source):
            if message.get("event") == "Order Completed" and message["messageId"] not in seen:
                seen.add(message["messageId"])
                said = message["properties"]
                day = message["timestamp"][:10]
                gross[day, said.get("store_id", ""), said["currency"]] += round(said["revenue"] * 100)
    told: Counter[tuple[str, str, str]] = Counter()
    for row in rows(world / "truth", "totals"):
        day = (dt.date(1970, 1, 1) + dt.timedelta(days=row["day"])).isoformat()
        told[day, row["store"], row["currency"]] += row["gross_cents"]
    assert +told == gross


def test_the_truth_is_readable_by_its_owner_only_and_lies_in_no_data_directory(
    world: Path, tmp_path: Path
) -> None:
    assert (world / "truth").stat().st_mode & 0o777 == 0o700
    assert all(p.stat().st_mode & 0o077 == 0 for p in (world / "truth").glob("*.ndjson"))
    (tmp_path / "patron.toml").touch()
    with pytest.raises(BadFolder, match="write the truth somewhere else"):
        generate(make_town(1, TODAY, 5, 2), tmp_path / "world", "5")
    with pytest.raises(BadFolder, match="is not empty"):
        generate(make_town(1, TODAY, 5, 2), world, "5")


def test_consents_are_told_when_they_change_and_feeds_are_whole(world: Path) -> None:
    said: dict[tuple[int, str], bool] = {}
    for row in rows(world / "truth", "consent"):
        assert said.get((row["person"], row["purpose"])) != row["granted"]
        said[row["person"], row["purpose"]] = row["granted"]
    assert len(said) > 500
    counted = {}
    for name in ("weather", "stock", "footfall"):
        with (world / "feeds" / f"{name}.csv").open(encoding="utf-8", newline="") as lines:
            counted[name] = sum(1 for _ in csv.reader(lines))
    assert min(counted.values()) > 100
    assert json.loads((world / "manifest.json").read_text())["world"] == "default"


def test_sizes_have_their_people_and_places() -> None:
    town = make_town(1_001, TODAY, "S", 3)
    assert len(town.people) == 3_000
    assert int(town.people.prospect.sum()) == 1_000
    assert len(town.setting.geography.stores) == 24
    assert len({store.city for store in town.setting.geography.stores}) == 8
    strangers = [town.who(row) for row in range(len(town.people)) if town.people.prospect[row]]
    assert not any(person.card or person.records for person in strangers)


def test_the_truth_of_associates_counts_what_the_tablets_noted(world: Path) -> None:
    noted: Counter[str] = Counter()
    seen: set[str] = set()
    for message in messages(world, "associate_tablet"):
        if message.get("event") == "Associate Contacted" and message["messageId"] not in seen:
            seen.add(message["messageId"])
            noted[message["properties"]["associate_id"]] += 1
    told = {row["associate"]: row for row in rows(world / "truth", "associates_truth")}
    assert set(noted) <= set(told)
    late = 0
    for name, row in told.items():
        # what is noted in the last hours is still on its way
        late += row["contacts"] + row["false_contacts"] - noted[name]
        assert row["contacts"] + row["false_contacts"] >= noted[name]
        assert row["games"] or not row["false_contacts"]
    assert any(row["games"] for row in told.values())
    assert late <= 0.1 * sum(noted.values())


def test_the_truth_of_fences_has_every_entry_that_was_sensed(world: Path) -> None:
    crossed = list(rows(world / "truth", "geofence_truth"))
    assert [(row["day"], row["person"]) for row in crossed] == sorted(
        (row["day"], row["person"]) for row in crossed
    )
    owners = {row["messageId"]: row["person"] for row in rows(world / "truth", "person_map")}
    sensed = {(row["person"], row["store"]) for row in crossed if row["sensed"]}
    for message in messages(world, "app"):
        if message.get("event") == "Store Entered" and owners[message["messageId"]] != LUCA:
            assert (owners[message["messageId"]], message["properties"]["store_id"]) in sensed


def test_journeys_go_in_and_out_of_each_step_as_often(world: Path) -> None:
    into: Counter[tuple[str, str]] = Counter()
    out: Counter[tuple[str, str]] = Counter()
    for edge in rows(world / "truth", "journey_truth"):
        out[edge["journey"], edge["from"]] += edge["count"]
        into[edge["journey"], edge["to"]] += edge["count"]
    for journey in ("day", "pick_up", "message"):
        assert out[journey, "start"] == into[journey, "end"] > 0
    steps = {place for place in out if place[1] != "start"}
    assert {place: out[place] for place in steps} == {place: into[place] for place in steps}


def test_benefits_identify_about_as_many_as_their_truth_says(world: Path) -> None:
    found = {row["benefit"]: row for row in rows(world / "truth", "benefit_truth")}
    assert set(found) == {"none", "wifi", "offer_5", "top_up"}
    accepts = [row["accepts"] for row in sorted(found.values(), key=lambda row: row["pull"])]
    assert accepts == sorted(accepts)
    known = Counter(
        message["context"]["identification"]["benefit"]
        for message in messages(world, "kiosk")
        if message["type"] == "identify" and "benefit" in message["context"]["identification"]
    )
    assert sum(known.values()) > 50
    # each is offered as often, so the shares of those who say who they are follow the truth
    share, n = found["top_up"]["accepts"] / sum(accepts), sum(known.values())
    assert abs(known["top_up"] / n - share) < 4 * (share * (1 - share) / n) ** 0.5


def test_points_are_in_stores_of_the_world(world: Path) -> None:
    points = list(rows(world / "truth", "points_truth"))
    assert {point["kind"] for point in points} >= {"pain", "brilliant"}
    stores = {row["store"] for row in rows(world / "truth", "associates_truth")}
    for point in points:
        assert point["name"] != "pick_up_wait" or point["where"] in stores


def test_no_process_outlives_the_one_that_called_it(tmp_path: Path) -> None:
    parts = tmp_path / "w" / ".parts"
    words = [
        "-m",
        "patron.cli",
        "sim",
        "generate",
        "--size",
        "S",
        "--processes",
        "2",
        "--out",
        str(parts.parent),
    ]
    told = subprocess.Popen([sys.executable, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    until = time.monotonic() + 60
    while not (parts.exists() and len(list(parts.iterdir())) == 2) and time.monotonic() < until:
        time.sleep(0.02)
    assert told.poll() is None
    told.kill()
    # the processes that tell hold the same pipe: it ends when the last of them has
    told.communicate(timeout=20)
    assert not (parts.parent / "truth" / "manifest.json").exists()
