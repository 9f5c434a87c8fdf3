"""Scores of a system's people, asked from a file or a server, and the command that prints them."""

import datetime as dt
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

import pytest
from click.testing import CliRunner

from patron.cli.main import main
from patron.sim import make_town
from patron.sim.generation.generate import generate
from patron.sim.identity import Record, clusters_from, records_of, report, table
from patron.sim.identity.ask import CannotAsk, ask_people, read_people
from patron.sim.server.api import Api
from patron.sim.server.load import LoadFailed


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A very small world in a folder."""
    out = tmp_path_factory.mktemp("worlds") / "tiny"
    generate(make_town(43, dt.date(2026, 4, 1), 30, 15), out, "30")
    return out


def record(key: str, person: int, *more: str) -> Record:
    return Record(key, person, person // 4, "IT", frozenset({key, *more}))


def test_a_system_that_knows_everybody_reaches_beyond_the_ceiling(world: Path) -> None:
    records = records_of(world)
    knowing = report(records, [r.person for r in records])
    assert (knowing.precision, knowing.recall, knowing.f1, knowing.household_precision) == (1, 1, 1, 1)
    assert knowing.of_ceiling > 1
    assert knowing.clusters == knowing.people
    nobody = report(records, range(len(records)))
    assert (nobody.precision, nobody.recall, nobody.merge_exact, nobody.largest) == (1, 0, 0, 1)


def test_joining_a_household_costs_person_precision_only() -> None:
    records = [record("card:1", 0, "email:a"), record("card:2", 1, "email:b"), record("card:3", 4, "email:c")]
    family = report(records, [0, 0, 1])
    assert (family.precision, family.household_precision) == (0.0, 1.0)
    strangers = report(records, [0, 1, 1])
    assert (strangers.precision, strangers.household_precision) == (0.0, 0.0)


def test_records_that_a_system_does_not_know_stand_alone() -> None:
    records = [record("card:1", 0), record("email:no@no.example", 0), record("email:no@no.example", 1)]
    assert clusters_from(records, {}) == [0, 1, 2]
    assert clusters_from(records, {"email:no@no.example": "p", "card:9": "q"}) == [0, 1, 1]


def test_the_row_of_a_system_stands_before_the_ceiling(world: Path) -> None:
    records = records_of(world)
    rows = table(records, [r.household for r in records])
    assert [one.method for one in rows][-2:] == ["Patron", "ceiling of deterministic evidence"]
    assert rows[-2].household_precision == 1.0
    assert len(table(records)) == 5
    assert rows[-1] == report(records, clusters_of_last(records), "ceiling of deterministic evidence")


def clusters_of_last(records: list[Record]) -> list[int]:
    from patron.sim.identity.joins import evidence

    return evidence(records)


def test_the_command_prints_the_table_and_json(world: Path, tmp_path: Path) -> None:
    runner, second = CliRunner(), tmp_path / "second"
    second.symlink_to(world)
    shown = runner.invoke(main, ["sim", "identity", str(world), str(second)])
    assert shown.exit_code == 0, shown.output
    assert shown.output.count("ceiling of deterministic evidence") == 2
    assert "F1/ceiling" in shown.output
    records, people = records_of(world), tmp_path / "people.json"
    by_key = {r.key: f"p{r.household}" for r in records}
    people.write_text(json.dumps(by_key))
    done = runner.invoke(main, ["sim", "identity", str(world), "--clusters", str(people), "--json"])
    assert done.exit_code == 0, done.output
    rows = {row["method"]: row for row in json.loads(done.output)}
    assert rows["Patron"]["recall"] == report(records, clusters_from(records, by_key)).recall > 0.9
    assert rows["Patron"]["of_ceiling"] == rows["Patron"]["f1"] / rows["Patron"]["ceiling_f1"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--to", "http://127.0.0.1:1"], "--to needs --key"),
        (["--to", "http://127.0.0.1:1", "--key", "k", "--clusters", "x.json"], "not both"),
        (["--clusters", "nothing.json"], "nothing.json cannot be read"),
        (["--to", "http://127.0.0.1:1", "--key", "k"], "cannot be asked"),
        (["--to", "shop", "--key", "k"], "cannot be asked"),
    ],
)
def test_what_cannot_be_done_is_said(world: Path, arguments: list[str], said: str) -> None:
    done = CliRunner().invoke(main, ["sim", "identity", str(world), *arguments], env={"PATRON_KEY": ""})
    assert done.exit_code
    assert said in done.output


def test_one_server_holds_one_world(world: Path) -> None:
    done = CliRunner().invoke(
        main, ["sim", "identity", str(world), str(world), "--to", "http://h", "--key", "k"]
    )
    assert done.exit_code == 2
    assert "give one DIR" in done.output


def test_a_file_of_people_must_be_an_object_of_texts(tmp_path: Path) -> None:
    file = tmp_path / "people.json"
    for text in ("[1]", '{"card:1": 1}', "", "\xff"):
        file.write_text(text, "latin-1")
        with pytest.raises(CannotAsk, match="one JSON object"):
            read_people(file)


class _Odd(BaseHTTPRequestHandler):
    """A server that has trouble, or is no Patron: a real one cannot be made to answer so."""

    def do_GET(self) -> None:
        name = unquote(self.path.removeprefix("/v1/profiles/"))
        status, body = {
            "card:gone": (410, b'{"code":"erased","message":"Nothing is kept."}'),
            "card:new": (404, b'{"code":"unknown_person","message":"Nobody has this card."}'),
            "card:lost": (404, b"<h1>Not found</h1>"),
            "card:door": (404, b'{"code":"no_route","message":"There is no such address."}'),
            "card:who": (401, b'{"code":"bad_key","message":"The key is unknown."}'),
            "card:odd": (200, b"[]"),
            "page": (200, b"<h1>Welcome</h1>"),
        }.get(name, (403, b'{"code":"forbidden","message":"not this key"}'))
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


def test_answers_of_other_kinds_are_said() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Odd)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}"
    try:
        assert ask_people(url, "k", ["card:gone", "card:new"]) == {}
        with pytest.raises(CannotAsk, match=r"404 for 'card:lost', and not as Patron does; give the address"):
            ask_people(url, "k", ["card:lost"])
        with pytest.raises(CannotAsk, match=r"no such address.*the address of its profile API"):
            ask_people(url, "k", ["card:door"])
        with pytest.raises(
            CannotAsk, match=r"401 for 'card:who': The key is unknown\. To do: .*profiles:read"
        ):
            ask_people(url, "k", ["card:who"])
        with pytest.raises(CannotAsk, match=r"403 for 'card:1'.*not this key"):
            ask_people(url, "k", ["card:1"])
        with pytest.raises(CannotAsk, match="address of a running Patron"):
            ask_people(url, "k", ["card:odd"])
        with pytest.raises(LoadFailed, match="not as Patron does; give the address"):
            Api(url, "k").get("/v1/profiles/page")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
