"""Each method joins what it says, by hand-made records."""

from patron.sim.identity.joins import (
    MANY,
    evidence,
    exact_joins,
    normalised_joins,
    with_guards,
    without_crowds,
)
from patron.sim.identity.metrics import groups
from patron.sim.identity.records import Record


def record(
    key: str, person: int, *more: str, names: str = "", births: str = "", country: str = "IT"
) -> Record:
    return Record(
        key,
        person,
        person // 4,
        country,
        frozenset({key, *more}),
        frozenset(names.split()),
        frozenset(births.split()),
    )


def test_exact_joins_are_transitive_and_read_what_is_written() -> None:
    chain = [
        record("card:1", 0, "email:a@x.example"),
        record("crm_id:C", 0, "email:a@x.example", "phone:333"),
        record("phone:333", 0),
        record("email:A@x.example", 0),
    ]
    assert groups(exact_joins(chain)) == {(0, 1, 2), (3,)}
    assert groups(normalised_joins(chain)) == {(0, 1, 2, 3)}


def test_one_writing_for_phones_by_country() -> None:
    numbers = [
        record("card:1", 0, "phone:0039 347 123 4567"),
        record("card:2", 0, "phone:347 1234567"),
        record("card:3", 0, "phone:+393471234567", country=""),
        record("card:4", 1, "phone:347 1234567", country="ES"),
    ]
    assert groups(normalised_joins(numbers)) == {(0, 1, 2), (3,)}


def test_a_crowded_identifier_joins_nobody() -> None:
    def crowd(n: int) -> list[Record]:
        return [record(f"card:{k}", k, "email:no@no.example") for k in range(n)]

    assert len(groups(without_crowds(crowd(MANY)))) == 1
    assert len(groups(without_crowds(crowd(MANY + 1)))) == MANY + 1
    assert len(groups(normalised_joins(crowd(MANY + 1)))) == 1


def test_a_browser_on_which_two_people_told_who_they_are_joins_nobody() -> None:
    tablet = [
        record("anonymous_id:t", 0, "user_id:a"),
        record("anonymous_id:t", 1, "user_id:b"),
        record("card:1", 0, "user_id:a"),
    ]
    assert groups(without_crowds(tablet)) == {(0, 1, 2)}
    assert groups(with_guards(tablet)) == {(0, 2), (1,)}
    addresses = [record("anonymous_id:t", n, f"email:{n}@x.example") for n in range(2)]
    assert groups(with_guards(addresses)) == {(0,), (1,)}
    same = [
        record("anonymous_id:t", n, text)
        for n, text in enumerate(["email:a@x.example", "email: A+s@x.example"])
    ]
    assert groups(with_guards(same)) == {(0, 1)}


def test_an_address_that_met_two_names_joins_nobody() -> None:
    def family(*names: str) -> list[Record]:
        return [record(f"crm_id:{k}", k, "email:casa@x.example", names=name) for k, name in enumerate(names)]

    assert groups(with_guards(family("Anna", "Marco"))) == {(0,), (1,)}
    assert groups(with_guards(family("Marco", "Macro"))) == {(0, 1)}
    births = [
        record("crm_id:1", 0, "phone:+393471234567", births="1980-01-02"),
        record("crm_id:2", 1, "phone:+393471234567", births="1981-01-02"),
    ]
    assert groups(with_guards(births)) == {(0,), (1,)}


def test_the_ceiling_joins_within_true_people_only() -> None:
    shared = [
        record("card:1", 0, "email:casa@x.example"),
        record("card:2", 0, "email:CASA@x.example "),
        record("card:3", 1, "email:casa@x.example"),
        record("card:4", 0),
    ]
    assert groups(evidence(shared)) == {(0, 1), (2,), (3,)}
