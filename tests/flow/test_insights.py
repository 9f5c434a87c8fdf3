"""Ready questions by HTTP and on the command line, over the lake of a served shop."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.flow.serving import PatronServer, bearer, request, run_patron

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PatronServer]:
    server = PatronServer(tmp_path_factory.mktemp("insights") / "shop")
    server.init()
    server.start()
    key = server.write_key("web", "web")
    looked = [{"type": "track", "event": "Product Viewed", "userId": f"u{n}"} for n in range(8)]
    server.track(key, *looked)
    server.track(key, *[_order(n, ["tea", "milk"] if n < 3 else ["tea"]) for n in range(5)])
    run_patron("lake", "flush", "--data", str(server.data))
    yield server
    assert not server.close()


def _order(number: int, products: list[str]) -> dict[str, Any]:
    lines = [{"product_id": name, "price": 2.5, "quantity": 1} for name in products]
    properties = {"order_id": f"o{number}", "revenue": 2.5 * len(lines), "currency": "EUR", "products": lines}
    return {
        "type": "track",
        "event": "Order Completed",
        "userId": f"u{number}",
        "properties": properties,
    }


def ask(shop: PatronServer, kind: str, **options: Any) -> tuple[int, Any]:
    reply = shop.post("/v1/insights", {"kind": kind, "options": options})
    return reply.status, reply.json()


def test_each_question_has_its_answer(shop: PatronServer) -> None:
    status, funnel = ask(shop, "funnel", steps=["Product Viewed", "Order Completed"])
    assert status == 200
    assert [row[-2:] for row in funnel["rows"] if row[0] == "across"] == [[1, 8], [2, 5]]
    assert ask(shop, "pairs")[1]["rows"] == [["milk", "tea", 3, 3, 5]]
    assert sum(row[-1] for row in ask(shop, "rfm")[1]["rows"]) == 5
    assert ask(shop, "sessions")[1]["rows"][0][1:4] == [8, 8, 13]
    assert sum(row[1] for row in ask(shop, "paths", steps=2)[1]["rows"]) == 8
    assert ask(shop, "retention", start="Order Completed")[1]["rows"][0][1:] == [0, 5]


@pytest.mark.parametrize(
    ("kind", "options", "said"),
    [
        ("funnel", {}, "steps"),
        ("funnel", {"steps": ["Product Viewed"]}, "length >= 2"),
        ("pairs", {"days": -3}, ">= 1"),
        ("pairs", {"day": 3}, "day"),
        ("rfm", {"days": "soon"}, "int"),
    ],
)
def test_a_bad_option_is_named(shop: PatronServer, kind: str, options: dict[str, Any], said: str) -> None:
    status, answer = ask(shop, kind, **options)
    assert status == 400
    assert answer["code"] == "bad_question"
    assert said in answer["message"]


def test_only_insights_are_asked_and_only_by_who_may_read_the_lake(shop: PatronServer) -> None:
    assert ask(shop, "standings", segments=[])[0] == 400
    decide = shop.secret("decide")
    url = f"{shop.url}/v1/insights"
    assert request("POST", url, json.dumps({"kind": "rfm"}).encode(), bearer(decide)).status == 403


def test_the_command_line_prints_a_table(shop: PatronServer) -> None:
    told = run_patron("insight", "pairs", "--data", str(shop.data)).stdout
    assert told.splitlines()[0].split() == ["a", "b", "orders", "a_orders", "b_orders"]
    assert told.splitlines()[1].split()[:3] == ["milk", "tea", "3"]
    wrong = run_patron("insight", "funnel", "Product Viewed", "--data", str(shop.data), check=False)
    assert wrong.returncode == 2
    assert "at least two events" in wrong.stderr
