"""Laws of asking logged decisions again."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from patron.decide.offpolicy.replay import Got, Replayed, Slate, replay, rescored, without

ACTIONS = ("a", "b", "c", "nothing")


@st.composite
def slates(draw: st.DrawFn) -> list[Slate]:
    found = []
    for at in range(draw(st.integers(1, 20))):
        candidates = draw(st.lists(st.sampled_from(ACTIONS), min_size=1, unique=True))
        shares = draw(st.lists(st.integers(1, 9), min_size=len(candidates), max_size=len(candidates)))
        chances = {action: share / sum(shares) for action, share in zip(candidates, shares, strict=True)}
        action = draw(st.sampled_from(candidates))
        scores = {one: draw(st.floats(-5, 5)) for one in candidates}
        person = draw(st.sampled_from(("p_1", "p_2", "p_3")))
        found.append(
            Slate(f"d_{at}", person, at, action, chances[action], draw(st.floats(-1, 1)), scores, chances)
        )
    return found


def soft(slate: Slate, _past: Sequence[Got]) -> Mapping[str, float]:
    weight = np.exp(list(slate.scores.values()))
    return dict(zip(slate.scores, (weight / weight.sum()).tolist(), strict=True))


def as_logged(slate: Slate, _past: Sequence[Got]) -> Mapping[str, float]:
    assert slate.chances is not None
    return slate.chances


@given(slates())
def test_what_is_given_sums_to_the_number_of_decisions(log: list[Slate]) -> None:
    found = replay(log, soft)
    assert sum(found.given.values()) == pytest.approx(len(log))
    assert sum(found.given_before.values()) == len(log)
    assert [one.same for one in found.would] == pytest.approx(found.rows.target.tolist())
    assert all(one.chance >= one.same for one in found.would)
    assert found.worth == pytest.approx(np.mean([one.worth for one in found.would]))


@given(slates())
def test_the_logging_policy_asked_again_is_itself(log: list[Slate]) -> None:
    found = replay(log, as_logged)
    assert found.rows.weight == pytest.approx(np.ones(len(log)))
    assert found.rows.outside is not None
    assert not found.rows.outside.any()
    assert found.worth == pytest.approx(found.worth_before)


@given(slates())
def test_a_rule_that_stops_nothing_and_a_formula_that_changes_nothing_change_nothing(
    log: list[Slate],
) -> None:
    def same(one: Replayed) -> tuple[object, ...]:
        return one.would, one.given, one.worth

    plain = same(replay(log, soft))
    assert same(replay(log, without(soft, lambda slate, past, action: False))) == plain
    assert same(replay(log, rescored(soft, lambda slate, action: slate.scores[action]))) == plain


@given(slates())
def test_what_a_choice_sees_of_the_past_is_the_person_s_own_and_earlier(log: list[Slate]) -> None:
    def look(slate: Slate, past: Sequence[Got]) -> Mapping[str, float]:
        own = [
            Got(one.time, one.action) for one in log if one.person == slate.person and one.time < slate.time
        ]
        assert list(past) == own
        return soft(slate, past)

    replay(log, look)
