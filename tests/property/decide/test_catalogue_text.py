"""Reading catalogues: what was written is what is read, and no text breaks the reader."""

import re

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from patron.decide.catalogue import parse, read, version
from patron.decide.changes import changes, tried
from patron.decide.example import CATALOGUE_TOML
from patron.decide.reading.lines import line_of
from patron.decide.reading.references import broken
from patron.decide.variants import allows, content_for, missing
from patron.model.offers import Catalogue
from tests.property.costly import costly
from tests.property.decide.catalogue_text import PLACES, SEGMENTS, TEXT, catalogues, dump, quoted

LINES = CATALOGUE_TOML.split("\n")


@given(catalogues())
def test_what_is_written_is_what_is_read(catalogue: Catalogue) -> None:
    found = parse(dump(catalogue), SEGMENTS)
    assert found == catalogue
    assert version(found) == version(catalogue)
    assert not changes(catalogue, found)
    assert msgspec.convert(msgspec.to_builtins(found), Catalogue) == catalogue, "the API tells it whole"


@costly
@given(catalogues(), catalogues())
def test_versions_are_equal_as_catalogues_are(one: Catalogue, other: Catalogue) -> None:
    same = msgspec.json.encode(one, order="sorted") == msgspec.json.encode(other, order="sorted")
    assert (version(one) == version(other)) == same
    assert bool(changes(one, other)) != same


@costly
@given(catalogues(), st.data())
def test_a_changed_field_is_told_by_its_key(catalogue: Catalogue, data: st.DataObject) -> None:
    if not catalogue.offers:
        return
    at = data.draw(st.integers(0, len(catalogue.offers) - 1))
    old = catalogue.offers[at]
    new = msgspec.structs.replace(old, priority=0.1 if old.priority != 0.1 else 0.2)
    offers = (*catalogue.offers[:at], new, *catalogue.offers[at + 1 :])
    found = changes(catalogue, msgspec.structs.replace(catalogue, offers=offers))
    assert [(edit.id, edit.keys) for edit in found.offers.changed] == [(old.id, ("priority",))]
    assert version(msgspec.structs.replace(catalogue, offers=offers)) != version(catalogue)


@given(st.text(max_size=200) | st.text("[]{}=\"'.,#\n abcofert", max_size=120))
def test_no_text_breaks_the_reader(text: str) -> None:
    trial = tried(text)
    last = text.count("\n") + 1
    assert trial.ok == (not trial.faults)
    assert all(0 <= fault.line <= last for fault in trial.faults)


@given(
    st.integers(0, len(LINES) - 1),
    TEXT | st.sampled_from(["nan", "[]", "{}", "-1", "true", '""', "1979-05-27", "[[offer]]"]),
)
def test_a_line_of_the_example_that_says_something_else_is_read_or_refused_with_its_place(
    at: int, other: str
) -> None:
    key = re.match(r"\w+ = ", LINES[at])
    changed = [*LINES[:at], f"{key[0]}{other}" if key else other, *LINES[at + 1 :]]
    trial = tried("\n".join(changed))
    for fault in trial.faults:
        assert fault.problem
        assert 0 <= fault.line <= len(changed) + other.count("\n")
    if trial.ok:
        assert not list(broken(trial.catalogue))


@given(TEXT)
def test_any_name_stays_as_it_was_written(name: str) -> None:
    found, faults = read(f'[[offer]]\nid = "a"\nname = {quoted(name)}\ncontent = {{ {quoted(name)} = 1 }}')
    assert faults == ()
    assert (found.offers[0].name, found.offers[0].content) == (name, {name: 1})


@given(st.text(max_size=60), st.text("offer[]0123.variant", max_size=30))
def test_looking_for_a_line_always_ends(text: str, path: str) -> None:
    assert 0 <= line_of(text, path) <= text.count("\n") + 1


@given(catalogues(), st.sampled_from(PLACES), st.sampled_from(["", "it", "it-CH", "de", "de-ch", "EN"]))
def test_a_place_shows_all_that_it_needs_of_what_it_allows(
    catalogue: Catalogue, place: str, language: str
) -> None:
    for placement in catalogue.placements:
        for offer in catalogue.offers:
            shown = content_for(offer, placement.id, language)
            assert set(offer.content) <= set(shown)
            if allows(placement, offer):
                assert all(str(shown[name]).strip() for name in placement.needs)
            elif not offer.placements and not placement.families:
                assert list(missing(offer, placement))
