"""From an event to its identifiers and its one node."""

from typing import Any

import pytest

from patron.identity.claims import locate
from patron.identity.rules import IdentityRules
from patron.model.events import Event, ExternalId

RULES = IdentityRules()


def event(call: str = "track", name: str = "Product Viewed", channel: str = "web", **fields: Any) -> Event:
    return Event(1, "shop", channel, call, name, "m-1", fields.pop("time", 1000), 2000, **fields)


def claims(
    one: Event, rules: IdentityRules = RULES, cuts: dict[str, list[int]] | None = None
) -> dict[str, int]:
    place = locate(one, rules, cuts or {})
    return {} if place is None else {c.key: c.strength for c in place.claims}


def node(one: Event, rules: IdentityRules = RULES) -> str | None:
    place = locate(one, rules, {})
    return place.node if place else None


def test_nothing_is_a_dead_letter():
    assert locate(event(), RULES, {}) is None
    assert locate(event(user_id="null", anonymous_id="  "), RULES, {}) is None


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"user_id": "7", "anonymous_id": "c1", "traits": {"email": "a.b@x.it"}}, "user_id:7"),
        ({"anonymous_id": "c1", "traits": {"email": "a.b@x.it", "phone": "3331234567"}}, "anonymous_id:c1"),
        ({"traits": {"phone": "3331234567", "email": "a.b@x.it"}}, "email:a.b@x.it"),
        ({"user_id": "guest", "traits": {"loyalty_card": "K 77"}}, "card:K77"),
        ({"external_ids": (ExternalId("android.id", "d1"), ExternalId("crm", "9"))}, "crm_id:9"),
        ({"name": "Order Completed", "properties": {"order_id": 881}}, "order_id:881"),
        (
            {"name": "Order Completed", "properties": {"receipt_number": 5}, "touchpoint": "till-1"},
            "order_id:till-1/5",
        ),
    ],
)
def test_the_node_is_the_strongest(fields, expected):
    assert node(event(**fields)) == expected


def test_only_order_events_carry_an_order():
    assert node(event(properties={"order_id": "881"})) is None
    assert node(event(name="Receipt Claimed", properties={"orderId": "881"})) == "order_id:881"
    assert locate(event(name="Order Completed", properties={"order_id": "881"}), RULES, {}).light


@pytest.mark.parametrize(
    ("channel", "fields", "email"),
    [
        ("web", {"anonymous_id": "c1"}, 2),
        ("web", {"user_id": "7"}, 0),
        ("kiosk", {"anonymous_id": "c1"}, 2),
        ("pos", {"user_id": "7"}, 2),
        ("call_centre", {"user_id": "7"}, 1),
        ("crm", {}, 1),
        ("kiosk", {"context": {"identification": {"mode": "code"}}}, 0),
    ],
)
def test_the_strength_says_how_it_is_known(channel, fields, email):
    assert (
        claims(event("identify", "Identified", channel, traits={"email": "a.b@x.it"}, **fields))[
            "email:a.b@x.it"
        ]
        == email
    )


def test_shared_devices_are_nobody():
    at = {"channel": "kiosk", "touchpoint": "kiosk-1"}
    device = (ExternalId("device_id", "hw-1"),)
    assert locate(event(anonymous_id="kiosk-1", external_ids=device, **at), RULES, {}) is None
    assert claims(event(anonymous_id="c17", external_ids=device, **at)) == {"anonymous_id:c17": 0}
    assert claims(event(anonymous_id="kiosk-1", channel="web", touchpoint="kiosk-1")) == {
        "anonymous_id:kiosk-1": 0
    }
    rules = IdentityRules(shared_devices=frozenset({"tablet-9", "hw-2"}))
    assert locate(event(anonymous_id="tablet-9"), rules, {}) is None
    assert locate(event(external_ids=(ExternalId("device_id", "hw-2"),)), rules, {}) is None


def test_a_visit_is_known_by_shared_device_and_visit_id():
    at = {
        "channel": "kiosk",
        "touchpoint": "kiosk-1",
        "anonymous_id": "kiosk-1",
        "properties": {"visit_id": "v7"},
    }
    place = locate(event(**at), RULES, {})
    assert (place.node, place.light) == ("visit_id:kiosk-1/v7", True)
    identified = claims(event(**at, traits={"email": "a.b@x.it"}))
    assert identified == {"email:a.b@x.it": 2, "visit_id:kiosk-1/v7": 0}
    assert "visit_id" not in str(claims(event(anonymous_id="c1", properties={"visit_id": "v7"})))


def test_alias_names_two_ids_and_may_be_of_either_kind():
    assert claims(event("alias", "Aliased", user_id="7", previous_id="old")) == {
        "user_id:7": 0,
        "user_id:old": 0,
        "anonymous_id:old": 0,
    }
    assert node(event("alias", "Aliased", user_id="7", previous_id="3")) == "user_id:7"


def test_a_group_call_says_nothing_of_the_group_as_a_person():
    one = event(
        "group",
        "Grouped",
        user_id="7",
        group_id="acme",
        traits={"email": "info.desk@acme.it", "firstName": "Acme"},
    )
    place = locate(one, RULES, {})
    assert [c.key for c in place.claims] == ["user_id:7"]
    assert place.given_name == ""


def test_an_event_speaks_of_one_user():
    one = event(user_id="7", external_ids=(ExternalId("user_id", "8"), ExternalId("shoe_size", "43")))
    assert claims(one) == {"user_id:7": 0}


def test_names_and_births_are_read_from_traits():
    place = locate(
        event(
            "identify", "Identified", user_id="7", traits={"first_name": " ÀNNA ", "birthday": "1980-02-01"}
        ),
        RULES,
        {},
    )
    assert (place.given_name, place.birth_date) == ("anna", "1980-02-01")
    junk = locate(
        event("identify", "Identified", user_id="7", traits={"first_name": 7, "birthday": "1900-01-01"}),
        RULES,
        {},
    )
    assert (junk.given_name, junk.birth_date) == ("", "")


def test_a_cut_names_the_identifier_anew_from_its_time_on():
    cuts = {"anonymous_id:c1": [500, 1500]}
    names = [next(iter(claims(event(anonymous_id="c1", time=t), cuts=cuts))) for t in (499, 500, 1499, 1500)]
    assert names == ["anonymous_id:c1", "anonymous_id:c1~500", "anonymous_id:c1~500", "anonymous_id:c1~1500"]
    place = locate(event(user_id="7", anonymous_id="c1", time=600), RULES, cuts)
    assert [c.key for c in place.claims] == ["user_id:7", "anonymous_id:c1~500"]
    assert locate(event(anonymous_id="c1", time=600), RULES, cuts).node == "anonymous_id:c1~500"


def test_an_event_gives_a_bounded_number_of_identifiers():
    many = tuple(ExternalId("email", f"a.b{i}@x.it") for i in range(100))
    one = event(anonymous_id="c1", external_ids=many)
    assert len(claims(one)) == RULES.claims
    assert node(one) == "anonymous_id:c1"
    assert "anonymous_id:c1" in claims(one)


def test_strange_values_are_passed_over():
    traits = {"email": ["a.b@x.it"], "phone": True, "card": {"n": 1}, "crm_id": None}
    assert claims(event(anonymous_id="c1", traits=traits)) == {"anonymous_id:c1": 0}


def test_numbers_and_texts_are_one_identifier():
    assert node(event(user_id="7")) == node(event(external_ids=(ExternalId("user_id", "7"),)))
    assert claims(event(anonymous_id="c1", traits={"crm_id": 55})) == {"crm_id:55": 1, "anonymous_id:c1": 0}


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ({"country": "ES"}, "phone:+34612903478"),
        ({"country": "es"}, "phone:+34612903478"),
        ({"country": "Spain"}, "phone:+39612903478"),
        ({"country": "XX"}, "phone:+39612903478"),
        ({"country": 34}, "phone:+39612903478"),
        ("Madrid", "phone:+39612903478"),
        (None, "phone:+39612903478"),
    ],
)
def test_a_bare_phone_number_is_dialled_from_the_country_of_the_address(address: Any, key: str) -> None:
    traits = {"phone": "612 903 478", "address": address}
    assert key in claims(event(call="identify", traits=traits))
    # what was learnt for one country is not taken for another
    assert "phone:+44612903478" in claims(
        event(call="identify", traits={"phone": "612 903 478", "address": {"country": "GB"}})
    )


def test_a_number_with_its_country_stays_what_it_is() -> None:
    traits = {"phone": "+44 7412 330871", "address": {"country": "ES"}}
    assert "phone:+447412330871" in claims(event(call="identify", traits=traits))
