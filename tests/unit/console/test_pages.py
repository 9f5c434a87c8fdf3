"""What the pages show and do, over the double."""

import gzip
import html
import re

import pytest

from patron.console.pages.deadletters import marked_lines
from patron.console.places import places
from patron.console.render import exact, readable, ref
from tests.browser.fake_console import NASTY, FakeApp
from tests.unit.console.browsing import Browsing

PATHS = (
    "/console", "/console/people", "/console/people/rules", "/console/people/p_7F3K2Q", "/console/people/p_7F3K2Q/split",
    "/console/people/p_7F3K2Q/data", "/console/decisions", "/console/decisions/d_01JD7Q8ZK3",
    "/console/decisions/d_01JD7Q8ZK6", "/console/data", "/console/data/sources", "/console/data/keys", "/console/data/feeds",
    "/console/data/quarantine", "/console/data/quarantine/dl_7", "/console/privacy", "/console/account", "/console/shop",
    "/console/stories", "/console/practice", "/console/people/segments", "/console/people/segments/overlap",
    "/console/people/traits", "/console/decisions/preview?person=p_7F3K2Q", "/console/decisions/catalogue", "/console/decisions/catalogue/edit",
    "/console/decisions/catalogue/versions", "/console/decisions/placements",
    "/console/decisions/policies", "/console/decisions/d_01JD7Q8ZK4", "/console/decisions/sends", "/console/decisions/sends/new",
)  # fmt: skip


FULL = (
    "/console/people/segments/new", "/console/people/segments/new?ready=weekend", "/console/people/traits/new",
    "/console/people/segments/store-coffee", "/console/people/segments/many-pages", "/console/people/traits/spent",
    "/console/people/segments/overlap?a=store-coffee&b=complaint", "/console/people/segments/store-coffee/weeks",
    "/console/results", "/console/results/retention", "/console/results/paths", "/console/data/lake",
    "/console/results/baskets", "/console/results/rfm", "/console/decisions/catalogue/offers/descaling-kit",
    "/console/decisions/catalogue/offers/hostile", "/console/decisions/catalogue?q=coffee&placement=till",
    "/console/decisions/launches/bold", "/console/decisions/launches/odd", "/console/decisions/launches/worst",
    "/console/decisions/launches/new", "/console/decisions/launches/odd/edit", "/console/decisions/launches/bold?judge=1&now=1",
    "/console/decisions/policies/web_home", "/console/decisions/policies/web_home?challenger=greedy&now=1",
    "/console/decisions/sends/spring", "/console/decisions/sends/running", "/console/decisions/sends?placement=till",
)  # fmt: skip
"""Pages that an empty workspace does not have."""


@pytest.mark.parametrize("path", [*PATHS, *FULL])
def test_every_page_answers_within_forty_kilobytes(path: str) -> None:
    answer = Browsing().get(path)
    assert answer.status_code == 200
    assert len(gzip.compress(answer.content)) < 40_000
    assert answer.text.count("<h1") == 1 or "/split" in path or "/data" in path
    assert "{{" not in answer.text
    assert "Undefined" not in answer.text


GUIDE = ("/console/stories", "/console/practice")


@pytest.mark.parametrize(
    "path", [p for p in PATHS if "p_" not in p and "d_" not in p and "dl_" not in p and p not in GUIDE]
)
def test_an_empty_workspace_has_no_broken_page(path: str) -> None:
    answer = Browsing(FakeApp(empty=True)).get(path)
    assert answer.status_code == 200


def test_scripts_and_styles_stay_small() -> None:
    browsing = Browsing()
    sizes = {}
    for name in ("console.css", "console.js", "shop.js", "htmx-4.0.1.min.js"):
        sizes[name] = len(gzip.compress(browsing.get(f"/console/static/{name}").content))
    assert sizes.pop("console.css") < 12_000
    assert sum(sizes.values()) < 45_000


def test_feeds_show_how_fresh_they_are_and_what_was_not_taken() -> None:
    text = Browsing().get("/console/data/feeds").text
    assert "6 rejected" in text
    assert "Not finished" in text
    assert "write a point for the decimals" in text
    assert "<script>alert" not in text
    assert text.count("the whole row") == 0
    assert "some of it only later" in text
    assert "Load one: <code>patron feed load" in Browsing(FakeApp(empty=True)).get("/console/data/feeds").text


def test_sources_of_one_channel_have_their_own_counts() -> None:
    text = Browsing().get("/console/data/sources").text
    found = re.findall(r'data-h="Today">([\d,]+)</td>', text)
    assert found[:3] == ["0", "4,096", "4,097"]
    assert "all sources" not in text


@pytest.mark.parametrize("path", ["/console", "/console/decisions"])
def test_a_phone_shows_who_and_when_of_each_decision(path: str) -> None:
    rows = re.findall(r'<tr data-id="d_.*?</tr>', Browsing().get(path).text, re.DOTALL)
    assert rows
    for row in rows:
        when, where, who, *_ = re.findall(r'<td class="([^"]*)"', row)
        assert all("il" in one.split() and "hs" not in one.split() for one in (when, where, who))


def test_home_says_what_is_not_known_yet() -> None:
    text = Browsing(FakeApp(empty=True)).get("/console").text
    assert "Not measured" in text
    assert "No decision yet" in text
    assert "No source has sent anything yet" in text


def test_home_gives_the_effect_without_colour_before_its_verdict() -> None:
    text = Browsing().get("/console").text
    assert "Too early" in text
    assert "about 3,100 each are needed" in text
    assert "▲" not in text


def test_navigation_has_no_place_that_is_not_built() -> None:
    browsing = Browsing()
    text = browsing.get("/console").text
    links = set(re.findall(r'<a href="(/console[^"#?]*)"', text))
    assert not {link for link in links if browsing.get(link).status_code != 200}
    assert all(word not in text for word in (">Journeys<", ">Stores<"))


def test_looking_at_a_person_is_recorded() -> None:
    browsing = Browsing()
    browsing.get("/console/people/p_7F3K2Q")
    assert ("audit", "giulia", "view", "p_7F3K2Q") in browsing.app.calls
    browsing.get("/console/decisions/d_01JD7Q8ZK3")
    assert browsing.app.calls[-1] == ("audit", "giulia", "view", "p_7F3K2Q")


def test_a_retired_id_leads_to_whom_holds_it_today() -> None:
    answer = Browsing().get("/console/people/p_1AB2CD")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/console/people/p_7F3K2Q"


def test_an_unknown_person_is_404_and_an_erased_one_410() -> None:
    browsing = Browsing()
    assert browsing.get("/console/people/p_NOBODY").status_code == 404
    browsing.app.gone.add("p_7F3K2Q")
    answer = browsing.get("/console/people/p_7F3K2Q")
    assert answer.status_code == 410
    assert "receipts" in answer.text


def test_the_query_of_a_search_stands_in_no_address() -> None:
    browsing = Browsing()
    answer = browsing.post("/console/people", {"q": "a.bianchi"})
    assert "Anna Bianchi" in answer.text
    assert not re.findall(r'(?:href|action)="[^"]*bianchi', answer.text)
    fragment = browsing.post("/console/people", {"q": "zzz"}, **{"hx-request": "true"})
    assert "<html" not in fragment.text
    assert "Nobody found" in fragment.text


def test_the_timeline_has_days_late_marks_and_older_pages_without_doubled_headings() -> None:
    browsing = Browsing()
    text = browsing.get("/console/people/p_7F3K2Q").text
    assert (
        text.index("Today, Saturday 21 November")
        < text.index("Thursday 19 November")
        < text.index("Tuesday 10")
    )
    assert "Arrived 2 days late" in text
    assert "Older: 49 events" in text
    seen: list[str] = re.findall(r'<li class="day">([^<]+)', text)
    link = html.unescape(re.search(r'hx-get="([^"]+cursor=[^"]+)"', text)[1])  # type: ignore[index]
    while link:
        part = browsing.get(link, **{"hx-request": "true"}).text
        seen += re.findall(r'<li class="day">([^<]+)', part)
        more = re.search(r'hx-get="([^"]+cursor=[^"]+)"', part)
        link = html.unescape(more[1]) if more else ""
    assert len(seen) == len(set(seen))
    assert "Older" not in part


def test_the_timeline_can_be_filtered_and_turned() -> None:
    browsing = Browsing()
    page = browsing.get(
        "/console/people/p_7F3K2Q/timeline?channel=call_centre&order=asc", **{"hx-request": "true"}
    )
    assert "Called about a late delivery" in page.text
    assert "Scanned card" not in page.text
    assert "Oldest first" in page.text
    whole = browsing.get("/console/people/p_7F3K2Q/timeline?channel=kiosk")
    assert "<html" in whole.text


def test_split_by_identifiers_previews_splits_and_can_be_undone() -> None:
    browsing = Browsing()
    card = ref("card:29004471")
    preview = browsing.post(
        "/console/people/p_7F3K2Q/split/preview", {"how": "nodes", "node": card}, **{"hx-request": "true"}
    )
    assert "214 events become a second person" in preview.text
    assert browsing.app.cut == []
    answer = browsing.post("/console/people/p_7F3K2Q/split", {"how": "nodes", "node": card})
    assert answer.headers["location"] == "/console/people/p_7F3K2Q"
    assert browsing.app.calls[-2] == ("split", "p_7F3K2Q", ("card:29004471",), None, None, "giulia")
    page = browsing.get("/console/people/p_7F3K2Q").text
    assert "Split into p_7F3K2Q and p_9WD04M." in page
    undo = browsing.post("/console/people/undo-split", {"split": "sp_1", "person": "p_7F3K2Q"})
    assert undo.status_code == 303
    assert browsing.app.cut == []
    assert "Undo" not in re.sub(r"(?s)<nav.*?</nav>", "", browsing.get("/console/people").text)


def test_split_at_a_time_uses_the_workspace_zone() -> None:
    browsing = Browsing()
    node = ref("device_id:iphone-2f81a0")
    browsing.post(
        "/console/people/p_7F3K2Q/split", {"how": "time", "cut_node": node, "cut_at": "2026-11-19T18:00"}
    )
    call = next(call for call in browsing.app.calls if call[0] == "split")
    assert call[1:4] == ("p_7F3K2Q", (), "device_id:iphone-2f81a0")
    assert call[4] == 1_795_107_600_000


@pytest.mark.parametrize(
    "fields",
    [{"how": "nodes"}, {"how": "nodes", "node": "0" * 20}, {"how": "time", "cut_node": "", "cut_at": ""}, {"how": "time", "cut_node": ref("user_id:88213"), "cut_at": "yesterday"}],
)  # fmt: skip
def test_a_split_of_nothing_says_what_to_choose(fields: dict[str, str]) -> None:
    browsing = Browsing()
    answer = browsing.post("/console/people/p_7F3K2Q/split", fields)
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text
    assert browsing.app.cut == []


def test_why_two_identifiers_are_one_person_or_not() -> None:
    browsing = Browsing()
    a = ref("email:a.bianchi@posta.example")
    yes = browsing.post(
        "/console/people/p_7F3K2Q/why", {"a": a, "b": "card:29004471"}, **{"hx-request": "true"}
    )
    assert "Yes, one person." in yes.text
    no = browsing.post("/console/people/p_7F3K2Q/why", {"a": a, "b": "card:1"}, **{"hx-request": "true"})
    assert "No, not one person." in no.text


def test_erasing_needs_the_typed_name_and_leaves_a_receipt() -> None:
    browsing = Browsing()
    for typed in ("", "Anna", "p_7F3K2Q", "Anna Bianchi "[::-1]):
        assert browsing.post("/console/people/p_7F3K2Q/erase", {"name": typed}).status_code == 400
    assert not browsing.app.gone
    answer = browsing.post("/console/people/p_7F3K2Q/erase", {"name": " anna  bianchi "})
    assert answer.headers["location"] == "/console/privacy#er_NEW1"
    assert browsing.app.gone == {"p_7F3K2Q"}
    text = browsing.get("/console/privacy").text
    assert "er_NEW1" in text
    assert "Bianchi" not in text


def test_an_export_is_a_download_with_a_plain_name() -> None:
    answer = Browsing().post("/console/people/p_7F3K2Q/export")
    assert answer.headers["content-disposition"] == 'attachment; filename="person-p_7F3K2Q.zip"'
    assert answer.headers["content-type"] == "application/zip"
    assert answer.content[:2] == b"PK"


def test_a_key_is_shown_once_with_a_command_that_uses_it() -> None:
    browsing = Browsing()
    fields = {"name": "new-web", "channel": "web", "kind": "live", "assurance": "asserted"}
    assert browsing.post("/console/data/sources", fields).status_code == 303
    once = browsing.get("/console/data/sources").text
    key = "wk_new_0aBcDeFgHiJkLmNoPqRsTuVwXyZ"
    assert once.count(key) == 2
    assert f"curl -u {key}: http://testserver/v1/track" in html.unescape(once)
    assert key not in browsing.get("/console/data/sources").text
    assert "wk_rot_1" not in once
    browsing.post("/console/data/sources/rotate", {"name": "new-web"})
    assert "wk_rot_1aBcDeFgHiJkLmNoPqRsTuVwXyZ" in browsing.get("/console/data/sources").text


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""},
        {"name": "a b"},
        {"name": "web-shop"},
        {"channel": "fax"},
        {"kind": "x"},
        {"assurance": "sure"},
    ],
)
def test_a_source_that_cannot_be_is_refused_with_a_sentence(change: dict[str, str]) -> None:
    browsing = Browsing()
    fields = {"name": "new-web", "channel": "web", "kind": "live", "assurance": "asserted", **change}
    answer = browsing.post("/console/data/sources", fields)
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text
    assert not any(call[0] == "add_source" for call in browsing.app.calls)


def test_a_secret_key_carries_scopes_fields_masks_and_sources() -> None:
    browsing = Browsing()
    data = {
        "name": "partner",
        "scope": ["profiles:read", "decide", "root"],
        "fields": "given_name, language",
        "masked": "email",
        "source": ["tills"],
    }
    browsing.post("/console/data/keys", data)
    call = next(call for call in browsing.app.calls if call[0] == "add_key")
    assert call[1:] == (
        "partner",
        ["profiles:read", "decide"],
        ["given_name", "language"],
        ["email"],
        ["tills"],
    )
    assert browsing.post("/console/data/keys", {"name": "none"}).status_code == 400


def test_a_dead_letter_marks_the_field_and_is_replayed_as_edited() -> None:
    browsing = Browsing()
    page = browsing.get("/console/data/quarantine/dl_7").text
    assert re.search(r"<mark>[^<]*revenue[^<]*NaN[^<]*</mark>", page)
    text = html.unescape(re.search(r"(?s)<textarea[^>]*>\n(.*?)</textarea>", page)[1])  # type: ignore[index]
    unread = browsing.post("/console/data/quarantine/dl_7", {"message": text + "}"})
    assert unread.status_code == 422
    assert "This is not JSON" in unread.text
    same = browsing.post("/console/data/quarantine/dl_7", {"message": text.replace("\n", "\r\n")})
    assert same.status_code == 422
    assert browsing.app.calls[-2] == ("replay", "dl_7", None)
    mended = text.replace('"NaN"', "37.8")
    good = browsing.post("/console/data/quarantine/dl_7", {"message": mended})
    assert good.status_code == 303
    assert ("replay", "dl_7", mended) in browsing.app.calls
    assert "Accepted at its own time" in browsing.get("/console/data/quarantine").text
    assert browsing.get("/console/data/quarantine/dl_7").status_code == 404


def test_an_unknown_channel_is_mapped_and_replayed() -> None:
    browsing = Browsing()
    text = browsing.get("/console/data/quarantine").text
    assert "pos-lite" in text
    assert '<option value="pos" selected>' in text
    assert (
        browsing.post(
            "/console/data/quarantine/map", {"unknown": ref("pos-lite"), "channel": "fax"}
        ).status_code
        == 400
    )
    browsing.post("/console/data/quarantine/map", {"unknown": ref("pos-lite"), "channel": "pos"})
    assert ("map_channel", "pos-lite", "pos") in browsing.app.calls
    assert "3 events accepted" in browsing.get("/console/data/quarantine").text


def test_dead_letters_are_filtered_by_reason_and_source() -> None:
    browsing = Browsing()
    assert "Not a number" in browsing.get("/console/data/quarantine?code=not_a_number").text
    assert "Nothing waits for this reason" in browsing.get("/console/data/quarantine?code=too_deep").text
    assert browsing.get("/console/data/quarantine?code=%3Cscript%3E&source=%00").status_code == 200


def test_hostile_content_is_shown_and_never_interpreted() -> None:
    browsing = Browsing()
    pages = [
        browsing.get("/console/people/p_EVIL01"),
        browsing.get("/console/data/quarantine/dl_9"),
        browsing.post("/console/people", {"q": NASTY}),
    ]
    for page in pages:
        assert page.status_code == 200
        assert "<script>alert" not in page.text
        assert "\x00" not in page.text
        assert "\u202e" not in page.text
        assert len(gzip.compress(page.content)) < 40_000
    assert "&lt;script&gt;alert" in pages[0].text
    assert "⟦202E⟧" in pages[0].text
    assert "10,2" in pages[0].text


def test_a_hostile_search_is_an_answer() -> None:
    browsing = Browsing()
    for query in ("' OR 1=1 --", "<b>", "\u202e", "%", "\x00\x00", "x" * 10_240, "{{7*7}}", "a" * 600):
        answer = browsing.post("/console/people", {"q": query})
        assert answer.status_code == 200
        assert "49" not in re.findall(r"contains “(.*?)”", answer.text)


def test_text_for_people_and_text_for_fields_differ() -> None:
    assert readable("a\u202eb") == "a⟦202E⟧b"
    assert exact("a\u202eb") == "a\\u202eb"
    assert readable("\ud800") == "⟦D800⟧"
    assert readable(7) == 7


def test_decisions_explain_the_held_out_and_the_nothing() -> None:
    browsing = Browsing()
    held = browsing.get("/console/decisions/d_01JD7Q8ZK6").text
    assert "Why nothing was shown" in held
    assert "Others would have seen Descaling kit with beans" in held
    chosen = browsing.get("/console/decisions/d_01JD7Q8ZK3").text
    assert "From 8 to 1" in chosen
    assert "Dropped: consent" in chosen
    assert "€24.90" in chosen


@pytest.mark.parametrize("path", ["$.properties.price", "/properties/price", "properties.price"])
def test_a_field_path_is_read_in_each_of_its_spellings(path: str) -> None:
    lines = marked_lines('{"properties": {"price": "x", "a": [1, {"b": 2}]}}', path)
    assert [line for line, hit in lines if hit] == ['    "price": "x",']


def test_unreadable_and_endless_letters_are_still_shown() -> None:
    assert marked_lines("{oops", "a") == [("{oops", False)]
    assert len(marked_lines(str(list(range(5000))), "")) <= 800
    deep = "[" * 200 + "]" * 200
    assert marked_lines(deep, "0.0")


def test_the_palette_finds_people_and_places() -> None:
    browsing = Browsing()
    text = browsing.post("/console/palette", {"q": "quar"}, **{"hx-request": "true"}).text
    assert "/console/data/quarantine" in text
    assert "Be the customer" not in text
    people = browsing.post("/console/palette", {"q": "anna"}, **{"hx-request": "true"}).text
    assert "/console/people/p_7F3K2Q" in people


@pytest.mark.parametrize("path", ["/console", "/console/people", "/console/people/p_NOBODY"])
def test_every_page_carries_the_places_of_the_palette(path: str) -> None:
    text = Browsing().get(path).text
    known = places(with_shop=True, with_stories=True, with_practice=True, with_lake=True, with_results=True)
    listed = text[text.index('id="palette-list"') :]
    assert listed.count('role="option"') == len(known)
    assert all(f'href="{place[2]}"' in listed for place in known)


def test_the_shop_feed_shows_whom_the_screens_resolve_to() -> None:
    browsing = Browsing()
    browsing.app.tracked = [
        {"anonymousId": "shop-1", "event": "Product Viewed"},
        {"anonymousId": "kiosk-1", "event": "Identified"},
    ]
    text = browsing.post(
        "/console/shop/feed", {"web": "anonymous_id:shop-1", "kiosk": "anonymous_id:kiosk-1", "pos": ""}
    ).text
    assert "✓ One person" in text
    assert "/console/people/p_shop01" in text
    assert Browsing(FakeApp(with_shop=False)).get("/console/shop").status_code == 404


def test_themes_follow_the_cookie_and_nothing_else() -> None:
    browsing = Browsing()
    browsing.cookies.set("patron_theme", "dark")
    assert '<html lang="en" data-theme="dark">' in browsing.get("/console").text
    browsing.cookies.set("patron_theme", 'x" onload="y')
    assert 'onload="y' not in browsing.get("/console").text


RULES = "/console/people/rules"


def test_a_dry_run_of_rules_says_who_would_be_whom_and_keeps_what_was_written() -> None:
    browsing = Browsing()
    text = html.unescape(browsing.post(RULES, {"rules": "[identity]\ntotal_limit = 2"}).text)
    assert ("dry_run", {"total_limit": 2}) in browsing.app.calls
    assert "2,145 people today, 2,146 under these rules." in text
    assert "1 person of today would come apart." in text
    assert "e-mail a.bianchi@posta.example" in text
    assert "total_limit = 2</textarea>" in text
    assert "Everybody stays who they are" in browsing.post(RULES, {"rules": "[identity]"}).text


@pytest.mark.parametrize(
    ("rules", "sentence"),
    [
        ("[identity", "not valid TOML"),
        ("limit = 2", "no [identity] table"),
        ("[identity]\ntotal = 2", "no `total`"),
    ],
)
def test_rules_that_cannot_be_read_come_back_with_the_reason(rules: str, sentence: str) -> None:
    answer = Browsing().post(RULES, {"rules": rules})
    assert answer.status_code == 400
    assert sentence in html.unescape(answer.text)
    assert rules in html.unescape(answer.text)
    assert "today," not in answer.text
