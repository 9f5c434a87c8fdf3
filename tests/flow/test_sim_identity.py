"""The identity lab asks a real server for the people of a small world."""

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path

from click.testing import CliRunner

from patron.cli.main import main
from patron.sim import make_town
from patron.sim.generation.folder import messages, read_manifest
from patron.sim.generation.generate import generate
from patron.sim.messages import Delivery
from patron.sim.server.load import load
from tests.flow.serving import PatronServer


def test_the_lab_scores_a_server(server: Callable[..., PatronServer], tmp_path: Path) -> None:
    folder = tmp_path / "world"
    generate(make_town(47, dt.date(2026, 4, 1), 60, 20), folder, "60")
    patron, keys = server(), {}
    for source in read_manifest(folder).sources:
        assurance = "asserted" if source.channel in {"web", "app", "kiosk"} else "verified"
        keys[source.name] = patron.write_key(
            source.channel, source.name, "--kind", "import", "--assurance", assurance
        )
    told = [Delivery(0, name, message) for name in keys for message in messages(folder, name)]
    assert load(patron.url, keys, told).sent == len(told)
    patron.settle()
    arguments = [
        "sim",
        "identity",
        str(folder),
        "--to",
        patron.url,
        "--key",
        patron.secret("profiles:read"),
        "--json",
    ]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    scores = {row["method"]: row for row in json.loads(done.stdout)}
    ours = scores["Patron"]
    assert ours["of_ceiling"] > 0.85
    assert ours["precision"] > 0.85
    assert ours["household_precision"] > 0.97
    assert ours["largest"] < 25
