"""Where a fault stands in a text, and what loading would change."""

import pytest

from patron.decide.catalogue import parse
from patron.decide.changes import Changes, Edit, changes, tried
from patron.decide.example import CATALOGUE_TOML
from patron.decide.reading.lines import line_of, lines
from patron.decide.variants import content_for, refusal
from patron.model.offers import Catalogue, Offer, Placement, Variant

TEXT = '''# a comment with [[offer]] in it
[[offer]]
id = "tea"          # and a # here
name = """
[[offer]]
id = "not this"
"""
conditions = [
  { field = "totals.orders", op = ">=", value = 1 },
  { field = "x", op = "=" },
]
[offer.content]
title = 'it''s [not] "quoted'
"quoted key" = 1
nested.deep = 2

[[ offer.variant ]]
content = { title = "Tè" }
  [[offer.variant]]
  languages = ["x!"]
[[offer]]
id = "mug"
[[offer.variant]]
content = {}
[quiet]
start = "25:00"
'''.replace("'it''s", "'its")


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("offer[0]", 2),
        ("offer[0].id", 3),
        ("offer[0].name", 4),
        ("offer[0].conditions[1]", 8),
        ("offer[0].content.title", 13),
        ("offer[0].content.quoted key", 14),
        ("offer[0].content.nested.deep", 15),
        ("offer[0].variant[0].content.title", 18),
        ("offer[0].variant[1].languages[0]", 20),
        ("offer[1].id", 22),
        ("offer[1].name", 21),
        ("offer[1].variant[0].content", 24),
        ("quiet.end", 25),
        ("quiet.start", 26),
        ("scoring.formula", 0),
        ("]]", 0),
    ],
)
def test_a_path_leads_to_its_line_or_to_what_is_around_it(path: str, line: int) -> None:
    assert line_of(TEXT, path) == line


def test_what_is_no_toml_says_its_line() -> None:
    assert tried("a = 1\nb = \n").faults[0].line == 2
    assert tried('a = "').faults[0].line == 1


def test_every_part_of_the_example_has_a_line() -> None:
    found = lines(CATALOGUE_TOML)
    text = CATALOGUE_TOML.split("\n")
    for number, offer in enumerate(parse(CATALOGUE_TOML).offers):
        assert text[found[f"offer[{number}].id"] - 1] == f'id = "{offer.id}"'


def test_a_trial_tells_all_that_would_change_and_nothing_of_a_faulty_text() -> None:
    now = parse(CATALOGUE_TOML)
    assert tried(CATALOGUE_TOML, now).changes == Changes()
    assert not tried(CATALOGUE_TOML, now).changes
    other = CATALOGUE_TOML.replace('id = "come-back"', 'id = "back-again"').replace(
        "value = 24.9", "value = 25"
    )
    other = (
        other.replace("slots = 3", "slots = 4", 1).replace("limit = 2", "limit = 3").replace("21:00", "22:00")
    )
    trial = tried(other, now)
    assert trial.ok
    assert trial.changes.offers.added == ("back-again",)
    assert trial.changes.offers.removed == ("come-back",)
    assert trial.changes.offers.changed == (Edit("descaling-kit", ("value",)),)
    assert trial.changes.placements.changed == (Edit("web_home", ("slots",)),)
    assert trial.changes.caps.changed == (Edit("messages-a-week", ("limit",)),)
    assert trial.changes.other == ("quiet",)
    bad = tried(other + "[x]\n", now)
    assert (bad.ok, bad.version, bad.changes) == (False, "", Changes())


def test_another_order_and_other_variants_are_changes() -> None:
    a, b = Offer(id="a", name="A"), Offer(id="b", name="B", variants=(Variant({"t": 1}),))
    plain = Offer(id="b", name="B")
    found = changes(Catalogue((a, b)), Catalogue((plain, a)))
    assert found.other == ("order",)
    assert found.offers.changed == (Edit("b", ("variant",)),)


def test_the_first_variant_that_fits_lies_over_the_content() -> None:
    tea = Offer(
        id="tea",
        name="Tea",
        content={"title": "Tea", "price": "4.50"},
        variants=(
            Variant({"title": "Till tea in Swiss German"}, ("till",), ("de-CH",)),
            Variant({"title": "Tee"}, (), ("de",)),
            Variant({"title": "Tea?", "say": "Tea?"}, ("till",)),
        ),
    )
    assert content_for(tea, "till", "de_ch")["title"] == "Till tea in Swiss German"
    assert content_for(tea, "web", "de-CH") == {"title": "Tee", "price": "4.50"}
    assert content_for(tea, "till", "dex")["title"] == "Tea?"
    assert content_for(tea, "till")["title"] == "Tea?"
    assert content_for(tea, "web") == tea.content
    assert tea.content == {"title": "Tea", "price": "4.50"}, "nothing is laid into the offer itself"


def test_a_place_says_why_it_never_shows_an_offer() -> None:
    tea = Offer(
        id="tea",
        name="Tea",
        content={"title": "Tea"},
        family="hot",
        variants=(Variant({"title": ""}, languages=("it",)),),
    )
    assert refusal(Placement("till", "Till"), tea) == ""
    assert refusal(Placement("till", "Till", needs=("title",)), tea) == "Needs title, which its content lacks"
    assert refusal(Placement("till", "Till", families=("cold",)), tea) == "Shows only the families cold"
    named = Offer(id="tea", name="Tea", placements=("web",))
    assert refusal(Placement("till", "Till"), named) == "Only for web"


def test_yes_is_not_one_and_the_order_of_keys_is_no_change() -> None:
    one, two = (Offer(id="a", name="A", content={"x": x, "y": 1}) for x in (1, True))
    assert changes(Catalogue((one,)), Catalogue((two,))).offers.changed == (Edit("a", ("content",)),)
    turned = Offer(id="a", name="A", content={"y": 1, "x": 1})
    assert not changes(Catalogue((one,)), Catalogue((turned,)))
