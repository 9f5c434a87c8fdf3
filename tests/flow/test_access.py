"""Who may do what over HTTP: scoped keys, public keys, two listeners, and the names a console answers to."""

import http.client
import json
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.flow.serving import PatronServer, Reply, basic, bearer, free_port, request, run_patron
from tests.flow.shop import PASSWORD, Shop, sign_in

MASKED = "•••"


@pytest.fixture(scope="module")
def anna(shop: Shop) -> str:
    """A person seen by two sources: `web` (public) and `till`."""
    till = shop.server.write_key("pos", "till", "--assurance", "verified")
    traits = {"first_name": "Anna", "email": "anna@mail.example", "city": "Bologna", "iban": "IT60X"}
    shop.server.track(
        shop.key,
        {
            "type": "identify",
            "userId": "anna",
            "anonymousId": "dev-anna",
            "traits": traits,
            "messageId": "w1",
        },
    )
    order = {"order_id": "o-77", "revenue": 12.5, "currency": "EUR"}
    shop.server.track(
        till,
        {
            "type": "track",
            "event": "Order Completed",
            "userId": "anna",
            "properties": order,
            "messageId": "t1",
        },
    )
    viewed = {"email": "anna@mail.example", "size": "M", "iban": "IT60X"}
    shop.server.track(
        shop.key,
        {"type": "track", "event": "Form Sent", "userId": "anna", "properties": viewed, "messageId": "w2"},
        {"type": "page", "anonymousId": "dev-anna", "messageId": "w3"},
    )
    for _ in range(3):
        asked = shop.server.post("/v1/decide", {"placement": "web_home", "userId": "anna"})
        assert asked.status == 200, asked
    return "user_id:anna"


def made(shop: Shop, name: str, **more: Any) -> str:
    reply = shop.server.post("/v1/admin/keys", {"name": name, **more})
    assert reply.status == 201, reply
    return str(reply.json()["key"])


def test_a_key_sees_its_fields_and_no_more_anywhere(shop: Shop, anna: str) -> None:
    key = made(
        shop,
        "narrow",
        scopes=["profiles:read"],
        fields=["first_name", "city", "email", "user_id"],
        masked=["email"],
    )
    for part in (
        "",
        "/traits",
        "/external_ids",
        "/links",
        "/metadata",
        "/events",
        "/consents",
        "/decisions",
        "/segments",
    ):
        reply = shop.server.get(f"/v1/profiles/{anna}{part}", key)
        assert reply.status == 200, reply
        text = reply.body.decode()
        assert "anna@mail.example" not in text, part
        assert "IT60X" not in text, part
        assert "dev-anna" not in text, part
        assert "size" not in text or part == "/events"
    why = "/why?a=anonymous_id:dev-anna&b=email:anna@mail.example"
    assert "dev-anna" not in shop.server.get(f"/v1/profiles/{anna}{why}", key).body.decode()
    sent = next(e for e in shop.server.events(anna, key) if e["event"] == "Form Sent")
    assert sent["properties"] == {"email": f"a{MASKED}"}
    profile = shop.server.get(f"/v1/profiles/{anna}", key).json()
    assert profile["traits"] == {"first_name": "Anna", "city": "Bologna", "email": f"a{MASKED}"}
    assert {(i["type"], i["value"]) for i in profile["identifiers"]} == {
        ("user_id", "anna"),
        ("email", f"a{MASKED}"),
    }


def test_a_narrow_key_reads_why_a_merge_was_refused_without_the_identifiers(shop: Shop, anna: str) -> None:
    for name in ("one", "two"):
        login = {"type": "identify", "userId": f"family-{name}", "anonymousId": "family-tablet"}
        shop.server.track(shop.key, login)
    masked = ["user_id", "email", "anonymous_id"]
    key = made(shop, "joiner", scopes=["profiles:write", "profiles:read"], masked=masked)
    url = f"{shop.server.url}/v1/profiles/{anna}/merge"
    for other, reason, secret in (
        ("anonymous_id:family-tablet", "was seen with 2 user ids", "family-tablet"),
        ("user_id:family-one", "hold more than 1 user id", "family-one"),
    ):
        body = json.dumps({"other": other})
        narrow = request("POST", url, body, bearer(key)).json()
        whole = request("POST", url, body, bearer(shop.server.admin)).json()
        assert not narrow["joined"]
        assert reason in narrow["message"]
        assert reason in whole["message"]
        assert secret not in narrow["message"]
        assert (secret in whole["message"]) is (other == "anonymous_id:family-tablet")


@pytest.mark.parametrize("how", [{"masked": ["email"]}, {"fields": ["city"]}])
def test_what_cannot_be_shown_in_part_is_refused_to_a_narrow_key(
    shop: Shop, anna: str, how: dict[str, list[str]]
) -> None:
    key = made(shop, f"part-{next(iter(how))}", scopes=["admin"], **how)
    bad = {
        "type": "track",
        "event": "X",
        "userId": "anna",
        "timestamp": "never",
        "properties": {"iban": "IT60X"},
    }
    shop.server.track(shop.key, bad)
    letter = shop.server.get("/v1/admin/deadletters", key).json()["data"][0]["id"]
    for method, path in (
        ("GET", f"/v1/profiles/{anna}/export"),
        ("GET", f"/v1/admin/deadletters/{letter}"),
        ("POST", "/v1/admin/identity/dry-run"),
    ):
        body = "{}" if method == "POST" else None
        reply = request(method, shop.server.url + path, body, bearer(key))
        assert (reply.status, reply.json()["code"]) == (403, "narrow_key"), path
        assert request(method, shop.server.url + path, body, bearer(shop.server.admin)).status == 200


def test_the_console_masks_people_for_a_viewer(shop: Shop, anna: str) -> None:
    person = shop.server.profile(anna).json()["id"]
    words = ["--password", PASSWORD, "--role", "viewer", "--data", str(shop.server.data)]
    run_patron("user", "add", "viola", *words)
    with httpx.Client(base_url=shop.server.url, timeout=30) as console:
        token = sign_in(console, shop.server.url, "viola")
        form = {"csrf": token, "q": "anna@mail.example"}
        found = console.post("/console/people", data=form, headers={"origin": shop.server.url}).text
        pages = [console.get(f"/console/people/{person}{part}").text for part in ("", "/timeline", "/split")]
        pages += [console.get("/console").text, console.get("/console/decisions").text]
    assert f"/console/people/{person}" in found
    for text in (*pages, found.replace('value="anna@mail.example"', "")):
        for secret in ("anna@mail.example", "Anna", "IT60X"):
            assert secret not in text
    assert "a•••" in pages[0]
    clear = shop.console.get(f"/console/people/{person}").text
    assert "anna@mail.example" in clear


def test_a_key_of_one_source_sees_only_its_events(shop: Shop, anna: str) -> None:
    key = made(shop, "tills", scopes=["profiles:read"], sources=["till"])
    assert [e["messageId"] for e in shop.server.events(anna, key)] == ["t1"]
    assert len(shop.server.events(anna)) == 4


def test_a_key_without_the_name_does_not_learn_it_from_decisions(shop: Shop, anna: str) -> None:
    key = made(shop, "nameless", scopes=["profiles:read"], fields=["city", "user_id"])
    decisions = shop.server.get(f"/v1/profiles/{anna}/decisions", key).json()["data"]
    assert len(decisions) == 3
    one = shop.server.get(f"/v1/decisions/{decisions[0]['decision']['id']}", key).json()
    for text in (
        json.dumps(decisions),
        json.dumps(one),
        json.dumps(shop.server.get("/v1/admin/people?q=anna", key).json()),
    ):
        assert "Anna" not in text
        assert "dev-anna" not in text
        assert "anna@mail.example" not in text


@pytest.mark.parametrize(
    ("scope", "method", "path", "needed"),
    [
        ("decide", "GET", "/v1/profiles/user_id:anna", "profiles:read"),
        ("profiles:read", "DELETE", "/v1/profiles/user_id:anna", "privacy"),
        ("profiles:read", "GET", "/v1/profiles/user_id:anna/export", "privacy"),
        ("profiles:read", "POST", "/v1/profiles/user_id:anna/split", "profiles:write"),
        ("profiles:read", "GET", "/v1/admin/sources", "admin"),
        ("profiles:write", "GET", "/v1/admin/deadletters", "deadletters"),
        ("deadletters", "GET", "/v1/status", "admin"),
        ("privacy", "POST", "/v1/admin/backup", "admin"),
        ("deadletters", "POST", "/v1/admin/keys", "admin"),
    ],
)  # fmt: skip
def test_another_scope_is_403_and_names_the_one_needed(
    shop: Shop, anna: str, scope: str, method: str, path: str, needed: str
) -> None:
    key = made(shop, f"{scope.replace(':', '-')}-{abs(hash((method, path))) % 10**8}", scopes=[scope])
    reply = request(method, shop.server.url + path, "{}" if method == "POST" else None, bearer(key))
    assert (reply.status, reply.json()["code"]) == (403, "no_scope")
    assert f"`{needed}`" in reply.json()["message"]


def test_a_revoked_key_is_401_at_once_and_a_write_key_too(shop: Shop, anna: str) -> None:
    key = made(shop, "short-lived", scopes=["profiles:read"])
    assert shop.server.get(f"/v1/profiles/{anna}", key).status == 200
    assert shop.server.delete("/v1/admin/keys/short-lived").status == 200
    assert shop.server.get(f"/v1/profiles/{anna}", key).status == 401
    assert shop.server.delete("/v1/admin/keys/short-lived").status == 404
    first = shop.server.write_key("app", "rotated")
    second = shop.server.post("/v1/admin/sources/rotated/rotate").json()["writeKey"]
    page = {"type": "page", "userId": "rotating"}
    assert shop.server.track(first, page).status == shop.server.track(second, page).status == 200
    assert shop.server.delete(f"/v1/admin/sources/rotated/keys/{first[:10]}").status == 200
    assert request("POST", f"{shop.server.url}/v1/page", json.dumps(page), basic(first)).status == 401
    assert shop.server.track(second, page).status == 200


@pytest.mark.parametrize("how", [bearer, basic])
def test_a_public_write_key_never_reads(shop: Shop, anna: str, how: Callable[[str], dict[str, str]]) -> None:
    for path in (
        f"/v1/profiles/{anna}",
        f"/v1/profiles/{anna}/events",
        "/v1/admin/people?q=anna",
        "/v1/status",
        "/v1/health",
    ):
        reply = request("GET", shop.server.url + path, headers=how(shop.key))
        assert (reply.status, reply.json()["code"]) == (401, "bad_key"), path
    reply = request("DELETE", f"{shop.server.url}/v1/profiles/{anna}", headers=how(shop.key))
    assert reply.status == 401


def test_a_public_key_may_ask_for_a_decision_and_learns_nothing_by_it(shop: Shop, anna: str) -> None:
    ask = {"placement": "web_home", "userId": "anna", "anonymousId": "stranger", "writeKey": shop.key}
    reply = request("POST", f"{shop.server.url}/v1/decide", json.dumps(ask), {"Content-Type": "text/plain"})
    assert reply.status == 200, reply
    assert reply.headers["access-control-allow-origin"] == "*"
    assert "Anna" not in reply.body.decode()
    for bad in ("", "wk_no", shop.server.admin[:-1]):
        asked = json.dumps({**ask, "writeKey": bad})
        assert request("POST", f"{shop.server.url}/v1/decide", asked).status == 401


def test_names_without_a_person_are_404_and_without_meaning_400(shop: Shop) -> None:
    for name, status in (
        ("user_id:nobody-here", 404), ("p_nothing", 404), ("id:p_nothing", 404), ("shoe_size:44", 404),
        ("%00:%00", 404), ("anna", 400), ("user_id:", 400), (":", 400), ("%FF", 400),
    ):  # fmt: skip
        reply = shop.server.get(f"/v1/profiles/{name}")
        assert reply.status == status, (name, reply)
        assert reply.headers["content-type"] == "application/json"
        assert set(reply.json()) >= {"code", "message"}


def test_reads_wait_for_the_position_of_a_write(shop: Shop) -> None:
    for number in range(20):
        sent = shop.server.track(shop.key, {"type": "page", "userId": f"ryw{number}"})
        position = int(sent.headers["patron-position"])
        read = shop.server.profile(f"user_id:ryw{number}", after=position)
        assert read.status == 200
        assert int(read.headers["patron-position"]) >= position


def test_a_position_that_does_not_come_is_waited_for_two_seconds_at_most(shop: Shop, anna: str) -> None:
    began = time.monotonic()
    assert shop.server.profile(anna, after=10**12).status == 200
    assert 1.5 < time.monotonic() - began < 6
    for bad in ("-1", "x", "1.5", ""):
        assert shop.server.get(f"/v1/profiles/{anna}?after={bad}").status == 400


def test_an_erased_person_is_410_by_every_name_and_stays_out(shop: Shop) -> None:
    seen = {"type": "identify", "userId": "gone", "traits": {"email": "gone@mail.example"}, "messageId": "g1"}
    shop.server.track(shop.key, {**seen, "timestamp": "2026-05-05T05:05:05Z"})
    person = shop.server.profile("user_id:gone").json()["id"]
    receipt = shop.server.delete(f"/v1/profiles/{person}")
    assert receipt.status == 200, receipt
    assert {store for store, _, _ in receipt.json()["stores"]} >= {"log", "state", "backups"}
    for name in (
        person,
        f"id:{person}",
        "user_id:gone",
        "email:gone@mail.example",
        "email:GONE@mail.example",
    ):
        reply = shop.server.profile(name)
        assert (reply.status, reply.json()["code"]) == (410, "erased"), name
    for part in ("events", "links", "traits", "export"):
        assert shop.server.get(f"/v1/profiles/user_id:gone/{part}").status == 410
    assert shop.server.delete(f"/v1/profiles/{person}").status == 410
    again = shop.server.track(shop.key, {**seen, "messageId": "g2", "timestamp": "2026-05-05T05:05:06Z"})
    assert again.json()["accepted"] == 0
    assert shop.server.profile("user_id:gone").status == 410
    page = shop.console.get(f"/console/people/{person}")
    assert page.status_code == 410
    assert "gone@mail" not in page.text


def test_a_retired_id_leads_to_the_person_of_today(shop: Shop) -> None:
    shop.server.track(
        shop.key, {"type": "page", "anonymousId": "ret-dev", "timestamp": "2026-01-01T00:00:00Z"}
    )
    shop.server.track(shop.key, {"type": "page", "userId": "ret-user", "timestamp": "2026-01-02T00:00:00Z"})
    ids = {
        name: shop.server.profile(name).json()["id"] for name in ("anonymous_id:ret-dev", "user_id:ret-user")
    }
    assert len(set(ids.values())) == 2
    shop.server.track(shop.key, {"type": "identify", "anonymousId": "ret-dev", "userId": "ret-user"})
    today = {shop.server.profile(one).json()["id"] for one in (*ids, *ids.values())}
    assert len(today) == 1
    assert today <= set(ids.values())
    assert shop.server.get(f"/v1/profiles/{next(iter(today))}/metadata").json()["retired_ids"]


def test_head_and_options(shop: Shop, anna: str) -> None:
    url = shop.server.url
    head = request("HEAD", f"{url}/v1/profiles/{anna}", headers=bearer(shop.server.admin))
    full = request("GET", f"{url}/v1/profiles/{anna}", headers=bearer(shop.server.admin))
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == full.headers["content-length"]
    assert request("HEAD", f"{url}/readyz").status == 200
    for path in ("/v1/track", "/v1/batch", "/v1/t", "/v1/decide"):
        asked = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST",
                 "Access-Control-Request-Headers": "authorization,content-type"}  # fmt: skip
        answer = request("OPTIONS", url + path, headers=asked)
        assert answer.status == 200
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "authorization" in answer.headers["access-control-allow-headers"]
        assert "POST" in answer.headers["access-control-allow-methods"]
    for path in (f"/v1/profiles/{anna}", "/v1/admin/sources", "/v1/status"):
        answer = request("OPTIONS", url + path, headers={"Origin": "https://evil.example"})
        assert answer.status == 405
        assert "access-control-allow-origin" not in answer.headers
    wrong = request("PUT", f"{url}/v1/profiles/{anna}", "{}", bearer(shop.server.admin))
    assert (wrong.status, wrong.json()["code"], wrong.headers["allow"]) == (
        405,
        "bad_method",
        "DELETE, GET, HEAD",
    )
    assert request("GET", f"{url}/v1/track").status == 405


def test_every_unknown_address_is_answered_in_json(shop: Shop) -> None:
    for method in ("GET", "POST", "DELETE", "PATCH", "TRACE"):
        for path in (
            "/nowhere",
            "/v1/nowhere",
            "/v1/profiles/",
            "/v1/admin/",
            "/favicon.ico",
            "/consoles",
            "/v1/admin/keys/a/b",
        ):
            reply = request(method, shop.server.url + path)
            assert (reply.status, reply.headers["content-type"]) == (404, "application/json"), (
                method,
                path,
                reply,
            )
            assert reply.json()["code"] == "no_route"
    root = request("GET", shop.server.url + "/")
    assert (root.status, root.headers["location"]) == (307, "/console")


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "evil.example:80", "[::1]", "0.0.0.0"]
)
def test_the_console_answers_to_its_own_names_only(shop: Shop, host: str) -> None:
    """A page elsewhere that makes its own name point here must get nothing (DNS rebinding)."""
    for path in (
        "/console",
        "/console/signin",
        "/console/people",
        "/console/static/console.css",
        "/console/live",
    ):
        reply = raw_get(shop.server.port, path, host, shop.console.cookies["patron_session"])
        assert reply.status == 421, (path, reply)
        assert b"csrf" not in reply.body


def raw_get(port: int, path: str, host: str, cookie: str) -> Reply:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.putrequest("GET", path, skip_host=True)
        connection.putheader("Host", host)
        connection.putheader("Cookie", f"patron_session={cookie}")
        connection.endheaders()
        answer = connection.getresponse()
        return Reply(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
    finally:
        connection.close()


# --- where a key may have a backup written ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [("/tmp/elsewhere", 403, "backup_place"), ("/", 403, "backup_place"), ("../up", 400, "bad_path"), ("", 400, "bad_path"),
     (".", 400, "bad_path"), ("..", 400, "bad_path"), ("a/b", 400, "bad_path"), ("a\0b", 400, "bad_path"), ("x" * 5_000, 400, "bad_path"),
     ("~root", 400, "bad_path"), ("-rf", 400, "bad_path")],
)  # fmt: skip
def test_a_key_cannot_have_a_backup_written_where_it_likes(
    shop: Shop, path: str, status: int, code: str
) -> None:
    reply = shop.server.post("/v1/admin/backup", {"path": path})
    assert (reply.status, reply.json()["code"]) == (status, code)
    assert not Path("/tmp/elsewhere").exists()


def test_a_key_names_a_backup_and_it_is_made_beside_the_directory(shop: Shop) -> None:
    reply = shop.server.post("/v1/admin/backup", {"path": "monday"})
    assert reply.status == 200, reply
    place = Path(reply.json()["path"])
    assert place == shop.server.data.with_name(f"{shop.server.data.name}-backups") / "monday"
    assert place.stat().st_mode & 0o077 == 0, "nobody else on this machine reads it"
    assert shop.server.post("/v1/admin/backup", {"path": "monday"}).status == 409


# --- two listeners ------------------------------------------------------------------------------------------------------


class TwoDoors(PatronServer):
    """A server whose public door is open to the network; the private one stays on loopback."""

    def __init__(self, data: Path) -> None:
        super().__init__(data)
        self.private_port = free_port()
        self.arguments = ("--host", "0.0.0.0", "--admin-port", str(self.private_port))
        self.private = f"http://127.0.0.1:{self.private_port}"


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoDoors]:
    server = TwoDoors(tmp_path_factory.mktemp("doors") / "shop")
    server.init()
    server.start()
    yield server
    assert not server.close()


def test_the_public_door_takes_events_and_decisions_and_shows_nothing(doors: TwoDoors) -> None:
    key, admin = doors.write_key("web", "web"), doors.admin
    assert doors.track(key, {"type": "page", "userId": "ana"}).status == 200
    ask = json.dumps({"placement": "web_home", "anonymousId": "ana-device"})
    asked = request("POST", f"{doors.url}/v1/decide", ask, bearer(key))
    assert asked.status == 200
    told = {"decisionId": asked.json()["decisionId"], "kind": "view", "id": "1", "anonymousId": "ana-device"}
    assert request("POST", f"{doors.url}/v1/outcomes", json.dumps(told), bearer(key)).status == 200
    assert request("GET", f"{doors.url}/v1/fallback/web_home", headers=basic(key)).status == 200
    assert request("POST", f"{doors.url}/v1/preview", "{}", bearer(admin)).status == 404
    for path in ("/healthz", "/readyz"):
        assert request("GET", doors.url + path).status == 200
    for path in (
        "/", "/console", "/console/signin", "/console/static/console.css", "/metrics", "/v1/status", "/v1/health",
        "/v1/profiles/user_id:ana", "/v1/profiles/user_id:ana/events", "/v1/openapi.json", "/v1/effect", "/v1/admin/sources",
        "/v1/admin/people?q=ana", "/v1/decisions/d_1", "//v1/profiles/user_id:ana", "/v1/track/../profiles/user_id:ana",
        "/%761/profiles/user_id:ana",
    ):  # fmt: skip
        reply = request("GET", doors.url + path, headers=bearer(admin))
        assert reply.status in {404, 405}, (path, reply)
        assert b"ana" not in reply.body
    for method, path in (
        ("DELETE", "/v1/profiles/user_id:ana"),
        ("POST", "/v1/admin/keys"),
        ("POST", "/v1/admin/backup"),
    ):
        assert request(method, doors.url + path, "{}", bearer(admin)).status == 404


def test_the_private_door_serves_profiles_and_console_on_loopback_only(doors: TwoDoors) -> None:
    admin = doors.admin
    assert request("GET", f"{doors.private}/v1/profiles/user_id:nobody", headers=bearer(admin)).status == 404
    assert request("GET", f"{doors.private}/v1/status", headers=bearer(admin)).status == 200
    assert request("GET", f"{doors.private}/console/signin").status in {200, 303}
    assert request("POST", f"{doors.private}/v1/track", "{}", basic("x")).status == 404, "no events here"
    others = {a[4][0] for a in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)} - {"127.0.0.1"}
    for address in (a for a in others if not a.startswith("127.")):
        assert request("GET", f"http://{address}:{doors.port}/readyz").status == 200
        with pytest.raises(OSError), socket.create_connection((address, doors.private_port), 2):
            pass


def test_commands_find_the_private_door(doors: TwoDoors) -> None:
    assert run_patron("source", "list", "--json", "--data", str(doors.data)).returncode == 0
