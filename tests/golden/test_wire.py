"""Requests as real clients write them (WIRE.md section 1), through the door: what they become, and what they get."""

import gzip
import json
from pathlib import Path

import msgspec
import pytest

from patron.collect.segment_api import Limits, Origin, ReadRules, read_batch
from tests.unit.collect.intake import NOW, call, door

FILES = sorted((Path(__file__).parent / "wire").glob("*.json"))


def send(app, request):
    body = json.dumps(request["body"]).encode()
    return call(
        app,
        "POST",
        request["path"],
        gzip.compress(body) if request.get("gzip") else body,
        headers=request["headers"],
        query=request.get("query", ""),
        key=None,
    )


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_a_client_delivers_by_changing_only_its_host(file):
    golden = json.loads(file.read_text())
    app, intake = door()
    for request in golden["requests"]:
        answer = send(app, request)
        assert answer.status == 200, "one SDK takes only 200 for success"
        assert answer.json["success"] is True
        assert int(answer.headers["patron-position"]) == answer.json["position"]
    assert intake.dead == []
    got = [
        {name: getattr(event, name) for name in want}
        for event, want in zip(intake.events, golden["events"], strict=True)
    ]
    assert got == golden["events"]


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_sending_everything_twice_leaves_one_of_each(file):
    golden = json.loads(file.read_text())
    app, intake = door()
    for request in golden["requests"] * 2:
        send(app, request)
    assert len(intake.events) == len(golden["events"])


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_the_log_gives_the_same_events_again(file):
    app, intake = door()
    for request in json.loads(file.read_text())["requests"]:
        send(app, request)
    again, position = [], 0
    for route, body in intake.bodies:
        batch = read_batch(body, route, Origin("shop", "web"), NOW, position + 1, Limits(), ReadRules(), {})
        again += [e for e in batch.events if e.uid not in {a.uid for a in again}]
        position += batch.count
    assert msgspec.to_builtins(again) == msgspec.to_builtins(intake.events)


def test_every_client_of_the_table_is_here():
    assert {f.stem for f in FILES} >= {
        "segment-analytics-python-2.4.0", "segment-analytics-python-2.2.3", "rudder-sdk-python-2.1.9",
        "segment-analytics-node-3.1.0", "segment-analytics-node-1.1.0", "rudder-sdk-node-3.0.13",
        "segment-analytics-next-1.84.3-standard", "segment-analytics-next-1.84.3-batching",
        "segment-analytics-next-1.55.0",
    }  # fmt: skip
