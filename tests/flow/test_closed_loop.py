"""A world lives against a server whose clock it drives, and acts on what the server decides."""

import datetime as dt
import json
import re
from collections.abc import Callable
from contextlib import closing

import numpy as np
import pytest
from click.testing import CliRunner

from patron.cli.main import main
from patron.model.clock import DAY, HOUR
from patron.sim import make_town
from patron.sim.closed import judge
from patron.sim.closed import run as live
from patron.sim.closed.actions import SCREENS
from patron.sim.engine.state import NEVER
from patron.sim.messages import iso
from patron.sim.score.held import events_of
from patron.sim.server.api import Api
from patron.sim.server.load import NoAnswer
from patron.sim.telling.history import arrivals
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


def test_messages_are_decided_and_credited_and_those_held_out_get_what_is_usual(
    server: Callable[..., PatronServer],
) -> None:
    patron = server("--clock", "stepped")
    town = make_town(7, dt.date(2026, 2, 1), 90, 27)
    with closing(Api(patron.url, patron.admin)) as api:
        done = live(town, "api", patron.url, api, history=17, every=DAY)
        card = judge(town, done, api)
        people = [person for page in api.pages("/v1/profiles", 500) for person in page["data"]]
        events = [event for person in people for event in events_of(api, person)]
        named = {
            event["properties"]["decision_id"]: event["event"]
            for event in events
            if event.get("event") in {"Message Sent", "Offer Shown"} and "decision_id" in event["properties"]
        }
        decided = {name: api.get(f"/v1/decisions/{name}") for name in named}
    assert done.asked.refused == 0
    assert (done.history, done.days) == (17, 10)
    assert set(named.values()) == {"Message Sent", "Offer Shown"}
    assert {one["decision"]["group"] for one in decided.values()} == {"treated"}
    assert all(one["outcome"]["shown"] for name, one in decided.items() if named[name] == "Offer Shown")
    assert done.arms is not None
    held_out, treated = done.arms.control > NEVER, done.arms.treated > NEVER
    assert not (held_out & treated).any()
    assert min(held_out.sum(), treated.sum()) > 20
    assert 0 < done.asked.crossed < done.asked.asked / 4, "some browse under an identifier of the other arm"
    ours, usual = np.sum(done.lived.sent, axis=0), np.sum(done.usual.sent, axis=0)
    assert (ours[held_out] == usual[held_out]).all()
    assert (ours[treated] != usual[treated]).any()
    assert card.treated == card.holdout.treated == treated.sum()
    assert card.holdout.held_out == held_out.sum()
    assert len(card.weekly_regret) == 1
    assert {row.placement for row in card.challengers} <= set(SCREENS)


def test_the_usual_policy_is_worth_as_much_as_itself(server: Callable[..., PatronServer]) -> None:
    told = run(server("--clock", "stepped"), "--policy", "business-as-usual")
    assert told["revenue"] == told["usual_revenue"]
    assert told["asked"] == 0


def test_what_happened_keeps_its_time_and_comes_within_the_hour(server: Callable[..., PatronServer]) -> None:
    patron = server("--clock", "stepped")
    run(patron, "--policy", "business-as-usual")
    town = make_town(7, dt.date(2026, 1, 11), 40, 6)
    lived: dict[str, tuple[int, int]] = {}
    for arrival, message_id, told in arrivals(town, ahead=0):
        lived.setdefault(message_id, (told.at, arrival))
    with closing(Api(patron.url, patron.admin)) as api:
        people = [person for page in api.pages("/v1/profiles", 500) for person in page["data"]]
        held = {event["messageId"]: event for person in people for event in events_of(api, person)}
    assert len(held.keys() & lived.keys()) > 400
    for message_id in held.keys() & lived.keys():
        at, arrival = lived[message_id]
        assert held[message_id]["timestamp"] == iso(at)
        late = ms(held[message_id]["receivedAt"]) - arrival
        # a visit that was prepared the evening before is told when its day is lived: at the next midnight, or soon after
        assert 0 <= late < (HOUR if arrival % DAY < DAY // 2 else DAY // 2 + HOUR)


def ms(text: str) -> int:
    return round(dt.datetime.fromisoformat(text).timestamp() * 1_000)


def test_a_server_on_the_clock_of_the_machine_is_refused_with_what_to_do(
    server: Callable[..., PatronServer],
) -> None:
    patron = server()
    done = CliRunner().invoke(main, ["sim", "run", "--to", patron.url, "--key", patron.admin, "--days", "1"])
    assert done.exit_code == 1
    assert "patron serve --clock stepped" in done.output


def test_days_that_are_over_are_refused_with_what_to_do(server: Callable[..., PatronServer]) -> None:
    patron = server("--clock", "stepped")
    run(patron, "--policy", "nothing")
    words = ["--size", "40", "--days", "1", "--first", "2026-01-05"]
    done = CliRunner().invoke(main, ["sim", "run", "--to", patron.url, "--key", patron.admin, *words])
    assert done.exit_code == 1
    assert (
        "The clock stands at 2026-01-11T00:00:00.000Z; time only goes forward. Begin on a later day"
        in done.output
    )


def test_a_server_that_went_away_is_gone_on_with_where_the_message_says(
    server: Callable[..., PatronServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("patron.sim.closed.loop.PATIENCE", 0.5)
    patron = server("--clock", "stepped")
    town = make_town(7, dt.date(2026, 1, 11), 40, 6)

    def fall(day: int) -> None:
        if day == 3:
            patron.kill9()

    with closing(Api(patron.url, patron.admin, give_up=0.5)) as api, pytest.raises(NoAnswer) as gone:
        live(town, "nothing", patron.url, api, progress=fall)
    assert "went away on day 3 of 6" in str(gone.value)
    (after,) = re.findall(r"--first (\S+?)\)", str(gone.value))
    assert after == "2026-01-08"
    patron.start()
    words = ["sim", "run", "--to", patron.url, "--key", patron.admin, "--policy", "nothing", "--size", "40"]
    again = CliRunner().invoke(main, [*words, "--days", "1", "--first", "2026-01-06"])
    assert "Begin on a later day" in again.output
    done = CliRunner().invoke(main, [*words, "--days", "1", "--first", after])
    assert done.exit_code == 0, done.output
