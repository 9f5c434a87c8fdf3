"""One writing for each identifier, apart from the product's own."""

import pytest

from patron.sim.identity.writing import conflict, normal_email, normal_phone


@pytest.mark.parametrize(
    ("text", "country", "number"),
    [
        ("+34612345678", "IT", "+34612345678"),
        ("612 345 678", "ES", "+34612345678"),
        ("0034612345678", "ES", "+34612345678"),
        ("07412 345 678", "GB", "+447412345678"),
        ("0511234567", "IT", "+390511234567"),
        ("612345678", "", "+34612345678"),
        ("0000000000", "IT", "?0000000000"),
        ("call me", "IT", "?"),
    ],
)
def test_phones_are_read_as_their_market_writes_them(text: str, country: str, number: str) -> None:
    assert normal_phone(text, country) == number


@pytest.mark.parametrize(
    "text", ["a.b@x.example", " A.B@X.example ", "a.b+shop@x.example", "A.b+1+2@x.example"]
)
def test_mail_addresses_have_one_writing(text: str) -> None:
    assert normal_email(text) == "a.b@x.example"


@pytest.mark.parametrize(
    ("a", "b", "differ"),
    [
        ("Marco", "marco", False),
        ("Inés", "Ines", False),
        ("Marco", "Macro", False),
        ("Marco", "Marcoo", False),
        ("Marco", "Marxo", False),
        ("Luca", "Lucia", False),
        ("Marco", "Macor", True),
        ("Anna", "Marco", True),
        ("Marco", "Marcello", True),
    ],
)
def test_names_that_are_more_than_a_slip_apart_are_two_people(a: str, b: str, differ: bool) -> None:
    assert conflict(a, b) is conflict(b, a) is differ
