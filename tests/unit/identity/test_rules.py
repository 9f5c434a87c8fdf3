"""The settings: what they decode from, and what they refuse."""

import msgspec
import pytest

from patron.identity.normalise import normalise
from patron.identity.rules import IdentityRules


def decode(**raw):
    return msgspec.convert(raw, IdentityRules)


def test_the_defaults_are_the_rule_as_written():
    plan = IdentityRules().plan
    assert plan.limits == {"user_id": 1, "email": 5, "phone": 5}
    assert plan.rules.total_limit == 100
    assert plan.rules.crowded == 200
    assert plan.sharing["anonymous_id"].user_ids == 2
    assert plan.sharing["anonymous_id"].emails == 2
    assert plan.sharing["email"].records == 6
    assert plan.sharing["email"].devices > 6 * 5
    assert plan.light == ("order_id:", "visit_id:")


def test_a_type_of_your_own_comes_before_the_devices():
    rules = decode(
        declared=[{"name": "wristband", "kind": "account", "limit": 2, "window": {"most": 1, "days": 7}}]
    )
    order = sorted(rules.plan.order, key=rules.plan.order.__getitem__)
    assert order.index("phone") < order.index("wristband") < order.index("anonymous_id")
    assert normalise("wristband", " W7 ", rules) == "W7"
    assert rules.plan.windows["wristband"] == (1, 7 * 86_400_000)


def test_a_known_type_can_be_changed_by_name():
    rules = decode(declared=[{"name": "email", "kind": "contact", "limit": 2, "strength": 2}])
    assert rules.plan.limits["email"] == 2
    assert rules.plan.order == IdentityRules().plan.order


def test_blocked_values_and_patterns_are_settings():
    rules = decode(blocked={"email": ["shop@shop.it"]}, blocked_patterns={"card": ["9+"]})
    assert normalise("email", "Shop@shop.it", rules) is None
    assert normalise("email", "noemail@shop.it", rules) == "noemail@shop.it"
    assert normalise("card", "999", rules) is None


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        ({"types": [{"name": "email"}]}, "must hold user_id"),
        ({"crowded": 0}, "crowded"),
        ({"neighbours": 1}, "neighbours"),
        ({"phone_region": "Italy"}, "phone_region"),
        ({"blocked_patterns": {"email": ["("]}}, "no regular expression"),
        ({"declared": [{"name": "Shoe Size"}]}, "lower-case"),
        ({"declared": [{"name": "tag", "strength": 3}]}, "strength"),
        ({"declared": [{"name": "tag", "limit": -1}]}, "limit"),
        ({"declared": [{"name": "tag", "sharing": {"emails": 1}}]}, "at least 2"),
        ({"declared": [{"name": "tag", "window": {"most": 0, "days": 7}}]}, "window"),
        ({"crowdedd": 10}, "crowdedd"),
    ],
)
def test_wrong_settings_are_refused_with_what_to_do(raw, says):
    with pytest.raises(msgspec.ValidationError, match=says):
        decode(**raw)
