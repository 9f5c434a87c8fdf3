"""Logged decisions asked again with another choice."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from patron.decide.offpolicy.compare import compare
from patron.decide.offpolicy.evaluate import evaluate
from patron.decide.offpolicy.replay import Got, Slate, greedy, lifted, replay, rescored, without

HOUR = 3_600_000
SCORES = {"tea": 0.4, "mug": 0.3, "nothing": 0.1}
UNIFORM = {"tea": 1 / 3, "mug": 1 / 3, "nothing": 1 / 3}


def slate(at: int, action: str, reward: float = 0.0, person: str = "p_1", **more: object) -> Slate:
    given = {"scores": SCORES, "chances": UNIFORM} | more
    return Slate(f"d_{at}", person, at * HOUR, action, 1 / 3, reward, **given)  # type: ignore[arg-type]


def uniform(one: Slate, _past: Sequence[Got]) -> Mapping[str, float]:
    return dict.fromkeys(one.scores, 1 / len(one.scores))


def test_the_same_choice_gives_the_same_policy() -> None:
    found = replay([slate(i, list(SCORES)[i % 3], i % 2) for i in range(300)], uniform)
    assert found.rows.weight == pytest.approx(np.ones(300))
    assert found.rows.outside == pytest.approx(np.zeros(300))
    assert found.given == pytest.approx({"tea": 100, "mug": 100, "nothing": 100})
    assert found.given_before == {"tea": 100, "mug": 100, "nothing": 100}
    assert found.worth == pytest.approx(found.worth_before)


def test_who_would_have_got_what_and_what_it_is_worth() -> None:
    found = replay([slate(0, "mug"), slate(1, "tea")], greedy)
    first = found.would[0]
    assert (first.was, first.now, first.chance, first.same) == ("mug", "tea", 1.0, 0.0)
    assert (first.worth, first.worth_before) == (pytest.approx(0.4), pytest.approx(0.8 / 3))
    assert found.rows.target.tolist() == [0.0, 1.0]


def test_a_rule_takes_candidates_away() -> None:
    rule = without(greedy, lambda one, past, action: action == "tea" and one.time < HOUR)
    found = replay([slate(0, "mug"), slate(1, "mug")], rule)
    assert [one.now for one in found.would] == ["mug", "tea"]


def test_a_tighter_cap_counts_what_the_person_really_got() -> None:
    def twice(one: Slate, past: Sequence[Got], action: str) -> bool:
        return action != "nothing" and sum(got.action == action for got in past) >= 2

    log = [slate(i, "tea") for i in range(4)] + [slate(9, "tea", person="p_2")]
    found = replay(log, without(greedy, twice))
    assert [one.now for one in found.would] == ["tea", "tea", "mug", "mug", "tea"]
    assert found.given == {"tea": 3.0, "mug": 2.0}


def test_a_formula_ranks_anew() -> None:
    cost = {"tea": 0.3, "mug": 0.0, "nothing": 0.0}
    found = replay([slate(0, "tea")], rescored(greedy, lambda one, action: one.scores[action] - cost[action]))
    assert found.would[0].now == "mug"


def test_a_lifted_gate_shows_who_but_not_what_it_earns() -> None:
    log = [slate(i, "tea", 1.0, person=f"p_{i}", stopped={"hat": ("cap", 0.9)}) for i in range(500)]
    found = replay(log, lifted(greedy, "cap"))
    assert found.given == {"hat": 500.0}
    assert found.worth == pytest.approx(0.9)
    assert found.rows.outside == pytest.approx(np.ones(500))
    assert evaluate(found.rows).verdict.name == "refused"
    assert replay(log, lifted(greedy, "quiet")).given == {"tea": 500.0}


def test_a_candidate_that_the_log_could_not_draw_lies_outside() -> None:
    sure = slate(0, "tea", chances={"tea": 1.0})
    assert replay([sure], uniform).rows.outside == pytest.approx([2 / 3])
    unknown = slate(0, "tea", chances=None)
    assert replay([unknown], uniform).rows.outside == pytest.approx([0.0])


def test_the_whole_way_to_a_comparison() -> None:
    rng = np.random.default_rng(6)
    rate = {"tea": 0.5, "mug": 0.2, "nothing": 0.0}
    drawn = [list(SCORES)[k] for k in rng.integers(0, 3, 3000)]
    log = [slate(i, a, float(rng.random() < rate[a]), person=f"p_{i % 1000}") for i, a in enumerate(drawn)]
    found = compare(replay(log, greedy).rows)
    assert found.outcome == "better"
    assert found.difference
    assert found.difference.low <= 0.5 - 0.7 / 3 <= found.difference.high
    assert found.evaluation.diagnostics
    assert found.evaluation.diagnostics.units == 1000


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"tea": 0.5}, "a sum of 0.5"),
        ({"tea": 1.5, "mug": -0.5}, "tea: 1.5, mug: -0.5"),
        ({"sofa": 1.0}, "sofa was no candidate"),
    ],
)
def test_a_choice_that_is_none_is_an_error_with_the_decision(given: dict[str, float], said: str) -> None:
    with pytest.raises(ValueError, match=rf"decision d_3: .*{said}"):
        replay([slate(3, "tea")], lambda one, past: given)


def test_an_empty_log_and_an_empty_slate() -> None:
    assert len(replay([], greedy).rows) == 0
    only = replay([slate(0, "nothing", scores={}, chances=None)], greedy)
    assert only.would[0].now == "nothing"
