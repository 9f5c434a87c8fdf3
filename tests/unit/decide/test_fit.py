"""What is due: a habit at its interval, more than a single purchase, and more than what is long overdue."""

import pytest

from patron.decide.fit import NAMES, Topic, Topics, wants

DAY = 24
DUE = NAMES.index("category due")


def due(times: int, interval: int, since: int) -> float:
    """How due a category is that was bought so often, so many days apart, so many days ago."""
    last = 1_000 * DAY
    row = [times, last - (times - 1) * interval * DAY, last, 0, 0, 0]
    fits = Topics([Topic((), ("c:tea",))]).fits(
        {"c:tea": row}, frozenset(), last + since * DAY, lambda _key: [20 * interval * DAY, 20]
    )
    assert fits is not None
    return float(fits[0, DUE])


def test_what_was_just_bought_is_not_due_and_at_its_interval_it_is() -> None:
    assert due(5, 30, 3) < 0.1 < 0.35 < due(5, 30, 33)


def test_a_habit_is_more_due_than_what_was_bought_once() -> None:
    assert due(6, 30, 33) > 1.5 * due(1, 30, 33)


def test_what_is_long_overdue_was_bought_elsewhere() -> None:
    assert due(5, 30, 90) < 0.75 * due(5, 30, 36)


def test_who_is_interested_in_nothing_that_is_offered_fits_nothing() -> None:
    topics = Topics([Topic(("p:A",), ("c:tea",))])
    assert topics.fits({"c:mugs": [1, 5, 5, 0, 0, 0]}, frozenset({"p:B"}), 9, lambda _key: None) is None
    in_cart = topics.fits({}, frozenset({"p:A"}), 9, lambda _key: None)
    assert in_cart is not None
    assert dict(zip(NAMES, in_cart[0].tolist(), strict=True)) == dict.fromkeys(NAMES, 0.0) | {"in cart": 1.0}


def test_it_stays_between_nothing_and_one() -> None:
    values = [due(times, 30, since) for times in (1, 2, 300) for since in range(0, 400, 7)]
    assert 0.0 <= min(values) <= max(values) <= 1.0


def test_what_somebody_wants_is_the_most_due_category_and_all_that_are_due() -> None:
    now = 1_000 * DAY
    month, over, fresh = (
        [5, now - (since + 4 * 30) * DAY, now - since * DAY, 0, 0, 0] for since in (33, 90, 1)
    )
    own = {
        "c:tea": month,
        "c:milk": month,
        "c:late": over,
        "c:new": fresh,
        "p:A": month,
        "c:seen": [0, 0, 0, now, 0, 0],
    }
    most, together = wants(own, now, lambda _key: [20 * 30 * DAY, 20])
    assert most == pytest.approx(due(5, 30, 33), abs=1e-6)  # the fits are float32
    assert together == pytest.approx(2 * most + due(5, 30, 90) + due(5, 30, 1), abs=1e-6)
    assert wants({"c:seen": own["c:seen"], "s:email": month}, now, lambda _key: None) == (0.0, 0.0)
