"""`patron.open`: a workspace in the process of a script, against the same workspace behind its HTTP API."""

import asyncio
import datetime as dt
import gc
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import patron
from patron import errors
from tests.flow.serving import PatronServer, bearer, request


@pytest.fixture
def app(tmp_path: Path) -> Iterator[patron.App]:
    with patron.open(tmp_path / "shop", create=True) as one:
        yield one


def viewed(n: int, **more: Any) -> dict[str, Any]:
    when = dt.datetime(2026, 3, 1, tzinfo=dt.UTC) + dt.timedelta(minutes=n)
    return {
        "type": "track", "event": "Product Viewed", "userId": "ana", "messageId": f"m{n}", "timestamp": when, **more
    }  # fmt: skip


def test_what_is_sent_is_read_back_by_any_identifier(app: patron.App) -> None:
    app.identify("ana", {"email": " Ana@Mail.example ", "first_name": "Ana"})
    app.track("ana", "Order Completed", {"order_id": "7", "revenue": 12.5, "currency": "EUR"})
    app.track(None, "Page Seen", anonymous_id="dev-1")
    profile = app.profile("email:ana@mail.example")
    assert profile["id"] == app.profile("user_id:ana")["id"] == app.profile(profile["id"])["id"]
    assert profile["totals"]["revenue"] == {"EUR": "12.50"}
    assert app.profile("anonymous_id:dev-1")["id"] != profile["id"]


def test_two_equal_calls_are_two_events_and_one_message_id_is_one(app: patron.App) -> None:
    for _ in range(2):
        app.track("ana", "Bell Rung")
        app.track("ana", "Door Opened", message_id="d1")
    assert app.profile("user_id:ana")["counters"] == {"Bell Rung": 2, "Door Opened": 1}


def test_a_batch_counts_what_it_took_and_names_what_it_did_not(app: patron.App) -> None:
    messages: list[dict[str, Any]] = [viewed(n) for n in range(1200)]
    messages[700] = {"type": "track", "event": "Nobody's"}
    messages.append(viewed(3))
    done = app.batch(messages)
    assert (done.accepted, done.duplicates, done.rejected) == (1199, 1, 1)
    assert done.faults[0].path.startswith("$.batch[700]")
    again = app.batch(messages)
    assert (again.accepted, again.duplicates) == (0, 1200)


def test_an_empty_batch_is_nothing(app: patron.App) -> None:
    assert app.batch([]).accepted == 0


def test_the_timeline_goes_on_over_pages_in_both_directions(app: patron.App) -> None:
    app.batch(viewed(n) for n in range(450))
    latest_first = [event["messageId"] for event in app.events("user_id:ana")]
    assert latest_first == [f"m{n}" for n in reversed(range(450))]
    earliest = app.events("user_id:ana", order="asc", event="Product Viewed")
    assert [event["messageId"] for event in islice(earliest, 2)] == ["m0", "m1"]
    assert list(app.events("user_id:ana", channel="pos")) == []


def test_numbers_of_numpy_and_times_with_a_zone_are_taken(app: patron.App) -> None:
    when = dt.datetime(2026, 5, 4, 12, tzinfo=dt.timezone(dt.timedelta(hours=2)))
    order = {"order_id": "1", "revenue": np.float64(9.5), "currency": "EUR", "items": np.int64(2)}
    app.track("ana", "Order Completed", order, timestamp=when)
    (event,) = app.events("user_id:ana")
    assert event["timestamp"] == "2026-05-04T10:00:00.000Z"
    assert event["properties"]["items"] == 2
    assert app.profile("user_id:ana")["totals"]["revenue"] == {"EUR": "9.50"}


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"event": "Seen", "timestamp": dt.datetime(2026, 5, 4)}, "bad_time"),  # noqa: DTZ001 - the point
        ({"event": "Seen", "properties": {"what": object()}}, "bad_json"),
        ({"event": "Seen", "properties": {"what": "\ud800"}}, "bad_json"),
        ({"event": "x" * 600}, "name_too_long"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_reason(
    app: patron.App, arguments: dict[str, Any], code: str
) -> None:
    with pytest.raises(errors.BadRequest) as caught:
        app.track("ana", **arguments)
    assert caught.value.code == code


def test_a_decision_is_recorded_and_follows_the_person(app: patron.App) -> None:
    app.identify("ana", {"first_name": "Ana"})
    choice = app.decide("web_home", user_id="ana")
    assert choice["action"]
    assert 0 < choice["propensity"] <= 1
    with pytest.raises(errors.BadRequest):
        app.decide("")


def test_erased_people_are_gone(app: patron.App) -> None:
    app.identify("ana", {"email": "ana@mail.example"})
    receipt = app.erase("user_id:ana")
    assert receipt["stores"]
    with pytest.raises(errors.Gone):
        app.profile("email:ana@mail.example")


def test_what_was_sent_is_there_when_it_is_opened_again(tmp_path: Path) -> None:
    with patron.open(tmp_path / "shop", create=True) as app:
        app.track("ana", "Bell Rung")
        before = app.profile("user_id:ana")
    with pytest.raises(errors.StorageError, match="Open it again"):
        app.profile("user_id:ana")
    app.close()
    with patron.open(tmp_path / "shop", create=True) as app:
        assert app.profile("user_id:ana") == before


def test_the_interpreter_is_left_as_it_was_found(tmp_path: Path) -> None:
    before = (gc.get_threshold(), sys.getswitchinterval(), threading.active_count())
    with patron.open(tmp_path / "shop", create=True) as app:
        app.track("ana", "Bell Rung")
    assert (gc.get_threshold(), sys.getswitchinterval(), threading.active_count()) == before


def test_it_works_beside_a_running_event_loop_and_from_many_threads(app: patron.App) -> None:
    async def notebook() -> None:
        app.track("ana", "Bell Rung")

    asyncio.run(notebook())
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: app.track("ana", "Bell Rung"), range(40)))
    assert app.profile("user_id:ana")["counters"] == {"Bell Rung": 41}


def test_a_folder_that_is_none_a_missing_source_and_a_second_open_say_what_to_do(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    with pytest.raises(errors.ConfigError, match="create=True"):
        patron.open(folder)
    patron.open(folder, create=True).close()
    with pytest.raises(errors.NotFound, match="patron source add till"):
        patron.open(folder, source="till")
    with (
        patron.open(folder),
        pytest.raises(errors.DirectoryLocked, match="open already in this process"),
    ):
        patron.open(folder)
    patron.open(folder).close()


def test_a_catalogue_that_cannot_be_used_leaves_the_directory_free(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    patron.open(folder, create=True).close()
    good = (folder / "catalogue.toml").read_text("utf-8")
    (folder / "catalogue.toml").write_text("nonsense = [", "utf-8")
    with pytest.raises(errors.PatronError):
        patron.open(folder)
    (folder / "catalogue.toml").write_text(good, "utf-8")
    patron.open(folder).close()


def test_a_script_that_forgets_to_close_ends_and_loses_nothing(tmp_path: Path) -> None:
    script = "import patron; a = patron.open('shop', create=True); a.track('ana', 'Bell Rung')"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    with patron.open(tmp_path / "shop") as app:
        assert app.profile("user_id:ana")["counters"] == {"Bell Rung": 1}


def test_a_served_directory_says_where_it_answers(server: Callable[..., PatronServer]) -> None:
    one = server()
    with pytest.raises(errors.DirectoryLocked) as caught:
        patron.open(one.data)
    assert one.url in str(caught.value)


def test_answers_equal_those_over_http(tmp_path: Path, server: Callable[..., PatronServer]) -> None:
    one = server()
    key = one.write_key("web", "web")
    one.track(
        key, {"type": "identify", "userId": "ana", "traits": {"email": "ana@mail.example"}, "messageId": "1"}
    )
    one.track(key, viewed(1, timestamp="2026-03-01T00:00:00Z"))
    url, headers = f"{one.url}/v1/profiles/user_id:ana", bearer(one.admin)
    said = [request("GET", url + part, headers=headers).json() for part in ("", "/events")]
    one.stop()
    with patron.open(one.data, source="web") as app:
        assert [app.profile("user_id:ana"), list(app.events("user_id:ana"))] == [said[0], said[1]["data"]]
