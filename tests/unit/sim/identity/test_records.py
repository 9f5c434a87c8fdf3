"""Records are found from the messages alone, and carry what those say."""

import datetime as dt
import json
import shutil
from collections import defaultdict
from pathlib import Path

import pytest

from patron.sim import make_town
from patron.sim.generation.folder import BadFolder, messages, read_manifest, rows
from patron.sim.generation.generate import generate
from patron.sim.identity import records_of, table
from patron.sim.identity.joins import CEILING
from patron.sim.identity.records import identifiers_of, key_of


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small world in a folder."""
    out = tmp_path_factory.mktemp("worlds") / "small"
    generate(make_town(41, dt.date(2026, 4, 1), 120, 25), out, "120")
    return out


@pytest.fixture(scope="module")
def records(world: Path):
    return records_of(world)


def said(**more) -> dict:
    return {"type": "identify", "messageId": "m", "context": {}, **more}


def external(**ids: str) -> dict:
    return {"externalIds": [{"type": kind, "id": value} for kind, value in ids.items()]}


@pytest.mark.parametrize(
    ("message", "key"),
    [
        (said(context=external(phone="333", email="a@x.example", crm_id="C1", card="2900")), "crm_id:C1"),
        (said(context=external(phone="333", email="a@x.example", card="2900")), "card:2900"),
        (said(anonymousId="c1", traits={"email": "a@x.example"}), "anonymous_id:c1"),
        (said(context=external(phone="333", email=" A@x.example ")), "email: A@x.example "),
        (said(traits={"phone": "333"}), "phone:333"),
        (said(anonymousId="c1", context=external(card="2900")), "card:2900"),
        (said(userId="u1"), None),
        (said(context={"touchpoint": {"id": "till-1", "visit_id": "v"}}), None),
    ],
)
def test_the_strongest_identifier_as_written_names_the_record(message: dict, key: str | None) -> None:
    assert key_of(identifiers_of(message)) == key


def test_every_message_with_an_identifier_is_in_one_record_of_its_own_person(world: Path, records) -> None:
    owners = {row["messageId"]: row["person"] for row in rows(world / "truth", "person_map")}
    by_place = {(record.key, record.person): record for record in records}
    assert len(by_place) == len(records) > 500
    used = set()
    for source in read_manifest(world).sources:
        for message in messages(world, source.name):
            stated = identifiers_of(message)
            key = key_of(stated)
            if key is not None:
                record = by_place[key, owners[message["messageId"]]]
                assert set(stated) <= record.identifiers
                assert record.key in record.identifiers
                used.add((record.key, record.person))
    assert used == set(by_place)


def test_what_a_record_carries_was_said_on_it(world: Path, records) -> None:
    names, births, devices = defaultdict(set), defaultdict(set), defaultdict(set)
    owners = {row["messageId"]: row["person"] for row in rows(world / "truth", "person_map")}
    for source in read_manifest(world).sources:
        for message in messages(world, source.name):
            place = key_of(identifiers_of(message)), owners[message["messageId"]]
            traits = message.get("traits") or {}
            names[place] |= {traits["firstName"]} if "firstName" in traits else set()
            births[place] |= {traits["birthday"]} if "birthday" in traits else set()
            device = message["context"].get("device")
            devices[place] |= {f"device_id:{device['id']}"} if device else set()
    assert all(record.names == names[record.key, record.person] for record in records)
    assert all(record.births == births[record.key, record.person] for record in records)
    assert all(devices[record.key, record.person] <= record.identifiers for record in records)
    assert any(record.births for record in records)
    assert any(devices.values())
    assert {record.country for record in records} >= {"IT", "ES", "GB"}


def test_a_shared_tablet_is_a_record_of_each_who_uses_it(records) -> None:
    users = defaultdict(set)
    for record in records:
        users[record.key].add((record.person, record.household))
    shared = [who for key, who in users.items() if key.startswith("anonymous_id:") and len(who) > 1]
    assert shared
    assert all(len({household for _, household in who}) == 1 for who in shared)


def test_households_are_the_truth_s(world: Path, records) -> None:
    true = {row["person"]: row["household"] for row in rows(world / "truth", "person_map")}
    assert all(record.household == true[record.person] for record in records)


def test_the_table_of_a_world_has_its_shape(records) -> None:
    scores = {one.method: one for one in table(records)}
    ceiling = scores[CEILING]
    assert (
        ceiling.precision == ceiling.household_precision == ceiling.merge_exact == ceiling.of_ceiling == 1.0
    )
    naive, guarded = scores["normalised joins"], scores["+ shared-device and name-conflict guards"]
    # joining by all evidence finds every pair that any of it proves, and puts more together than belongs together
    assert naive.recall >= ceiling.recall > guarded.recall * 0.99
    assert naive.precision < guarded.precision
    assert guarded.f1 > naive.f1
    assert 0.45 < ceiling.f1 < 0.80
    assert 3.0 < ceiling.records / ceiling.people < 6.0


def test_no_world_no_records(tmp_path: Path, world: Path) -> None:
    with pytest.raises(BadFolder, match="patron sim generate --out"):
        records_of(tmp_path)
    copy = tmp_path / "copy"
    shutil.copytree(world, copy)
    (copy / "truth" / "person_map.ndjson").unlink()
    with pytest.raises(BadFolder, match="truth"):
        records_of(copy)
    (copy / "truth" / "person_map.ndjson").write_text(json.dumps({"messageId": "m"}) + "\n")
    with pytest.raises(BadFolder, match="person_map"):
        records_of(copy)
