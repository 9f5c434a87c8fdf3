"""What a role that may not see personal data is shown: nothing of it, on any page, and the pages still work."""

import json
import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patron.console.masked import Masked
from patron.console.masking import KINDS, Veil, hidden, masked_message
from patron.console.port import User
from patron.console.render import ref
from patron.model.views import IdentifierView, LinkView
from tests.browser.fake_console import PASSWORD, FakeApp
from tests.unit.console.browsing import Browsing
from tests.unit.console.test_pages import PATHS

SEE, MASKED = ("admin", "marketer", "privacy"), ("developer", "viewer")
ANNA = "/console/people/p_7F3K2Q"
LETTER = "/console/data/quarantine/dl_7"


def browse(role: str) -> Browsing:
    app = FakeApp(accounts={"anna": (User("anna", "Reader", role), PASSWORD)})
    browsing = Browsing(app, signed_in=False)
    browsing.sign_in("anna")
    return browsing


def secrets() -> Iterator[str]:
    """Everything personal that the double holds."""
    app = FakeApp()
    for pid in ("p_7F3K2Q", "p_1AB2CD"):
        person = app.person(pid)
        assert person is not None
        for link in person.links:
            yield from (key.partition(":")[2] for key in (link.a, link.b) if key.partition(":")[0] in KINDS)
        yield from (one.value for one in person.identifiers if one.type in KINDS)
        yield person.name


SECRETS = {one for one in secrets() if len(one) > 3 and one.isprintable()}


@pytest.mark.parametrize("role", MASKED)
def test_no_page_shows_anything_personal_to_a_role_that_may_not_see_it(role: str) -> None:
    browsing = browse(role)
    assert any("@" in one for one in SECRETS)
    assert any(one.startswith("+39") for one in SECRETS)
    for path in (*PATHS, f"{ANNA}/timeline", "/console/people/p_EVIL01"):
        answer = browsing.get(path)
        assert answer.status_code == 200, path
        text = re.sub(r'placeholder="[^"]*"', "", answer.text)
        shown = [one for one in SECRETS if one in text or ref(f"email:{one}") in text]
        assert shown == [], path


@pytest.mark.parametrize("role", SEE)
def test_a_role_that_may_see_reads_all(role: str) -> None:
    text = browse(role).get(ANNA).text
    assert "Anna Bianchi" in text
    assert "a.bianchi@posta.example" in text
    assert "•••" not in text


def test_a_masked_page_says_so_and_who_may_see() -> None:
    text = browse("viewer").get(ANNA).text
    assert "A.B•••" in text
    assert "open to administrators, marketers and privacy officers" in text


def test_a_masked_role_finds_by_a_whole_identifier_only() -> None:
    browsing = browse("viewer")
    assert ANNA in browsing.post("/console/people", {"q": "a.bianchi@posta.example"}).text
    for part in ("bianchi@posta", "@posta", "Anna", "333 12", "2900"):
        assert ANNA not in browsing.post("/console/people", {"q": part}).text, part
    assert ANNA in browse("marketer").post("/console/people", {"q": "@posta"}).text


def test_why_takes_identifiers_as_they_are_shown() -> None:
    masked = Masked(FakeApp())
    person = masked.person("p_7F3K2Q")
    assert person is not None
    asked: list[tuple[str, str]] = []

    class Told(FakeApp):
        def why(self, person_id: str, a: str, b: str) -> tuple[bool, list[str]]:
            asked.append((a, b))
            return True, [f"{a} and {b} on one order", "mail new.one@other.example"]

    shown = [f"{one.type}:{one.value}" for one in person.identifiers if one.type in KINDS]
    _, steps = Masked(Told()).why("p_7F3K2Q", shown[0], shown[1])
    assert set(asked[0]) <= SECRETS | {f"{kind}:{one}" for kind in KINDS for one in SECRETS}
    assert not [one for one in SECRETS for step in steps if one in step]
    assert "new.one@" not in steps[1]


def test_a_developer_mends_a_letter_only_after_revealing_it_and_that_is_logged() -> None:
    browsing = browse("developer")
    page = browsing.get(LETTER).text
    assert "Reveal, is logged" in page
    assert "<textarea" not in page
    browsing.post(LETTER, {"as_it_was": "1"})
    assert ("replay", "dl_7", None) in browsing.app.calls
    clear = browsing.post(f"{LETTER}/reveal").text
    assert "<textarea" in clear
    assert ("audit", "anna", "reveal", "dl_7") in browsing.app.calls
    assert browse("viewer").post(f"{LETTER}/reveal").status_code == 403


def test_examples_of_a_dry_run_are_masked_and_a_viewer_may_run_none() -> None:
    form = {"rules": "[identity]\ntotal_limit = 2"}
    text = browse("developer").post("/console/people/rules", form).text
    assert "e-mail a.b•••" in text
    assert "a.bianchi@" not in text
    assert "29004471" not in text
    assert browse("viewer").post("/console/people/rules", form).status_code == 403


def test_a_message_is_masked_field_by_field() -> None:
    message = {
        "userId": "u-77", "traits": {"name": "Ana Rossi", "city": "Rome", "address": {"street": "Via Roma 1", "n": 4}},
        "properties": {"name": "Espresso beans", "note": "call 0039 333 123 4567 or ana@x.it", "price": 21.9},
        "context": {"externalIds": [{"type": "phone", "id": "333 1234567"}, {"type": "user_id", "id": "u-77"}], "ip": "10.1.2.3"},
    }  # fmt: skip
    shown = masked_message(json.dumps(message))
    for secret in ("Ana", "Rossi", "Via Roma", "333", "ana@x.it", "10.1.2.3"):
        assert secret not in shown
    for kept in ("u-77", "Rome", "Espresso beans", "21.9"):
        assert kept in shown
    assert "ana@x.it" not in masked_message('{"broken": "ana@x.it", ')
    assert "3331234567" not in masked_message('{"phone": 3331234567')


def test_a_masked_role_gets_no_archive() -> None:
    assert browse("viewer").post(f"{ANNA}/export").status_code == 403
    assert browse("privacy").post(f"{ANNA}/export").status_code == 200


LOCAL = st.text("abcdefghijklmnopqrstuvwxyz.", min_size=3, max_size=20).filter(
    lambda text: text[0] != "." and text[-1] != "."
)


@given(st.lists(LOCAL, min_size=1, max_size=6, unique=True), st.text(max_size=40))
def test_different_identifiers_stay_different_and_none_is_left(names: list[str], around: str) -> None:
    held = [IdentifierView("email", f"{name}@posta.example", 0, 0) for name in names]
    veil = Veil(held)
    shown = [veil.show(one).value for one in held]
    assert len(set(shown)) == len(names)
    for one, masked in zip(held, shown, strict=True):
        key = f"email:{one.value}"
        link = LinkView(key, "user_id:1", "accepted", 0, "", 0, f"{around} {one.value} {around}", "", "", "")
        seen = veil.show(link)
        assert seen.a == f"email:{masked}"
        assert one.value not in seen.event


@given(st.text(max_size=60))
def test_a_masked_text_shows_two_letters_at_most(text: str) -> None:
    letters = re.sub(r"[^\w]|\d|_", "", str(hidden(text)))
    assert len(letters) <= 2
