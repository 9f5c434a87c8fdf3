"""Facts of two nodes, by hand: the latest write stands, counts add up, and a bound drops what the profile drops."""

from patron.profiles.partial import Consent, Order, Partial
from patron.profiles.rules import ProfileRules
from patron.runtime.decisions.known import LazyFacts, consents_of

DAY = 86_400_000
TIGHT = ProfileRules(names=1, traits=1, consents=1)
PARTS = [
    (
        "user_id:7",
        Partial(events=3, first=DAY, last=3 * DAY, counters={"a": 2, "b": 1}, traits={"city": ("Bari", (1, "s/1"))}),
    ),
    (
        "anonymous_id:c",
        Partial(
            events=2, first=2 * DAY, last=5 * DAY, counters={"b": 2},
            traits={"city": ("Rome", (2, "s/2")), "plan": (None, (3, "s/3"))},
            consents={("ads", "*"): Consent((4, "s/4"), False), ("sms", "*"): Consent((5, "s/5"), True)},
            orders={"o1": Order((5, "s/5"), 1000, "EUR", "web")},
        ),
    ),
]  # fmt: skip


def test_two_nodes_are_one_person() -> None:
    facts = LazyFacts(PARTS, {}, 10 * DAY, ProfileRules())
    asked = ("traits.city", "traits.plan", "counters.a", "counters.b", "first_seen_days", "last_seen_days")
    assert [facts.get(field) for field in asked] == ["Rome", None, 2, 3, 9, 5]
    assert [facts.get(field) for field in ("totals.orders", "totals.revenue.EUR")] == [1, 1000]
    assert facts.get("totals.revenue") == 0.1, "what the learned policy looks at"
    swapped = LazyFacts(PARTS[::-1], {}, 10 * DAY, ProfileRules())
    assert [swapped.get(field) for field in asked] == ["Rome", None, 2, 3, 9, 5]


def test_what_a_bound_drops_is_no_fact() -> None:
    facts = LazyFacts(PARTS, {}, 10 * DAY, TIGHT)
    assert [facts.get(f) for f in ("traits.city", "counters.a", "counters.b")] == [None, 2, None]
    assert consents_of(PARTS, TIGHT) == {("sms", "*"): (True, 5)}
    assert consents_of(PARTS, ProfileRules()) == {("ads", "*"): (False, 4), ("sms", "*"): (True, 5)}
