"""The list of all people: everybody exactly once, in an order that stays, within what the key may see."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from tests.flow.serving import PatronServer
from tests.flow.shop import Shop

NAMES = {f"listed-{n}" for n in range(23)}


def walk(server: PatronServer, limit: int, key: str | None = None) -> list[dict[str, Any]]:
    """All people, page after page."""
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        more = f"&cursor={quote(cursor)}" if cursor else ""
        reply = server.get(f"/v1/profiles?limit={limit}{more}", key)
        assert reply.status == 200, reply
        page = reply.json()
        assert len(page["data"]) <= limit
        found += page["data"]
        cursor = page["cursor"]
        if cursor is None:
            return found


def of(people: list[dict[str, Any]]) -> set[str]:
    return {i["value"] for p in people for i in p["identifiers"]} & NAMES


@pytest.fixture(scope="module")
def people(shop: Shop) -> Shop:
    """Twenty-three people who bought something, and a receipt of nobody."""
    orders = [
        {
            "type": "track",
            "event": "Order Completed",
            "userId": name,
            "properties": {"order_id": f"O-{name}", "revenue": 12.5, "currency": "EUR"},
        }
        for name in sorted(NAMES)
    ]
    orders.append(
        {**orders[0], "userId": None, "properties": {"order_id": "O-nobody", "revenue": 3, "currency": "GBP"}}
    )
    shop.server.track(shop.key, *orders)
    return shop


@pytest.mark.parametrize("limit", [1, 7, 1000])
def test_everybody_is_told_once_by_id(people, limit):
    told = walk(people.server, limit)
    assert [p["id"] for p in told] == sorted({p["id"] for p in told})
    assert of(told) == NAMES
    assert len(told) == people.server.get("/v1/profiles?limit=1").json()["total"]


def test_a_row_says_who_and_how_much(people):
    told = {i["value"]: p for p in walk(people.server, 1000) for i in p["identifiers"]}
    row, profile = told["listed-3"], people.server.profile("user_id:listed-3").json()
    assert row == {name: profile[name] for name in row}
    assert row["totals"]["gross"] == {"EUR": "12.50"}
    assert told["O-nobody"]["identifiers"][0]["type"] == "order_id"
    assert told["O-nobody"]["totals"]["orders"] == 1


def test_who_merges_is_told_once_and_a_walk_goes_on(people):
    server = people.server
    first = server.get("/v1/profiles?limit=5").json()
    rest, ids = [], {name: server.profile(f"user_id:{name}").json()["id"] for name in NAMES}
    last = max(ids, key=lambda name: ids[name])
    server.track(people.key, {"type": "page", "anonymousId": "listed-cookie"})
    answer = server.post(f"/v1/profiles/user_id:{last}/merge", {"other": "anonymous_id:listed-cookie"})
    assert answer.json()["joined"], answer
    cursor = first["cursor"]
    while cursor:
        page = server.get(f"/v1/profiles?limit=5&cursor={cursor}").json()
        rest += page["data"]
        cursor = page["cursor"]
    told = [*first["data"], *rest]
    assert of(told) == NAMES
    assert len({p["id"] for p in told}) == len(told)
    after = [p for p in walk(server, 1000) if any(i["value"] == "listed-cookie" for i in p["identifiers"])]
    assert [any(i["value"] == last for i in p["identifiers"]) for p in after] == [True]


def test_only_an_admin_key_lists_people(people):
    reader = people.server.secret("profiles:read")
    assert people.server.get("/v1/profiles", reader).status == 403
    assert people.server.get("/v1/profiles", "sk_none").status == 401


def test_a_narrow_key_sees_no_more_than_in_a_profile(people):
    body = {"name": "narrow-list", "scopes": ["admin"], "fields": ["*"], "masked": ["user_id"]}
    key = people.server.post("/v1/admin/keys", body).json()["key"]
    told = walk(people.server, 1000, key)
    assert not of(told)
    assert "l•••" in {i["value"] for p in told for i in p["identifiers"]}


@pytest.mark.parametrize(
    "query", ["cursor=x", "cursor=p_", "cursor=p_UPPERCASE1234567", "limit=0", "limit=1001", "limit=x"]
)
def test_what_is_no_cursor_or_limit_is_refused(people, query):
    reply = people.server.get(f"/v1/profiles?{query}")
    assert reply.status == 400, reply
    assert reply.json()["code"] in {"bad_cursor", "bad_query"}


def test_a_walk_goes_on_after_a_crash(server: Callable[..., PatronServer]) -> None:
    one = server()
    key = one.write_key("web")
    one.track(key, *[{"type": "page", "anonymousId": f"c{n}"} for n in range(30)])
    assert one.admin  # made before, so that both lists are of the same people
    whole = [p["id"] for p in walk(one, 1000)]
    first = one.get("/v1/profiles?limit=11").json()
    one.kill9()
    one.start()
    rest = one.get(f"/v1/profiles?limit=1000&cursor={first['cursor']}").json()
    assert [p["id"] for p in (*first["data"], *rest["data"])] == whole
    assert len(whole) == 30
