"""`POST /v1/decide` and `/v1/outcomes` as strangers use them: bad input, public keys, and outcomes by decision id."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.flow.serving import PatronServer, Reply, basic, bearer, request, run_patron

DAY = "2020-01-01"
CATALOGUE = f"""
[[offer]]
id = "tea"
name = "Tea"
content = {{ title = "Tea" }}

[[offer]]
id = "over"
name = "Over since long"
valid_until = {DAY}

[[offer]]
id = "bought"
name = "For who bought"
conditions = [{{ field = "totals.orders", op = ">=", value = 1 }}]

[[offer]]
id = "hot"
name = "When it is hot"
conditions = [{{ field = "context.degrees", op = ">", value = 30 }}]

[[placement]]
id = "home"
name = "Home"
channel = "web"
slots = 5

[[placement]]
id = "shop"
name = "In the shop"
channel = "pos"
reward = "order"

[[placement]]
id = "shut"
name = "Shows nothing that there is"
channel = "web"
needs = ["poem"]
"""


class Door:
    """A server with this catalogue and nobody held out."""

    def __init__(self, server: PatronServer) -> None:
        self.server = server
        self.key = server.write_key("web", "web")
        assert self.load(CATALOGUE).status == 200

    def load(self, text: str) -> Reply:
        url = f"{self.server.url}/v1/catalogue"
        return request("PUT", url, json.dumps({"text": text}), bearer(self.server.admin))

    def ask(self, body: Any, key: str = "") -> Reply:
        text = body if isinstance(body, bytes | str) else json.dumps(body)
        headers = basic(key) if key else bearer(self.server.admin)
        return request("POST", f"{self.server.url}/v1/decide", text, headers)

    def tell(self, key: str = "", **outcome: Any) -> Reply:
        headers = basic(key) if key else bearer(self.server.admin)
        return request("POST", f"{self.server.url}/v1/outcomes", json.dumps(outcome), headers)

    def reward(self, decision: str) -> tuple[bool, dict[str, int], list[str]]:
        view = self.server.get(f"/v1/decisions/{decision}").json()
        return view["outcome"]["shown"] is not None, view["outcome"]["revenue"], view["outcome"]["orders"]

    def learned(self, placement: str) -> float:
        view = self.server.get(f"/v1/placements/{placement}/policy").json()
        return round(sum(arm["rewarded"] * arm["decisions"] for arm in view["arms"]), 6)


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    one = PatronServer(tmp_path_factory.mktemp("door") / "shop", env={"PATRON_DECIDE_HOLDOUT": "0"})
    one.init()
    one.start()
    try:
        yield Door(one)
    finally:
        assert not one.close()


def _is_clear(reply: Reply, *statuses: int) -> None:
    """A refusal that says what to do."""
    assert reply.status in (statuses or (400,)), reply
    told = reply.json()
    assert set(told) >= {"code", "message"}
    assert len(told["message"]) > 15, told


WRONG: list[tuple[Any, int]] = [
    ("", 400),
    ("null", 400),
    ("[]", 400),
    ("{", 400),
    ('{"placement":"home","context":{"degrees":NaN}}', 400),
    ('{"placement":"home","context":{"degrees":Infinity}}', 400),
    ('{"placement":"home","context":{"degrees":1e400}}', 400),
    (b'{"placement":"\xff"}', 400),
    ('{"placement":"\\ud800"}', 400),
    ('{"placement":"home","context":' + '{"a":' * 2_000 + "1" + "}" * 2_000 + "}", 400),
    ({"placement": ""}, 400),
    ({"placement": "hom"}, 400),
    ({"placement": "h" * 600}, 400),
    ({"placement": "home\0"}, 400),
    ({"placement": "home", "userId": "u" * 600}, 400),
    ({"placement": "home", "channel": "c" * 600}, 400),
    *(({"placement": wrong}, 400) for wrong in (5, None, True, ["home"], {"id": "home"})),
    *(({"placement": "home", "context": wrong}, 400) for wrong in (5, None, "x", ["x"], True)),
    *(({"placement": "home", "count": wrong}, 400) for wrong in (0, -1, 51, 10**30, 1.5, "5", None, [])),
    *(({"placement": "home", "userId": wrong}, 400) for wrong in (5, True, ["u"], {"id": "u"})),
    *(({"placement": "home", "anonymousId": wrong}, 400) for wrong in (5, True, ["u"], {"id": "u"})),
    *(({"placement": "home", "channel": wrong}, 400) for wrong in (5, ["web"], {})),
    *(({"placement": "home", "userHash": wrong}, 400) for wrong in (5, None, [])),
    ({}, 400),
    *(
        ({"placements": wrong}, 400)
        for wrong in (5, "home", [], [""], ["home", ""], [5], ["home", "hom"], ["home\0"], ["home"] * 9)
    ),
    *(({"placements": ["home"], **more}, 400) for more in ({"placement": "home"}, {"channel": "web"})),
    ({"placements": ["home", "shop"]}, 400),
    ({"placement": "home", "context": {"note": "x" * 1_000_000}}, 413),
    ({"placement": "home", "context": {f"k{n}": n for n in range(100_000)}}, 413),
    ({"placement": "home", "context": {"note": "x" * 9_000_000}}, 413),
]
HOSTILE = [
    "'; DROP TABLE people; --",
    "<script>alert(1)</script>",
    "{totals.orders}",
    "{{7*7}}",
    "../../etc/passwd",
    "\u202e",
    "%00",
]
ODD: list[dict[str, Any]] = [
    {"degrees": value}
    for value in (None, True, "40", [40], {"a": 1}, 10**400, -(10**400), 1e308, "x" * 10_000, "NaN", "\u0000")
] + [
    {"cart": cart} for cart in (5, "x", [None, 5, [], {}, {"product_id": 7}, {"product_id": "p", "price": {}}], [[[]]] * 500, {"a": 1})
] + [
    {name: value} for name in ("store_id", "weather", "timezone", "language", "locale", "externalIds", "userHash", "hour")
    for value in (5, True, [], {}, [5], [{"type": 5, "id": []}], [{"type": "email", "id": {}}], *HOSTILE)
]  # fmt: skip


def test_what_cannot_be_understood_is_refused_with_what_to_do(door: Door) -> None:
    for body, status in WRONG:
        _is_clear(door.ask(body), status)
    assert "did you mean `home`" in door.ask({"placement": "hom"}).json()["message"]
    assert "count" in door.ask({"placement": "home", "count": "5"}).json()["message"]
    mixed = door.ask({"placements": ["home", "shop"]}).json()["message"]
    assert mixed.endswith(
        "different successes (click within a week, order within a week), so their scores do not compare: ask for each by itself."
    ), mixed
    one = door.ask({"placements": ["home"], "anonymousId": "one"}).json()
    assert (one["placement"], one["channel"]) == ("home", "web")
    for places in (["shop"], ["shop", "shop"]):
        one = door.ask({"placements": places, "anonymousId": "one"}, door.key).json()
        assert (one["placement"], one["channel"]) == ("shop", "pos"), "its own channel, not the source's"
    _is_clear(door.ask({"placement": "home"}, "wk_unknown"), 401)


def test_odd_values_are_answered_as_if_unknown(door: Door) -> None:
    for key in ("", door.key):
        for context in ODD:
            reply = door.ask({"placement": "home", "anonymousId": "odd", "context": context}, key)
            assert reply.status == 200, (context, reply)
            assert set(reply.json()["eligible"]) <= {"tea", "nothing", "hot"}
            assert "hot" not in reply.json()["eligible"] or isinstance(context.get("degrees"), int | float)
    for text in HOSTILE:
        reply = door.ask({"placement": "home", "anonymousId": text, "userId": text, "context": {text: text}})
        assert reply.status == 200, reply
    assert "hot" in door.ask({"placement": "home", "context": {"degrees": 31}}).json()["eligible"]
    assert "fault in" not in door.server.stderr_tail(10_000)


def test_where_nothing_may_be_shown_nothing_is_shown_and_each_offer_says_why(door: Door) -> None:
    shut = door.ask({"placement": "shut", "anonymousId": "d1"}).json()
    assert (shut["action"], shut["propensity"], shut["eligible"]) == ("nothing", 1.0, ["nothing"])
    assert shut["reasons"] == ["Nothing else was allowed here and now"]
    drops = door.server.get(f"/v1/decisions/{shut['decisionId']}").json()["decision"]["dropped"]
    assert {drop["offer"] for drop in drops} == {"tea", "over", "bought", "hot"}
    assert all(drop["gate"] == "placement" and drop["reason"] for drop in drops)
    home = door.ask({"placement": "home", "anonymousId": "d1"}).json()
    drops = door.server.get(f"/v1/decisions/{home['decisionId']}").json()["decision"]["dropped"]
    assert {(drop["offer"], drop["gate"]) for drop in drops} == {
        ("over", "validity"),
        ("bought", "conditions"),
        ("hot", "conditions"),
    }
    assert next(drop["reason"] for drop in drops if drop["offer"] == "over") == "Ended on 1 January 2020"


def test_formulas_that_divide_by_zero_and_empty_catalogues_give_nothing_and_say_so(door: Door) -> None:
    try:
        assert door.load(CATALOGUE + '\n[scoring]\nformula = "value / (cost - cost)"\n').status in (200, 400)
        assert door.load(CATALOGUE + '\n[scoring]\nformula = "propensity / cost"\n').status == 200
        made = door.ask({"placement": "home", "anonymousId": "d2"})
        assert made.status == 200, made
        assert (made.json()["action"], made.json()["eligible"]) == ("nothing", ["nothing"])
        drops = door.server.get(f"/v1/decisions/{made.json()['decisionId']}").json()["decision"]["dropped"]
        assert ("tea", "The formula gives it no number") in {(d["offer"], d["reason"]) for d in drops}
        for text in ("", '[[placement]]\nid = "home"\nname = "Home"\n'):
            assert door.load(text).status == 200
            made = door.ask({"placement": "home", "anonymousId": "d2"})
            assert (made.status, made.json()["action"], made.json()["propensity"]) == (200, "nothing", 1.0)
    finally:
        assert door.load(CATALOGUE).status == 200


def test_a_write_key_asks_for_its_own_device_or_for_whom_it_proves(door: Door) -> None:
    order = {"order_id": "o-1", "revenue": 10, "currency": "EUR"}
    door.server.track(
        door.server.write_key("pos", "till", "--assurance", "verified"),
        {
            "type": "track",
            "event": "Order Completed",
            "userId": "victim",
            "messageId": "o1",
            "properties": order,
        },
    )
    assert "bought" in door.ask({"placement": "home", "userId": "victim"}).json()["eligible"]
    refused = door.ask({"placement": "home", "userId": "victim"}, door.key)
    _is_clear(refused, 403)
    assert refused.json()["code"] == "unproved_user"
    for hashed in ("00", "x" * 64, "é"):
        body = {"placement": "home", "userId": "victim", "userHash": hashed}
        assert door.ask(body, door.key).json()["code"] == "bad_user_hash"
        body = {"placement": "home", "userId": "victim", "anonymousId": "d", "context": {"userHash": hashed}}
        assert door.ask(body, door.key).status == 403
    for who in (
        {"anonymousId": "stranger", "userId": "victim"},
        {"anonymousId": "stranger", "context": {"externalIds": [{"type": "user_id", "id": "victim"}]}},
        {"anonymousId": "stranger", "context": {"externalIds": [{"type": "email", "id": "v@mail.example"}]}},
    ):
        assert "bought" not in door.ask({"placement": "home", **who}, door.key).json()["eligible"]
    secret = run_patron("source", "secret", "web", "--data", str(door.server.data)).stdout.strip()
    proof = hmac.new(secret.encode(), b"victim", hashlib.sha256).hexdigest()
    for body in ({"userHash": proof}, {"userHash": proof.upper()}, {"context": {"userHash": proof}}):
        made = door.ask({"placement": "home", "userId": "victim", **body}, door.key)
        assert "bought" in made.json()["eligible"], made
    assert door.server.get("/v1/profiles/user_id:victim", door.key).status == 401
    assert door.server.get("/v1/admin/sources/web/secret", door.server.secret("decide")).status == 403


def test_outcomes_by_decision_id_count_once_and_can_be_taken_back(door: Door) -> None:
    at_home = door.ask({"placement": "home", "anonymousId": "buyer"}).json()["decisionId"]
    in_shop = door.ask({"placement": "shop", "anonymousId": "buyer"}).json()["decisionId"]
    for _ in range(2):
        told = door.tell(decisionId=at_home, kind="click", id="c1")
        assert told.status == 200, told
    assert (told.json()["event"], told.json()["accepted"]) == ("Offer Clicked", False)
    assert door.learned("home") == 1
    assert door.tell(decisionId=at_home, kind="view", id="v1").json()["accepted"] is True
    assert door.reward(at_home)[0]
    assert door.tell(decisionId=at_home, kind="click", id="c1", void=True).status == 200
    assert door.learned("home") == 0
    for _ in range(2):
        assert door.tell(decisionId=in_shop, kind="order", id="b1", value=12.5, currency="EUR").status == 200
    assert door.learned("shop") == 1
    assert door.reward(in_shop)[1] == {"EUR": 125_000}
    back = {"decisionId": in_shop, "kind": "order", "orderId": "outcome-b1", "currency": "EUR"}
    assert door.tell(**back, id="b2", value=-2.5).json()["event"] == "Order Refunded"
    assert door.reward(in_shop)[1] == {"EUR": 100_000}
    assert (
        door.tell(decisionId=in_shop, kind="order", id="b1", void=True).json()["event"] == "Order Cancelled"
    )
    assert door.learned("shop") == 0
    assert door.reward(in_shop)[1] == {}
    names = [event["event"] for event in door.server.events("anonymous_id:buyer")]
    assert sorted(names) == sorted(["Offer Clicked", "Offer Shown", "Outcome Retracted", "Order Completed", "Order Refunded", "Order Cancelled"])  # fmt: skip


def test_an_ask_over_placements_is_as_many_messages_of_the_rate(door: Door) -> None:
    many = {"placements": [f"home{n}" for n in range(8)], "anonymousId": "slow"}
    key = door.server.write_key("web", "slower", "--rate", "1")
    assert door.ask(many, key).status == 400
    assert door.ask({"placement": "home", "anonymousId": "slow"}, key).status == 429
    key = door.server.write_key("web", "slowest", "--rate", "1")
    assert door.ask(many | {"placements": ["home"] * 8}, key).status == 200
    assert door.ask({"placement": "home", "anonymousId": "slow"}, key).status == 200


def test_a_write_key_tells_outcomes_of_its_own_device_only(door: Door) -> None:
    mine = door.ask({"placement": "home", "anonymousId": "me"}, door.key).json()["decisionId"]
    assert door.tell(door.key, decisionId=mine, kind="click", id="m1", anonymousId="me").status == 200
    for who in ({"anonymousId": "other"}, {}):
        _is_clear(door.tell(door.key, decisionId=mine, kind="click", id="m2", **who), 404)
    _is_clear(door.tell(door.key, decisionId=mine, kind="click", id="m2", userId="me"), 403)
    _is_clear(door.tell("wk_unknown", decisionId=mine, kind="click", id="m2"), 401)
    wrong: list[dict[str, Any]] = [
        {}, {"kind": "sneeze"}, {"id": ""}, {"id": "x" * 500}, {"id": "a\nb"}, {"kind": "order"}, {"kind": "refund", "value": 1},
        {"value": "5"}, {"decisionId": 5}, {"time": "yesterday"}, {"time": "2999-01-01T00:00:00Z"}, {"kind": "dismiss", "void": True},
        {"void": "yes"}, {"kind": "unsubscribe", "void": True}, {"amount": 5}, {"kind": None},
    ]  # fmt: skip
    fine = {"decisionId": mine, "kind": "click", "id": "m3"}
    for change in wrong:
        body = {**fine, **change} if change else {}
        _is_clear(door.tell(**body), 400)
    _is_clear(door.tell(**fine | {"decisionId": "d_none"}), 404)
    nobody = door.ask({"placement": "home"}).json()["decisionId"]
    _is_clear(door.tell(decisionId=nobody, kind="click", id="n1"), 400)
    assert door.tell(decisionId=nobody, kind="click", id="n1", anonymousId="screen-1").status == 200
    replay = door.server.post("/v1/admin/replay").json()
    assert replay.get("equal") is True, replay
    assert "fault in" not in door.server.stderr_tail(10_000)


def test_asks_and_outcomes_are_messages_of_the_rate_of_their_write_key(door: Door) -> None:
    key = door.server.write_key("web", "slow", "--rate", "1")
    mine = door.ask({"placement": "home", "anonymousId": "slow"}).json()["decisionId"]
    told = {"decisionId": mine, "kind": "click", "anonymousId": "slow"}
    assert door.tell(key, **told, id="r1").status == 200
    pages = [{"type": "page", "anonymousId": "slow", "messageId": f"slow-{n}"} for n in range(60)]
    batch = json.dumps({"batch": pages})
    assert request("POST", f"{door.server.url}/v1/batch", batch, basic(key)).status == 200
    reply = door.tell(key, **told, id="r2")
    assert (reply.status, reply.json()["code"]) == (429, "rate_limited")
    assert 30 < int(reply.headers["retry-after"]) <= 61
    asked = door.ask({"placement": "home", "anonymousId": "slow"}, key)
    assert (asked.status, asked.json()["code"]) == (429, "rate_limited"), "asks count, too"
    assert door.ask({"placement": "home", "anonymousId": "slow"}).status == 200
    assert door.tell(door.key, **told, id="r2").status == 200
    assert door.tell(**told, id="r3").status == 200


def test_a_kiosk_becomes_personal_in_the_same_visit_once_somebody_says_who_they_are(door: Door) -> None:
    till = door.server.write_key("pos", "desk", "--assurance", "verified")
    order = {"order_id": "o-9", "revenue": 10, "currency": "EUR"}
    known = {
        "type": "track",
        "event": "Order Completed",
        "userId": "vera",
        "properties": order,
        "messageId": "o9",
    }
    named = {
        "type": "identify",
        "userId": "vera",
        "traits": {"email": "vera@mail.example"},
        "messageId": "o8",
    }
    door.server.track(till, named, known)
    ask = {"placement": "home", "anonymousId": "kiosk-visit-1", "context": {"degrees": 33}}
    nobody = door.ask(ask).json()["eligible"]
    assert "hot" in nobody
    assert "bought" not in nobody
    door.server.track(till, {**named, "userId": None, "anonymousId": "kiosk-visit-1", "messageId": "o7"})
    assert "bought" in door.ask(ask).json()["eligible"]


def test_a_preview_says_what_would_be_shown_and_does_nothing(door: Door) -> None:
    key = door.server.secret("profiles:read")
    door.server.track(door.key, {"type": "page", "anonymousId": "looked-at"})
    door.ask({"placement": "home", "anonymousId": "looked-at"})
    decisions = "/v1/profiles/anonymous_id:looked-at/decisions"
    before = door.server.get(decisions).json()
    assert len(before["data"]) == 1
    seen = door.server.post(
        "/v1/preview", {"person": "anonymous_id:looked-at", "context": {"degrees": 40}}, key
    )
    assert seen.status == 200, seen
    places = {row["placement"]: row["view"]["decision"] for row in seen.json()["places"]}
    assert set(places) == {"home", "shop", "shut"}
    assert set(places["home"]["eligible"]) == {"tea", "hot", "nothing"}
    assert places["home"]["propensity"] >= 1 / 3
    assert {drop["offer"] for drop in places["home"]["dropped"]} == {"over", "bought"}
    assert door.server.get(decisions).json() == before
    assert door.server.get(f"/v1/decisions/{places['home']['id']}").status == 404
    narrow = door.server.post(
        "/v1/admin/keys", {"name": "narrow-look", "scopes": ["profiles:read"], "fields": ["city"]}
    ).json()["key"]
    _is_clear(door.server.post("/v1/preview", {"person": "anonymous_id:looked-at"}, narrow), 403)
    _is_clear(door.server.post("/v1/preview", {"person": "user_id:none"}, key), 404)
    for wrong in ({"hour": 24}, {"hour": "9"}, {"placement": "hom"}, {"context": 5}, {"who": "x"}):
        _is_clear(door.server.post("/v1/preview", wrong, key), 400)
    told = run_patron("placement", "preview", "--hour", "9", "--data", str(door.server.data)).stdout
    assert "home" in told
