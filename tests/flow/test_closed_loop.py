"""A world lives against a server whose clock it drives, and acts on what the server decides."""

import json
from collections.abc import Callable

from click.testing import CliRunner

from patron.cli.main import main
from tests.flow.serving import PatronServer


def run(server: PatronServer, *more: str) -> dict[str, object]:
    done = CliRunner().invoke(
        main,
        [
            *("sim", "run", "--to", server.url, "--key", server.admin, "--json"),
            *("--size", "40", "--days", "6", "--first", "2026-01-05", *more),
        ],
    )
    assert done.exit_code == 0, done.output
    told: dict[str, object] = json.loads(done.stdout)
    return told


def test_touchpoints_show_what_the_server_decides(server: Callable[..., PatronServer]) -> None:
    patron = server("--clock", "stepped")
    told = run(patron, "--policy", "api")
    assert told["days"] == 6
    assert told["refused"] == 0
    assert 0 < int(str(told["shown"])) < int(str(told["asked"]))
    status = patron.status()
    assert status["accepted"] == status["applied"] > int(str(told["sent"]))


def test_the_usual_policy_is_worth_as_much_as_itself(server: Callable[..., PatronServer]) -> None:
    told = run(server("--clock", "stepped"), "--policy", "business-as-usual")
    assert told["revenue"] == told["usual_revenue"]
    assert told["asked"] == 0


def test_a_server_on_the_clock_of_the_machine_is_refused_with_what_to_do(
    server: Callable[..., PatronServer],
) -> None:
    patron = server()
    done = CliRunner().invoke(main, ["sim", "run", "--to", patron.url, "--key", patron.admin, "--days", "1"])
    assert done.exit_code == 1
    assert "patron serve --clock stepped" in done.output
