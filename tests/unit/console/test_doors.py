"""The doors of the console: who gets in, from where, with what, and what every answer carries."""

import re

import pytest

from patron.console.app import PAGES, create_console
from patron.console.guard import POLICY
from patron.console.port import User
from patron.console.sessions import IDLE_S, Brake, Sessions
from tests.browser.fake_console import PASSWORD, FakeApp
from tests.unit.console.browsing import Browsing

GETS = [path for method, path, _ in PAGES if method == "GET"]
POSTS = [path for method, path, _ in PAGES if method == "POST"]
REAL = {"/console/people/{id}": "p_7F3K2Q", "/console/decisions/{id}": "d_01JD7Q8ZK3", "/console/data/quarantine/{id}": "dl_7"}  # fmt: skip


def real(path: str) -> str:
    stem = path.partition("{id}")[0] + "{id}" if "{id}" in path else path
    return path.replace("{id}", REAL.get(stem, "x"))


@pytest.mark.parametrize("path", GETS)
def test_every_page_needs_a_session_and_says_so_without_a_word_about_content(path: str) -> None:
    answer = Browsing(signed_in=False).get(real(path))
    if path in {"/console/signin", "/console/first-run"}:
        assert answer.status_code in {200, 303}
        return
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/console/signin?next=/console")
    assert "Bianchi" not in answer.text


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("spoil", ["token", "origin", "null origin", "site", "session"])
def test_no_form_is_taken_without_token_origin_and_session(path: str, spoil: str) -> None:
    browsing = Browsing()
    before = [call for call in browsing.app.calls if call[0] != "audit"]
    data, headers = {"csrf": browsing.token, "name": "giulia"}, {"origin": browsing.origin}
    if spoil == "token":
        data["csrf"] = "0" * 43
    elif spoil == "origin":
        headers["origin"] = "http://evil.example"
    elif spoil == "null origin":
        headers["origin"] = "null"
    elif spoil == "site":
        headers = {"sec-fetch-site": "cross-site"}
    else:
        browsing.cookies.clear()
    answer = browsing.ask("POST", real(path), data=data, headers=headers)
    assert answer.status_code in {401, 403}, answer.text
    assert [call for call in browsing.app.calls if call[0] != "audit"] == before


@pytest.mark.parametrize("path", [*GETS, "/console/live", "/console/static/console.css", "/console/nowhere"])
def test_every_answer_carries_the_policy(path: str) -> None:
    browsing = Browsing()
    if path == "/console/live":
        browsing.cookies.clear()
    answer = browsing.get(real(path))
    assert answer.headers["content-security-policy"] == POLICY
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    if not path.startswith("/console/static"):
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", GETS)
def test_no_page_needs_what_the_policy_forbids(path: str) -> None:
    text = Browsing().get(real(path)).text
    assert not re.search(r"<[^>]+\sstyle\s*=", text)
    assert not re.search(r"<[^>]+\son[a-z]+\s*=", text)
    assert not re.search(r"<style\b", text)
    assert all("src=" in tag for tag in re.findall(r"<script\b[^>]*>", text))
    assert not re.findall(r'(?:src|href|action)="(?:https?:)?//', text)


@pytest.mark.parametrize("host", ["evil.example", "testserver.evil.example", "", "127.0.0.1"])
def test_other_names_are_not_answered(host: str) -> None:
    answer = Browsing(signed_in=False).get("/console/signin", host=host)
    assert answer.status_code == 421
    assert "csrf" not in answer.text


def test_the_session_cookie_is_new_and_closed_to_scripts() -> None:
    browsing = Browsing(signed_in=False)
    browsing.cookies.set("patron_session", "fixed-by-an-attacker", domain="testserver.local")
    answer = browsing.sign_in()
    cookie = next(c for c in answer.headers.get_list("set-cookie") if c.startswith("patron_session="))
    assert "fixed-by-an-attacker" not in cookie
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert "Secure" not in cookie


def test_over_https_cookies_are_secure_and_bound_to_the_host() -> None:
    browsing = Browsing(secure=True, signed_in=False)
    answer = browsing.sign_in()
    cookie = next(c for c in answer.headers.get_list("set-cookie") if c.startswith("__Host-patron="))
    assert "Secure" in cookie
    assert "Domain" not in cookie


def test_a_wrong_password_gets_no_session_and_does_not_say_which_was_wrong() -> None:
    browsing = Browsing(signed_in=False)
    unknown = browsing.sign_in("nobody", "x")
    wrong = browsing.sign_in("giulia", "x")
    assert unknown.status_code == wrong.status_code == 401
    sentence = "do not belong together"
    assert sentence in unknown.text
    assert sentence in wrong.text
    assert browsing.get("/console").status_code == 303


def test_guessing_is_slowed_down_even_with_the_right_password() -> None:
    browsing = Browsing(signed_in=False)
    answers = [browsing.sign_in("giulia", "guess").status_code for _ in range(8)]
    assert answers[:5] == [401] * 5
    assert 429 in answers
    blocked = browsing.sign_in("giulia", PASSWORD)
    assert blocked.status_code == 429
    assert int(blocked.headers["retry-after"]) >= 1


def test_sign_in_leads_only_into_the_console() -> None:
    for going in (
        "https://evil.example/",
        "//evil.example",
        "/console/../../etc",
        "/elsewhere",
        "/console\n/x",
    ):
        browsing = Browsing(signed_in=False)
        browsing.get("/console/signin")
        answer = browsing.post("/console/signin", {"name": "giulia", "password": PASSWORD, "next": going})
        assert answer.headers["location"] == "/console"


def test_signing_out_ends_the_session_on_the_server() -> None:
    browsing = Browsing()
    kept = dict(browsing.cookies)
    assert browsing.post("/console/signout").status_code == 303
    browsing.cookies.update(kept)
    assert browsing.get("/console").status_code == 303


def test_sessions_end_after_twelve_idle_hours() -> None:
    now = [0.0]
    sessions = Sessions(lambda: now[0])
    key = sessions.start(User("giulia", "Giulia"))
    now[0] = IDLE_S - 1
    assert sessions.find(key, touch=False) is not None
    assert sessions.find(key) is not None
    now[0] += IDLE_S - 1
    assert sessions.find(key) is not None
    now[0] += IDLE_S + 1
    assert sessions.find(key) is None


def test_the_brake_forgets_after_a_quarter_of_an_hour_and_after_a_success() -> None:
    now = [0.0]
    brake = Brake(lambda: now[0])
    for _ in range(30):
        brake.failed("a")
    assert brake.wait("a", "b") == 900
    assert brake.wait("b") == 0
    now[0] = 901.0
    assert brake.wait("a") == 0
    brake.passed("a")
    brake.failed("a")
    assert brake.wait("a") == 0


def test_the_first_account_needs_the_printed_code_and_works_once() -> None:
    app = FakeApp(accounts={})
    browsing = Browsing(app, signed_in=False)
    assert browsing.get("/console/signin").headers["location"] == "/console/first-run"
    browsing.get("/console/first-run")
    good = {
        "code": "coffee-code",
        "name": "Elena",
        "full_name": "Elena Marchetti",
        "password": "twelve letters",
        "again": "twelve letters",
    }
    for change in (
        {"code": "guess"},
        {"password": "short", "again": "short"},
        {"again": "other twelve"},
        {"name": "../x"},
    ):
        answer = browsing.post("/console/first-run", {**good, **change})
        assert answer.status_code in {400, 403}
        assert not app.accounts
        assert "twelve letters" not in answer.text
    assert browsing.post("/console/first-run", good).status_code == 303
    assert list(app.accounts) == ["elena"]
    assert browsing.get("/console").status_code == 200
    again = Browsing(app, signed_in=False)
    again.get("/console/signin")
    assert again.post("/console/first-run", good).headers["location"] == "/console/signin"


def test_a_new_password_signs_out_the_other_browsers() -> None:
    browsing, app = Browsing(), None
    other = Browsing(browsing.app, signed_in=False)
    other.console = browsing.console
    other.sign_in()
    assert other.get("/console").status_code == 200
    fields = {"old": "wrong", "password": "another cup of tea", "again": "another cup of tea"}
    assert browsing.post("/console/account/password", fields).status_code == 400
    assert browsing.post("/console/account/password", {**fields, "old": PASSWORD}).status_code == 303
    assert other.get("/console").status_code == 303
    assert browsing.get("/console").status_code == 200
    assert app is None


def test_a_fault_shows_nothing_of_its_inside() -> None:
    class Broken(FakeApp):
        def rates(self) -> list:  # type: ignore[type-arg]
            raise RuntimeError("secret path /var/patron and SELECT * FROM people")

    answer = Browsing(Broken()).get("/console")
    assert answer.status_code == 500
    assert "E-CON-500" in answer.text
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text


def test_a_form_larger_than_a_mebibyte_is_refused_while_it_is_read() -> None:
    browsing = Browsing()
    answer = browsing.post("/console/people", {"q": "x" * (1 << 20)})
    assert answer.status_code == 413


def test_static_files_with_a_mark_may_be_kept_for_ever_and_nothing_else_is_served() -> None:
    browsing = Browsing()
    styles = re.search(
        r'href="(/console/static/console\.css\?v=[0-9a-f]{12})"', browsing.get("/console").text
    )
    assert styles is not None
    assert "immutable" in browsing.get(styles[1]).headers["cache-control"]
    assert browsing.get("/console/static/../app.py").status_code == 404
    assert browsing.get("/console/static/%2e%2e/app.py").status_code == 404


@pytest.mark.parametrize(
    ("role", "path", "data"),
    [
        ("viewer", "/console/people/p_7F3K2Q/split", {"how": "nodes", "node": "x"}),
        ("marketer", "/console/people/p_7F3K2Q/erase", {"name": "Anna Bianchi"}),
        ("developer", "/console/people/p_7F3K2Q/export", {}),
        ("marketer", "/console/data/sources", {"name": "x", "channel": "web"}),
        ("privacy", "/console/data/keys", {"name": "x", "scope": "admin"}),
        ("viewer", "/console/data/quarantine/dl_7", {"message": "{}"}),
    ],
)
def test_what_a_role_may_not_do_is_refused_by_the_server_and_says_who_may(
    role: str, path: str, data: dict[str, str]
) -> None:
    app = FakeApp(accounts={"anna": (User("anna", "Anna", role), PASSWORD)})
    browsing = Browsing(app, signed_in=False)
    browsing.sign_in("anna")
    answer = browsing.post(path, data)
    assert answer.status_code == 403
    assert "It is up to administrators" in answer.text
    assert all(call[0] == "audit" for call in app.calls)


def test_the_stream_ends_when_the_session_does() -> None:
    browsing = Browsing(signed_in=False)
    assert browsing.get("/console/live").status_code == 401
    assert create_console(FakeApp(), ["x"]).routes
