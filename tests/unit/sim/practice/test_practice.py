"""A practice: another world by each seed, questions that its data answers, points for what was found."""

import datetime as dt
import json
import shutil
from pathlib import Path

import pytest
from msgspec import structs

from patron.model.guide import Answer, Practice, Question
from patron.sim.generation.folder import TRUTH, BadFolder, read_manifest, read_parameters, rows
from patron.sim.guide.guided import gaming, slow
from patron.sim.practice import page, session
from patron.sim.practice.evidence import Evidence, stands_out
from patron.sim.practice.grade import graded, points
from patron.sim.practice.people import Stray
from patron.sim.practice.plant import wrong_card
from patron.sim.practice.questions import Asked, Key, Known, asked
from patron.sim.practice.world import faults, overlay, practice_parameters, practice_town
from patron.sim.town import Town
from patron.sim.world.worlds import parameters

TODAY = dt.date(2026, 11, 21)
SEED = 1_001


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Town]:
    """A small practice world in its folder, and its town."""
    folder = tmp_path_factory.mktemp("practice") / "world"
    return folder, session.tell(folder, SEED, "XS", TODAY)


@pytest.fixture(scope="module")
def made(world: tuple[Path, Town]) -> dict[str, Asked]:
    """The questions that need no server."""
    folder, town = world
    stores = town.setting.geography.stores
    countries = {store.id: town.setting.geography.country_of(n) for n, store in enumerate(stores)}
    stray = Stray(profile="p_1", identifier="card:290000001234", owner=4, stranger=8)
    return {one[0].id: one for one in asked(Known(town, Evidence(folder, countries), stray=stray))}


def test_each_seed_moves_the_troubles() -> None:
    for size in ("XS", "S"):
        drawn = [overlay(seed, size)["pain"] for seed in range(30)]
        for name in ("pick_up_stores", "app_version", "coupon_country"):
            assert len({str(one[name]) for one in drawn}) >= 3
        assert len({str(faults(seed, size)) for seed in range(30)}) >= 10
        for seed in range(30):
            slow_there = {number - 1 for number in drawn[seed]["pick_up_stores"]}  # type: ignore[attr-defined]
            assert len(slow_there) == (1 if size == "XS" else 3)
            assert sorted(faults(seed, size).values()) == ["evening", "stock"]
            assert not slow_there & faults(seed, size).keys()
            given = practice_parameters(seed, size)
            assert given.pain.pick_up_stores == tuple(drawn[seed]["pick_up_stores"])  # type: ignore[arg-type]
            assert given.pain.app_version == drawn[seed]["app_version"]
            assert given.life.beta == 15.0 != parameters().life.beta


def test_the_truth_is_of_the_world_that_was_told(world: tuple[Path, Town], made: dict[str, Asked]) -> None:
    _, town = world
    pain, stores = town.parameters.pain, town.setting.geography.stores
    fault = {name: stores[n].id for n, name in town.setting.geography.faults.items()}
    keys = {name: key.values for name, (_, key) in made.items()}
    assert keys.pop("offline")
    assert keys == {
        "pick-up": tuple(store.id for store in slow(town)),
        "stray": ("290000001234",),
        "app": (pain.app_version,),
        "coupon": (pain.coupon_country,),
        "gaming": tuple(sorted(gaming(town))),
        "evening": (fault["evening"],),
        "empty": (fault["stock"],),
    }


def test_the_offline_share_is_that_of_the_true_totals(
    world: tuple[Path, Town], made: dict[str, Asked]
) -> None:
    gross = {True: 0, False: 0}
    for row in rows(world[0] / TRUTH, "totals"):
        if row["currency"] == "EUR":
            gross[row["source"] == "pos"] += row["gross_cents"]
    true = 100 * gross[True] / sum(gross.values())
    assert float(made["offline"][1].values[0]) == pytest.approx(true, abs=0.06)


def test_questions_hold_no_answer(made: dict[str, Asked]) -> None:
    for question, key in made.values():
        assert (question.truth, question.seen, question.points) == ("", "", None)
        told = json.dumps([question.ask, question.where, question.title])
        for value in key.values:
            assert f'"{value}"' not in told
            assert value.casefold() not in told.casefold().split()
        if question.kind in {"one", "some"}:
            assert len(question.choices) >= 3
            assert set(key.values) < {value for value, _ in question.choices}


def test_the_truth_is_shut_away_and_the_seed_with_it(world: tuple[Path, Town]) -> None:
    folder, _ = world
    truth = folder / TRUTH
    assert oct(truth.stat().st_mode & 0o777) == "0o700"
    assert oct((truth / "parameters.json").stat().st_mode & 0o777) == "0o600"
    assert read_parameters(truth) == practice_parameters(SEED, "XS")
    assert not (truth / "parameters.toml").exists()
    assert session.origin(folder) == (SEED, "XS")
    seen = b"".join(
        file.read_bytes()[:400] for part in ("events", "feeds") for file in (folder / part).iterdir()
    )
    assert b'"seed"' not in seen


def test_an_agent_made_two_customers_one(world: tuple[Path, Town]) -> None:
    folder, _ = world
    lines = (folder / "events" / "call_centre.ndjson").read_bytes().splitlines()
    told = [json.loads(line) for line in lines]
    arrived = [message["receivedAt"] for message in told]
    assert arrived == sorted(arrived)
    manifest = {source.name: source.messages for source in read_manifest(folder).sources}
    assert manifest["call_centre"] == len(lines)
    owners = {row["identifier"]: row["people"] for row in rows(folder / TRUTH, "identifiers")}
    mixed = []
    for message in told:
        known = {one["type"]: one["id"] for one in message["context"].get("externalIds", ())}
        people = [owners[f"{kind}:{value}"] for kind, value in known.items() if f"{kind}:{value}" in owners]
        if "card" in known and len(people) == 2 and not set(people[0]) & set(people[1]):
            mixed.append(message["messageId"])
    # Anna's, which is in every world, and that of this one
    assert len(set(mixed)) == 2
    mapped = {row["messageId"] for row in rows(folder / TRUTH, "person_map")}
    assert set(mixed) <= mapped


def test_the_same_two_customers_each_time(world: tuple[Path, Town], tmp_path: Path) -> None:
    folder, town = world
    added = []
    for name in ("one", "two"):
        shutil.copytree(folder, tmp_path / name)
        before = (folder / "events" / "call_centre.ndjson").read_bytes().splitlines()
        assert wrong_card(town, tmp_path / name)
        after = (tmp_path / name / "events" / "call_centre.ndjson").read_bytes().splitlines()
        added.append(
            set(after) - set(before) or {line for line in after if after.count(line) > before.count(line)}
        )
    assert added[0] == added[1]
    assert len(added[0]) == 1


def test_a_world_that_shows_nothing_is_not_asked_about(world: tuple[Path, Town], tmp_path: Path) -> None:
    folder, town = tmp_path / "world", world[1]
    shutil.copytree(world[0], folder)
    for source in ("pos", "app", "associate_tablet", "web"):
        (folder / "events" / f"{source}.ndjson").write_bytes(b"")
    for feed in ("stock", "footfall"):
        file = folder / "feeds" / f"{feed}.csv"
        file.write_text(file.read_text("utf-8").splitlines()[0] + "\n", "utf-8")
    evidence = Evidence(folder, {store.id: 0 for store in town.setting.geography.stores})
    assert [question.id for question, _ in asked(Known(town, evidence))] == []


def test_the_plainest_look_stands_out_only_when_it_is_clear() -> None:
    assert stands_out({}) is None
    assert stands_out({"a": 1.0}) is None
    assert stands_out({"a": 2.0, "b": 1.0}, by=2.0) is None
    assert stands_out({"a": 2.1, "b": 1.0}, by=2.0) == "a"


def number(tolerance: float = 2.0) -> tuple[Question, Key]:
    """A question for a number whose answer is 80."""
    question = Question(id="n", icon="", title="How many?", ask="How many?", kind="number", where="")
    return question, Key(
        question="n", values=("80.0",), truth="80", seen="It was counted.", tolerance=tolerance
    )


@pytest.mark.parametrize(
    ("given", "worth"), [("80", 1.0), ("82", 1.0), ("78.0", 1.0), ("85", 0.5), ("88", 0.0), ("-1", 0.0)]
)
def test_a_number_is_worth_less_the_further_it_is_off(given: str, worth: float) -> None:
    assert points(*number(), (given,)) == pytest.approx(worth)


@pytest.mark.parametrize(
    ("given", "worth"),
    [((), 0.0), (("S1",), 0.5), (("S1", "S2"), 1.0), (("S1", "S2", "S3", "S4"), 0.5), (("S9",), 0.0)],
)
def test_naming_everything_is_no_way_to_win(given: tuple[str, ...], worth: float) -> None:
    ask = Question(id="q", icon="", title="", ask="", kind="some", where="")
    assert points(ask, Key(question="q", values=("S1", "S2"), truth="", seen=""), given) == worth


def test_an_identifier_counts_however_it_is_written() -> None:
    ask = Question(id="q", icon="", title="", ask="", kind="text", where="")
    key = Key(question="q", values=("290000004417",), truth="", seen="")
    for text in ("2900 0000 4417", "card:290000004417", "Card 2900-0000-4417"):
        assert points(ask, key, (text,)) == 1.0
    assert points(ask, key, ("290000004471",)) == 0.0


def test_the_end_is_a_page_without_scripts_that_escapes_what_was_typed() -> None:
    question, key = number()
    hostile = structs.replace(question, id="t", kind="text", people={"who": "p_1"}, ask="Is {who} right?")
    practice = Practice(lead="A <b>retailer</b>. What can you find out?", questions=(question, hostile))
    answers = {
        "n": Answer(question="n", values=("80",), at=600_000),
        "t": Answer(question="t", values=("<script>alert(1)</script>",)),
    }
    ended = graded(practice, [key, structs.replace(key, question="t", values=("x",))], answers)
    text = page.page(ended, answers, {"t": {"who": "Eve <i>"}}, (7, "XS"), began=0)
    assert "1 of 2 found, 50 of 100 points" in text
    assert "<script" not in text
    assert "Eve &lt;i&gt;" in text
    assert "http" not in text.replace("https://", "")
    assert page.answered(question, None, {}) == "nothing"
    assert [page.verdict(worth) for worth in (None, 0.0, 0.5, 1.0)] == [
        "missed",
        "missed",
        "50% of it",
        "found",
    ]


def test_without_its_truth_nothing_is_revealed(tmp_path: Path) -> None:
    with pytest.raises(BadFolder, match="whole folder"):
        session.reveal(tmp_path, Practice(lead="", questions=()), {})
    (tmp_path / TRUTH).mkdir()
    (tmp_path / TRUTH / session.KEYS).write_bytes(b"[]")
    with pytest.raises(BadFolder, match="another practice"):
        session.reveal(tmp_path, Practice(lead="", questions=(number()[0],)), {})


def test_a_town_of_a_practice_keeps_its_faults() -> None:
    town = practice_town(5, TODAY, "XS")
    assert town.setting.geography.faults == faults(5, "XS")
    assert town.setting.faulty["evening"].sum() == 1
