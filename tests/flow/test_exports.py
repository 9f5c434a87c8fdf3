"""Exports of a running workspace: to files and to a webhook, by API, within consents, and after an erasure."""

import asyncio
import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from patron.model.clock import MINUTE
from patron.runtime.exports import exporting
from tests.flow.inprocess import send, source
from tests.unit.serve.door import Door, door

BUYERS = {"name": "Buyers", "rule": {"kind": "did", "event": "Order Completed"}}


def bought(user: str) -> dict:
    return {"type": "track", "event": "Order Completed", "userId": user, "properties": {"order_id": f"o-{user}", "revenue": 5}, "messageId": f"o-{user}"}  # fmt: skip


def says(user: str, **traits) -> dict:
    return {
        "type": "identify",
        "userId": user,
        "traits": traits,
        "messageId": f"i-{user}-{len(traits)}-{traits.get('city')}",
    }


async def filled(at: Door) -> None:
    await source(at.backend, "shop")
    people = [
        says(u, city=c, email=f"{u}@mail.example")
        for u, c in (("anna", "Bari"), ("bo", "Rome"), ("cy", "Pisa"))
    ]
    refuses = {"type": "track", "event": "Consent Changed", "userId": "cy", "properties": {"purpose": "personalization", "granted": False}, "messageId": "c-cy"}  # fmt: skip
    await send(at.backend, "shop", [*people, bought("anna"), bought("cy"), refuses])
    await at.put("/v1/segments/buyers", BUYERS)
    while (await at.get("/v1/segments/buyers"))["status"][
        "state"
    ] == "filling" or at.backend.workspace.segments.waiting:
        await asyncio.sleep(0.01)


async def _post(at: Door, path: str, body: object) -> dict:
    status, value = await at.ask("POST", path, body)
    assert status == 200, value
    return value


def files(tmp_path: Path) -> dict[str, list[dict]]:
    found = sorted((tmp_path / "data" / "exports" / "buyers" / "files").glob("*.jsonl"))
    return {path.stem: [json.loads(line) for line in path.read_text().splitlines()] for path in found}


DEFINITION = {
    "name": "Buyers to the CRM",
    "segment": "buyers",
    "fields": ["identifiers.email", "traits.city", "segments"],
    "target": {"kind": "file", "format": "jsonl"},
}


def test_changes_and_everybody_in_files(tmp_path: Path):
    async def story() -> None:
        async with door(tmp_path / "data") as at:
            await filled(at)
            await at.put("/v1/exports/buyers", DEFINITION)
            first = await _post(at, "/v1/exports/buyers/run", {})
            assert (first["added"], first["changed"], first["removed"], first["error"]) == (1, 0, 0, "")
            (anna,) = files(tmp_path)["latest"]
            assert (anna["identifiers.email"], anna["traits.city"], anna["segments"]) == (
                "anna@mail.example",
                "Bari",
                ["buyers"],
            )
            await at.backend.step_clock(at.backend.workspace.clock.now() + 1000)
            await send(at.backend, "shop", [says("anna", city="Turin"), bought("bo")])
            second = await _post(at, "/v1/exports/buyers/run", {})
            assert (second["added"], second["changed"]) == (1, 1)
            assert [(r["change"], r["traits.city"]) for r in files(tmp_path)["buyers-2-0-changes"]] in (
                [("changed", "Turin"), ("added", "Rome")], [("added", "Rome"), ("changed", "Turin")],
            )  # fmt: skip
            third = await _post(at, "/v1/exports/buyers/run", {})
            assert (third["added"], third["changed"], third["removed"]) == (0, 0, 0)
            await at.ask("DELETE", "/v1/profiles/user_id:anna")
            text = b"".join(p.read_bytes() for p in (tmp_path / "data" / "exports").rglob("*") if p.is_file())
            assert b"anna" not in text
            assert b"Turin" not in text
            last = await _post(at, "/v1/exports/buyers/run", {})
            assert last["removed"] == 1
            assert anna["patron_id"].encode() not in b"".join(
                (tmp_path / "data" / "exports" / "buyers" / name).read_bytes() for name in ("told",)
            )

    asyncio.run(story())


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"fields": ["city"]}, "$.fields[0]"),
        ({"fields": ["computed.nothing"]}, "$.fields[0]"),
        ({"segment": "nobody"}, "$.segment"),
        (
            {"target": {"kind": "webhook", "url": "https://x.example", "secret_env": "NOT_SET_ANYWHERE"}},
            "$.target",
        ),
    ],
)
def test_what_cannot_be_run_is_refused_with_its_place(tmp_path: Path, change: dict, path: str):
    async def story() -> None:
        async with door(tmp_path / "data") as at:
            await filled(at)
            status, answer = await at.ask("PUT", "/v1/exports/buyers", {**DEFINITION, **change})
            assert status == 400
            assert [fault["path"] for fault in answer["faults"]] == [path]

    asyncio.run(story())


def test_a_webhook_gets_each_change_once_and_what_it_refuses_again(tmp_path: Path):
    seen: list[dict] = []

    class Crm(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            seen.append(body)
            failed = [{"id": c["id"], "reason": "no city"} for c in body["changes"] if len(seen) == 1]
            answer = json.dumps({"failed": failed}).encode()
            self.send_response(207)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Crm)
    thread = Thread(target=server.serve_forever)
    thread.start()

    async def story() -> None:
        async with door(tmp_path / "data") as at:
            await filled(at)
            target = {"kind": "webhook", "url": f"http://127.0.0.1:{server.server_port}/in"}
            await at.put("/v1/exports/hook", {**DEFINITION, "target": target})
            assert (await _post(at, "/v1/exports/hook/run", {}))["refused"] == 1
            assert (await _post(at, "/v1/exports/hook/run", {}))["added"] == 1
            await _post(at, "/v1/exports/hook/run", {})

    try:
        asyncio.run(story())
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert [body["batch"] for body in seen] == ["hook-1-0", "hook-2-0"]
    assert seen[1]["changes"][0]["values"]["traits.city"] == "Bari"


def test_a_run_comes_when_it_is_due(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(exporting, "TICK", 0.01)

    async def runs(at: Door, wanted: int) -> int:
        for _ in range(300):
            found = len((await at.get("/v1/exports/buyers/runs"))["data"])
            if found >= wanted:
                break
            await asyncio.sleep(0.01)
        return found

    async def story() -> None:
        async with door(tmp_path / "data") as at:
            await filled(at)
            await at.put("/v1/exports/buyers", {**DEFINITION, "every": 60})
            assert await runs(at, 1) == 1
            await at.backend.step_clock(at.backend.workspace.clock.now() + 59 * MINUTE)
            await asyncio.sleep(0.1)
            assert await runs(at, 1) == 1
            await at.backend.step_clock(at.backend.workspace.clock.now() + MINUTE)
            assert await runs(at, 2) == 2
        async with door(tmp_path / "data") as at:  # another process later: the definition is in the log
            assert (await at.get("/v1/exports"))["data"][0]["last"]["number"] == 2
            assert (await at.ask("DELETE", "/v1/exports/buyers"))[0] == 200
            assert not (tmp_path / "data" / "exports" / "buyers").exists()
            assert (await at.ask("POST", "/v1/exports/buyers/run", {}))[0] == 404

    asyncio.run(story())


def test_a_paused_export_waits_until_it_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(exporting, "TICK", 0.01)

    async def story() -> None:
        async with door(tmp_path / "data") as at:
            await filled(at)
            made = await at.put("/v1/exports/buyers", {**DEFINITION, "paused": True})
            assert made["due"] is None
            await asyncio.sleep(0.1)
            assert (await at.get("/v1/exports/buyers/runs"))["data"] == []
            assert (await _post(at, "/v1/exports/buyers/run", {}))["added"] == 1
            await at.backend.exports.pause("buyers", "test", paused=False)
            assert "paused" not in (await at.get("/v1/exports/buyers"))["definition"]
            await at.backend.step_clock(at.backend.workspace.clock.now() + 1440 * MINUTE)
            for _ in range(300):
                if len((await at.get("/v1/exports/buyers/runs"))["data"]) == 2:
                    break
                await asyncio.sleep(0.01)
            assert len((await at.get("/v1/exports/buyers/runs"))["data"]) == 2

    asyncio.run(story())


def test_another_place_is_told_of_everybody(tmp_path: Path):
    async def story() -> None:
        async with door(tmp_path / "data") as at:
            await filled(at)
            await at.put("/v1/exports/buyers", {**DEFINITION, "every": 44_000})
            await _post(at, "/v1/exports/buyers/run", {})
            await at.put("/v1/exports/buyers", {**DEFINITION, "target": {"kind": "webhook", "url": "http://127.0.0.1:9/x"}, "every": 44_000})  # fmt: skip
            await at.put("/v1/exports/buyers", {**DEFINITION, "every": 44_000})
            again = await _post(at, "/v1/exports/buyers/run", {})
            assert (again["number"], again["added"]) == (2, 1)

    asyncio.run(story())


def test_what_an_export_tells_of_is_not_removed(tmp_path: Path):
    async def story() -> None:
        async with door(tmp_path / "data") as at:
            await filled(at)
            await at.put("/v1/exports/buyers", DEFINITION)
            status, answer = await at.ask("DELETE", "/v1/segments/buyers")
            assert status == 409
            assert "export buyers uses it" in answer["message"]
            await at.ask("DELETE", "/v1/exports/buyers")
            assert (await at.ask("DELETE", "/v1/segments/buyers"))[0] == 200

    asyncio.run(story())
