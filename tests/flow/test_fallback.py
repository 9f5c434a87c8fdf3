"""A touchpoint goes on while Patron is away, and what it showed is credited when Patron is back: once, and truly."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from patron.cli.touchpoint import QUEUE, Touchpoint, drawn, exposure
from tests.flow.serving import PatronServer, basic, bearer, request, run_patron

CATALOGUE = """
[[offer]]
id = "coffee"
name = "Coffee"
content = { title = "A coffee", price = "2.00" }

[[offer.variant]]
languages = ["it"]
content = { title = "Un caffè" }

[[offer]]
id = "rain"
name = "Come in from the rain"
conditions = [{ field = "context.weather", op = "=", value = "rain" }]

[[offer]]
id = "coupon"
name = "One of a hundred"
stock = 100

[[offer]]
id = "known"
name = "For who bought"
conditions = [{ field = "totals.orders", op = ">=", value = 1 }]

[[placement]]
id = "kiosk"
name = "Kiosk"
channel = "kiosk"
reward = "order"

[[placement]]
id = "till"
name = "Till"
channel = "pos"
fallback = "coffee"

[[placement]]
id = "push"
name = "Push"
channel = "push"
outbound = true
"""
DEVICES = 30


def _bundle(server: PatronServer, placement: str, key: str, **headers: str) -> Any:
    return request("GET", f"{server.url}/v1/fallback/{placement}", headers={**basic(key), **headers})


def _order(device: str, day: str) -> dict[str, Any]:
    bought = {"order_id": f"o-{device}", "revenue": 9.5, "currency": "EUR"}
    return {
        "type": "track", "event": "Order Completed", "anonymousId": device, "messageId": f"order-{device}", "timestamp": day,
        "properties": bought,
    }  # fmt: skip


def _letters(server: PatronServer) -> dict[str, int]:
    counts: dict[str, int] = server.get("/v1/admin/deadletters").json()["counts"]
    return counts


def test_a_touchpoint_goes_on_alone_and_is_credited_later(
    server: Callable[..., PatronServer], tmp_path: Path
) -> None:
    one = server()
    assert (
        request("PUT", f"{one.url}/v1/catalogue", json.dumps({"text": CATALOGUE}), bearer(one.admin)).status
        == 200
    )
    key, other = one.write_key("kiosk"), one.write_key("pos")

    # the bundle: signed, cached, without what cannot be promised to people nobody knows
    first = _bundle(one, "kiosk", key)
    assert first.status == 200, first
    assert "max-age=" in first.headers["cache-control"]
    again = _bundle(one, "kiosk", key, **{"If-None-Match": first.headers["etag"]})
    assert (again.status, again.body) == (304, b"")
    held = json.loads(first.json()["bundle"])
    assert set(held["offers"]) == {"coffee", "rain"}
    assert len(first.body) < 20_000
    for row in held["tables"]:
        assert abs(sum(row["chances"]) - 1) < 1e-9
        assert row["choices"][-1] == "nothing"
    till = json.loads(_bundle(one, "till", other).json()["bundle"])
    assert {tuple(row["choices"]) for row in till["tables"]} == {("coffee", "nothing")}
    assert {tuple(row["chances"]) for row in till["tables"]} == {(1.0, 0.0)}
    assert _bundle(one, "kiosk", "wk_wrong").status == 401
    assert _bundle(one, "kiosc", key).json()["message"].endswith("did you mean `kiosk`?")
    assert _bundle(one, "push", key).json()["code"] == "no_fallback"
    assert _bundle(one, "kiosk?channel=pigeon", key).status == 400

    at = ("--key", key, "--folder", str(tmp_path / "cli"))
    assert (
        "0 exposures were delivered" in run_patron("fallback", "get", "kiosk", "--url", one.url, *at).stdout
    )
    assert "coffee:" in run_patron("fallback", "show", "kiosk", *at).stdout
    assert run_patron("fallback", "show", "till", "--key", other, *at[2:], check=False).returncode == 3

    # away: the kiosk answers from what it holds, also after its own restart
    kiosk = Touchpoint(one.url, key, "kiosk", tmp_path / "kiosk")
    assert kiosk.refresh(60)
    assert kiosk.refresh(60), "held already"
    live = kiosk.ask("live", {"weather": "rain"}, seconds=30)
    assert not live.alone
    one.kill9()
    kiosk = Touchpoint(one.url, key, "kiosk", tmp_path / "kiosk")
    shown = {f"d{n}": kiosk.ask(f"d{n}", {"weather": "rain", "language": "it-CH"}) for n in range(DEVICES)}
    assert all(answer.alone and answer.decision for answer in shown.values())
    assert {answer.action for answer in shown.values()} == {"coffee", "rain", "nothing"}
    assert {a.content["title"] for a in shown.values() if a.action == "coffee"} == {"Un caffè"}
    assert kiosk.ask("d0", held_out=True).action == "nothing"
    assert kiosk.deliver() == 0, "nobody is there"
    stolen = Touchpoint(one.url, other, "kiosk", tmp_path / "kiosk")
    assert stolen.bundle() is None, "signed for another key"

    # back: delivered twice, and by a copy of the queue under other message ids; an order was there before
    one.start()
    one.track(key, _order("d0", "2030-01-01T00:00:00Z") | {"timestamp": None})
    before = len(one.get("/v1/profiles/anonymous_id:d0/decisions").json()["data"])
    assert before == 0
    shutil.copy(tmp_path / "kiosk" / QUEUE, tmp_path / "queue")
    assert kiosk.deliver(60) == DEVICES
    shutil.copy(tmp_path / "queue", tmp_path / "kiosk" / QUEUE)
    assert kiosk.deliver(60) == DEVICES
    copies = [json.loads(line) for line in (tmp_path / "queue").read_text().splitlines() if line]
    one.track(key, *[{**copy, "messageId": f"copy-{copy['messageId']}"} for copy in copies])
    one.track(key, *[_order(f"d{n}", "") | {"timestamp": None} for n in range(1, 5)])
    for device, answer in shown.items():
        (view,) = one.get(f"/v1/profiles/anonymous_id:{device}/decisions").json()["data"]
        made = view["decision"]
        assert (made["id"], made["action"], made["policy"]) == (answer.decision, answer.action, "fallback-1")
        assert abs(made["propensity"] - answer.propensity) < 1e-9
        assert made["placement"] == "kiosk"
        assert (view["outcome"]["shown"] is not None) is (answer.action != "nothing")
        assert bool(view["outcome"]["orders"]) == (device in {"d0", "d1", "d2", "d3", "d4"})
    policy = one.get("/v1/placements/kiosk/policy").json()
    assert policy["policies"]["fallback-1"] == DEVICES
    assert round(sum(a["rewarded"] * a["decisions"] for a in policy["arms"]), 6) == 5, (
        "one each for d0 to d4, also where it came first"
    )
    assert not _letters(one)

    # what cannot be true is refused, each with its reason
    now = held["issued"] + 60_000
    fine = drawn(held, now, "f_" + "ab" * 12)
    lies: list[dict[str, Any]] = []

    def lie(name: str, seconds: float = now / 1_000, **changed: Any) -> None:
        told = exposure(fine, "liar", "kiosk", seconds, {})
        lies.append(told | {"messageId": name, "properties": {**told["properties"], **changed}})

    lie("other-action", action="rain" if fine.action != "rain" else "coffee")
    lie("other-chance", propensity=0.999)
    lie("cut-seal", bundle_seal=fine.seal[:-4])
    lie("no-seal", bundle_seal="")
    lie("odd-seal", bundle_seal=5)
    lie("bad-id", decision_id="f_1")
    lie("live-id", decision_id=live.decision)
    lie("of-somebody", decision_id=shown["d1"].decision, action=shown["d1"].action, bundle_seal=shown["d1"].seal,
        propensity=shown["d1"].propensity)  # fmt: skip
    lie("too-early", seconds=held["issued"] / 1_000 - 3_600)
    one.track(key, *lies)
    assert _letters(one) == {"bad_bundle": len(lies) - 1, "bundle_expired": 1}
    assert one.get("/v1/profiles/anonymous_id:liar").status == 404
    replay = one.post("/v1/admin/replay").json()
    assert replay.get("equal") is True, replay
