"""A server killed in the middle of a load: what was said to be loaded is there, and loading again completes it."""

import http.client
import json
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.flow.serving import PatronServer, bearer, request

CATALOGUE = '[[offer]]\nid = "beans"\nname = "Beans"\npurpose = "service"\ncontent = {sku = "P1"}\n'


def eligible(patron: PatronServer, store: str) -> list[str]:
    asked = {"placement": "kiosk", "anonymousId": "k", "channel": "kiosk", "context": {"store": store}}
    reply = patron.post("/v1/decide", asked, patron.admin)
    assert reply.status == 200, reply
    return list(reply.json()["eligible"])


@pytest.mark.slow
def test_a_load_cut_off_by_sigkill_is_completed_by_loading_again(server: Callable[..., PatronServer]) -> None:
    patron = server()
    rows = [[f"S{n % 100}", f"P{n // 100}", n % 5] for n in range(40_000)]
    body: dict[str, Any] = {"columns": ["store", "product_id", "quantity"], "rows": rows}
    first = patron.post("/v1/feeds/stock", {**body, "rows": rows[:1_000]}, patron.admin).json()
    assert first["added"] == 1_000
    answers: list[Any] = []

    def load() -> None:
        try:
            answers.append(patron.post("/v1/feeds/stock", body, patron.admin))
        except (OSError, http.client.HTTPException) as error:
            answers.append(error)

    loading = threading.Thread(target=load)
    loading.start()
    until = time.monotonic() + 30
    while patron.status()["applied"] < first["position"] + 3 and time.monotonic() < until:
        time.sleep(0.005)
    patron.kill9()
    loading.join(60)
    patron.restart()
    stock = patron.get("/v1/feeds", patron.admin).json()["data"][0]
    assert 1_000 < stock["versions"] < 40_000, "it was killed on the way"
    again = patron.post("/v1/feeds/stock", body, patron.admin).json()
    assert again["added"] == 40_000 - stock["versions"]
    assert again["unchanged"] == stock["versions"]
    for key, value in (("S0/P0", 0), ("S99/P399", 4)):
        found = patron.get(f"/v1/feeds/stock?key={key}", patron.admin).json()
        assert found["data"][0]["values"] == {"quantity": value}


def test_stock_pushed_over_http_stops_an_offer_in_that_store_at_once(
    server: Callable[..., PatronServer],
) -> None:
    patron = server()
    text = json.dumps({"text": CATALOGUE})
    put = request("PUT", f"{patron.url}/v1/admin/catalogue", text, bearer(patron.admin))
    assert put.status == 200, put
    assert "beans" in eligible(patron, "S1")
    done = patron.post(
        "/v1/feeds/stock", {"rows": [{"store": "S1", "sku": "P1", "quantity": 0}]}, patron.admin
    )
    assert done.json()["added"] == 1, done
    here, there = eligible(patron, "S1"), eligible(patron, "S2")
    assert "beans" not in here
    assert "beans" in there
