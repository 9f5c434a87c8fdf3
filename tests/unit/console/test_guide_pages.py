"""Stories and practice: there only where they are, nobody's name for those who may not see it, answers kept as meant."""

import pytest

from patron.console.port import User
from patron.model.errors import Gone
from patron.model.views import PersonView
from tests.browser.fake_console import PASSWORD, FakeApp
from tests.unit.console.browsing import Browsing


def browse(role: str, **changes: bool) -> Browsing:
    """Signed in with a role."""
    return Browsing(FakeApp(accounts={"giulia": (User("giulia", "Giulia Serra", role), PASSWORD)}, **changes))


def told(browsing: Browsing) -> list[tuple[object, ...]]:
    """The answers that were written, in order."""
    return [call for call in browsing.app.calls if call[0] == "answer"]


@pytest.mark.parametrize(
    ("path", "title"), [("/console/stories", "Stories"), ("/console/practice", "Practice")]
)
def test_a_workspace_without_them_neither_shows_nor_names_them(path: str, title: str) -> None:
    browsing = Browsing(FakeApp(with_guide=False))
    home = browsing.get("/console").text
    assert path not in home
    assert "Planted in this demo" not in home
    answer = browsing.get(path)
    assert answer.status_code == 404
    assert "makes one with" in answer.text
    assert path in Browsing().get("/console").text
    assert title in Browsing().post("/console/palette", {"q": title[:6]}).text


def test_home_leads_to_each_story() -> None:
    text = Browsing().get("/console").text
    assert 'href="/console/stories#wrong-merge"' in text
    assert "Who keeps people waiting?" in text


def test_people_are_named_where_they_are_and_links_lead_to_them() -> None:
    text = Browsing().get("/console/stories").text
    assert "Anna Bianchi orders a milk jug" in text
    assert 'href="/console/people/p_7F3K2Q#why"' in text
    assert "/v1/profiles/p_7F3K2Q/events" in text
    assert "to somebody." in text, "who is not there has no name"
    assert "p_NOBODY" not in text
    assert "<script>alert" not in text


class Erasing(FakeApp):
    """Anna was erased."""

    def person(self, id_or_key: str) -> PersonView | None:
        if id_or_key == "p_7F3K2Q":
            raise Gone("erased", "This person was erased.")
        return super().person(id_or_key)


def test_an_erased_person_leaves_no_name_and_no_link() -> None:
    text = Browsing(Erasing()).get("/console/stories").text
    assert "Anna" not in text
    assert "Bianchi" not in text
    assert "Somebody orders a milk jug" in text
    assert 'href="/console/people/p_7F3K2Q' not in text


@pytest.mark.parametrize("role", ["developer", "viewer"])
@pytest.mark.parametrize("path", ["/console/stories", "/console/practice"])
@pytest.mark.parametrize("over", [False, True])
def test_who_may_not_see_names_sees_none(role: str, path: str, over: bool) -> None:
    browsing = browse(role, over=over)
    browsing.app.over = False
    assert browsing.get("/console/practice").status_code == 200
    browsing.post("/console/practice", {"stray": "card 290000004417 of anna@posta.example"})
    browsing.app.over = over
    text = browsing.get(path).text
    assert "A.B•••" in text
    for personal in ("Anna", "Bianchi", "290000004417", "anna@posta.example"):
        assert personal not in text


def test_what_is_answered_is_kept_by_whom_and_can_be_taken_back() -> None:
    browsing = Browsing()
    browsing.get("/console/practice")
    answer = browsing.post(
        "/console/practice", {"pick-up": ["S03", "S01"], "offline": " 82.50 % ", "evening": "S24"}
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/practice")
    assert told(browsing) == [
        ("answer", "pick-up", ("S01", "S03"), "giulia"),
        ("answer", "evening", ("S24",), "giulia"),
        ("answer", "offline", ("82.50",), "giulia"),
    ]
    text = browsing.get("/console/practice").text
    assert "Kept: 3 of 6 questions have an answer." in text
    assert 'value="S03" checked' in text
    assert 'value="S24" selected' in text
    browsing.post("/console/practice", {"pick-up": ["S01", "S03"], "evening": "S24"})
    assert told(browsing)[3:] == [("answer", "offline", (), "giulia")], "only what changed is written"
    assert "offline" not in browsing.app.answers()


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("offline", "four fifths", "is no number"),
        ("offline", "1e400", "is no number"),
        ("evening", "S99", "is none of the choices"),
        ("slow", "S01, <b>", "is none of the choices"),
    ],
)
def test_what_cannot_be_an_answer_comes_back_with_a_sentence(field: str, value: str, sentence: str) -> None:
    browsing = Browsing()
    browsing.get("/console/practice")
    answer = browsing.post("/console/practice", {field: value, "pick-up": "S02"})
    assert answer.status_code == 400
    assert sentence in answer.text
    assert "<b>" not in answer.text
    assert browsing.app.given["pick-up"].values == ("S02",), "the others are kept"
    assert field not in browsing.app.given


def test_when_it_is_over_the_truth_stands_there_and_no_answer_counts() -> None:
    browsing = Browsing(FakeApp(over=True))
    text = browsing.get("/console/practice").text
    assert "card 290000004417, of Anna Bianchi" in text
    assert "Keep my answers" not in text
    assert "50%" in text
    refused = browsing.post("/console/practice", {"offline": "80"})
    assert refused.status_code == 409
    assert "The practice is over" in refused.text
    assert browsing.app.given == {}


def test_before_its_end_the_page_holds_no_truth() -> None:
    text = Browsing().get("/console/practice").text
    assert "290000004417" not in text
    assert "Ends at 10:54" in text
