"""The same seed tells the same bytes; a subset of people lives the same lives; what is told can be sent."""

import collections
import datetime as dt
import hashlib
import json
import os
import re
import subprocess
import sys

import msgspec
import phonenumbers
import pytest

from patron.model.events import CALL_TYPES, CHANNELS
from patron.sim import SOURCES, history, make_town, stories
from patron.sim.generation.folder import BadFolder, rows
from patron.sim.generation.generate import generate
from patron.sim.telling.history import arrivals
from patron.sim.world.identities import said_phone
from patron.sim.world.worlds import BadParameters

TODAY = dt.date(2026, 11, 21)
MIDNIGHT = 1_795_219_200_000
"""2026-11-21 00:00 UTC."""


def digest(deliveries) -> str:
    """A fingerprint of a stream, byte by byte."""
    seen = hashlib.sha256()
    for d in deliveries:
        seen.update(f"{d.arrival_ms} {d.source_name} {json.dumps(d.message, ensure_ascii=False)}\n".encode())
    return seen.hexdigest()


@pytest.fixture(scope="module")
def town():
    """The town of the demo."""
    return make_town(seed=7, today=TODAY)


@pytest.fixture(scope="module")
def told(town):
    """Its whole history."""
    return list(history(town))


@pytest.fixture(scope="module")
def lives():
    """The planted people and three households more, with the truth of who tells what."""
    return [told for _, _, told in arrivals(make_town(seed=7, today=TODAY, size=8))]


def test_same_seed_same_bytes_in_other_processes():
    code = (
        "import datetime as dt, sys; sys.path.insert(0, '.');"
        "from tests.unit.sim.test_town import digest; from patron.sim import make_town, history;"
        "print(digest(history(make_town(seed=3, today=dt.date(2026, 3, 30), size=30, days=20))))"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": hashing, "TZ": zone},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hashing, zone in (("1", "UTC"), ("2", "Asia/Tokyo"))
    }
    here = digest(history(make_town(seed=3, today=dt.date(2026, 3, 30), size=30, days=20)))
    assert runs == {here + "\n"}
    assert here != digest(history(make_town(seed=4, today=dt.date(2026, 3, 30), size=30, days=20)))


def test_a_subset_of_people_lives_the_same_lives():
    whole = make_town(seed=11, today=TODAY, size=60, days=15)
    some = {int(number) for number in whole.people.ids[::3]} | {0, 4}
    part = make_town(seed=11, today=TODAY, size=60, days=15, only=some)
    theirs = [(at, key, t.message) for at, key, t in arrivals(whole) if t.person in some]
    assert theirs == [(at, key, t.message) for at, key, t in arrivals(part)]
    assert len(theirs) > 300


def test_a_larger_town_holds_the_smaller_one():
    small, large = (make_town(seed=11, today=TODAY, size=size, days=10) for size in (20, 60))
    inside = {int(number) for number in small.people.ids}
    assert [t for _, _, t in arrivals(small)] == [t for _, _, t in arrivals(large) if t.person in inside]


def test_size_and_period(town, told):
    assert 380 <= len(town.people) <= 440
    assert 15_000 <= len(told) <= 30_000
    arrivals_ = [d.arrival_ms for d in told]
    assert arrivals_ == sorted(arrivals_)
    assert arrivals_[-1] < MIDNIGHT
    assert MIDNIGHT - 90 * 86_400_000 - 4 * 3_600_000 < arrivals_[0] < MIDNIGHT - 89 * 86_400_000
    days = collections.Counter(d.message["timestamp"][:10] for d in told)
    assert min(count for day, count in days.items() if "2026-08-24" <= day <= "2026-11-19") > 80


def test_every_message_can_be_sent(told):
    stamp = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\Z")
    sources = collections.Counter(d.source_name for d in told)
    assert set(sources) == set(SOURCES)
    assert set(SOURCES) <= set(CHANNELS)
    for d in told:
        m = d.message
        text = json.dumps(m, allow_nan=False)
        assert len(text.encode()) <= 32_768
        assert m["type"] in CALL_TYPES
        assert 0 < len(m["messageId"]) <= 100
        assert stamp.match(m["timestamp"])
        assert stamp.match(m["receivedAt"])
        assert m["timestamp"] <= m["receivedAt"]
        assert m["context"]["channel"] == d.source_name
        assert m["type"] != "track" or (m["event"] and isinstance(m["properties"], dict))
        known = m.get("userId"), m.get("anonymousId"), m["context"].get("externalIds")
        order = m.get("properties", {}).get("order_id")
        assert any(known) or order or m["context"].get("touchpoint", {}).get("visit_id"), m


def test_ids_are_unique_and_copies_are_exact(town, told):
    bodies = collections.defaultdict(list)
    for d in told:
        bodies[d.message["messageId"]].append({k: v for k, v in d.message.items() if k != "receivedAt"})
    assert all(body == copies[0] for copies in bodies.values() for body in copies)
    twice = sum(len(copies) > 1 for copies in bodies.values())
    assert 0.005 < twice / len(bodies) < 0.02
    orders = [
        m["properties"]["order_id"]
        for copies in bodies.values()
        if (m := copies[0]).get("event") == "Order Completed"
    ]
    assert len(orders) == len(set(orders)) > 1_500


def test_orders_add_up_and_refunds_name_them(told):
    bought = {}
    for d in told:
        m = d.message
        if m.get("event") == "Order Completed":
            p = m["properties"]
            lines = sum(round(line["price"] * 100) * line["quantity"] for line in p["products"])
            assert round(p["revenue"] * 100) == lines
            assert 0 < p["margin"] < p["revenue"]
            assert {line["currency"] for line in p["products"]} == {p["currency"]}
            bought[p["order_id"]] = p
    refunds = [d.message["properties"] for d in told if d.message.get("event") == "Order Refunded"]
    assert len(refunds) > 50
    late = 0
    for refund in refunds:
        order = bought.get(refund["order_id"])
        late += order is None  # its till file is under way
        assert order is None or refund["products"][0] in order["products"]
    assert late <= 2
    assert {p["currency"] for p in bought.values()} == {"EUR", "GBP"}


def test_till_files_arrive_late_and_app_messages_wait_for_a_network(told):
    def lag(d):
        happened = dt.datetime.fromisoformat(d.message["timestamp"]).timestamp() * 1000
        return (d.arrival_ms - happened) / 3_600_000

    till = [lag(d) for d in told if d.source_name == "pos"]
    app = [lag(d) for d in told if d.source_name == "app" and d.message.get("event") != "Store Entered"]
    assert 0.02 < sum(hours > 6 for hours in till) / len(till) < 0.12
    assert max(till) < 56
    assert 0.03 < sum(hours > 0.25 for hours in app) / len(app) < 0.2
    assert all(lag(d) < 6 for d in told if d.source_name == "web")


def test_all_events_of_the_specification_that_xs_tells(told):
    names = {d.message.get("event", d.message["type"]) for d in told}
    assert names >= {
        *(
            "identify",
            "page",
            "screen",
            "Product Viewed",
            "Products Searched",
            "Product Added",
            "Cart Viewed",
        ),
        *("Checkout Started", "Order Completed", "Order Refunded", "Store Entered", "Associate Contacted"),
        *(
            "Message Sent",
            "Message Opened",
            "Message Clicked",
            "Message Replied",
            "Call Started",
            "Call Ended",
        ),
        "Consent Changed",
    }
    proofs = [d.message["properties"] for d in told if d.message.get("event") == "Consent Changed"]
    assert all(p["text_version"] and p["place"] and isinstance(p["granted"], bool) for p in proofs)


def test_stories_are_there(town, told):
    found = stories(town)
    assert [s.identifier for s in found] == [
        "email:a.bianchi@posta.example",
        "card:290000002208",
        "email:carmen.navarro@correo.example",
        "email:hannah.clarke@mail.example",
    ]
    text = {s.identifier: s for s in found}
    assert len(text) == 4
    for story in found:
        value = story.identifier.partition(":")[2]
        assert any(value in json.dumps(d.message) for d in told)


def test_anna_and_the_wrong_merge(lives):
    life = [t for t in lives if t.person == 0]
    channels = {t.source for t in life}
    assert channels == {"web", "kiosk", "pos", "call_centre", "email"}
    kiosk = next(t.message for t in life if t.source == "kiosk" and t.message["type"] == "identify")
    assert kiosk["traits"]["email"] == "a.bianchi@posta.example"
    assert kiosk["context"]["consent"]["categoryPreferences"]["personalization"] is True
    assert kiosk["context"]["touchpoint"]["store_id"] == "S01"
    wrong = [
        t.message
        for t in life
        if {"290000004417", "a.bianchi@posta.example"}
        <= {e["id"] for e in t.message["context"].get("externalIds", [])}
    ]
    (mistake,) = {m["messageId"]: m for m in wrong}.values()
    assert mistake["context"]["channel"] == "call_centre"
    assert mistake["traits"] == {}
    assert mistake["context"]["identification"]["mode"] == "told_to_staff"
    marta = {t.message["messageId"]: t.message for t in lives if t.person == 4}
    assert len(marta) == 10
    for message in marta.values():
        ids = message["context"]["externalIds"]
        assert [(e["type"], e["id"]) for e in ids] == [("card", "290000004417")]
        assert "traits" not in message
        assert message["properties"]["products"][0]["name"].startswith("Cat food")
    late = [t for t in life if t.delay]
    assert [round(t.delay / 86_400_000) for t in late] == [2]


def test_the_navarros_share_a_tablet_and_hannah_stops(lives):
    seen = collections.defaultdict(set)
    last = {}
    for t in lives:
        if t.person in {12, 13, 14} and t.message.get("userId"):
            seen[t.message.get("anonymousId")].add(t.message["userId"])
        if t.person == 16 and t.source != "email":
            last[t.person] = t.message["timestamp"]
    assert any(len(users) >= 2 for users in seen.values())
    assert "2026-09-15" < last[16][:10] <= "2026-10-17"


def test_phones_are_numbers_that_exist_in_their_country(town):
    regions = ("IT", "ES", "GB")
    quiet = msgspec.structs.replace(town.noise, phone_wrong=0.0, phone_format=0.0)
    for row in range(len(town.people)):
        person = town.who(row)
        for number in filter(None, (person.phone, person.landline)):
            assert phonenumbers.is_valid_number(phonenumbers.parse(number)), person
        said = phonenumbers.parse(said_phone(person, 0, quiet), regions[person.country])
        assert phonenumbers.is_valid_number(said)


def test_truth_knows_every_message_and_stays_outside(lives, tmp_path):
    town = make_town(seed=7, today=TODAY, size=8)
    generate(town, tmp_path / "world", "8")
    owners = list(rows(tmp_path / "world" / "truth", "person_map"))
    known = {row["messageId"]: row["person"] for row in owners}
    people = {row["identifier"]: row["people"] for row in rows(tmp_path / "world" / "truth", "identifiers")}
    assert {d.message["messageId"] for d in history(town)} == set(known)
    assert {t.message["messageId"]: t.person for t in lives} == known
    assert people["card:290000004417"] == [4]
    assert people["email:casa.navarro@correo.example"] == [12, 13, 14]
    assert {row["household"] for row in owners if row["person"] in {13, 14}} == {3}
    assert len(owners) == len(known)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "patron.toml").write_text("")
    with pytest.raises(BadFolder, match="write the truth somewhere else"):
        generate(town, tmp_path / "data" / "sub", "8")
    assert not (tmp_path / "data" / "sub").exists()


def test_a_messy_world_loses_messages_and_a_bad_name_is_refused():
    messy = make_town(seed=7, today=TODAY, size=60, days=20, world="messy")
    plain = make_town(seed=7, today=TODAY, size=60, days=20)
    sent = len({d.message["messageId"] for d in history(plain)})
    came = len({d.message["messageId"] for d in history(messy)})
    assert 0.93 < came / sent < 0.97
    with pytest.raises(BadParameters, match="choose one of default, null, perverse"):
        make_town(today=TODAY, world="gloomy")
    with pytest.raises(ValueError, match="there is no size 'XXL'"):
        make_town(today=TODAY, size="XXL")
    with pytest.raises(ValueError, match="reads no clock"):
        make_town()
