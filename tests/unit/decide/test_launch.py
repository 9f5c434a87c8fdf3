"""The launch path as values: stages, definitions, how a policy ranks, tallies and guards."""

import numpy as np
import pytest

from patron.decide.catalogue import parse
from patron.decide.eligible import Known
from patron.decide.index import CatalogueIndex
from patron.decide.launch import guards
from patron.decide.launch.ranking import Ranked, Scorers, catalogue_for, would
from patron.decide.launch.reading import read
from patron.decide.launch.sequential import margin
from patron.decide.launch.stages import PATH, STAGES, following, may_change, out_of_order, steps
from patron.decide.launch.tally import CHALLENGER, CHAMPION, METRICS, Tally
from patron.decide.learn.grid import reward_steps
from patron.decide.rating import Learned, propensities
from patron.decide.record import Terms, spell, weigh
from patron.decide.scoring import Expected, Places, Scorer
from patron.model.errors import BadRequest
from patron.model.offers import Ask
from patron.model.policies import Guard, Launch, Policy

OFFERS = "".join(
    f'[[offer]]\nid = "o{n}"\nname = "Offer {n}"\nvalue = {n + 1}\ncost = 0.{n}\n' for n in range(6)
)
INDEX = CatalogueIndex(parse(OFFERS))


class Fixed:
    """A model that expects the same at every ask."""

    def __init__(self, propensity: list[float], seen: int = 400, nothing: float = 0.05) -> None:
        self.propensity = np.array(propensity)
        self.seen = seen
        self.nothing = nothing

    def expect(self, index: CatalogueIndex, places: Places, ask: Ask, known: Known, now: int) -> Expected:
        return Expected(self.propensity[places], self.nothing, seen=self.seen)


MODEL = Fixed([0.3, 0.1, 0.22, 0.05, 0.04, 0.11])


def made(policy: Policy | None, seed: int = 5) -> tuple[object, object]:
    """A decision by a policy (None: the default), and its record in full."""
    plain = Policy("base", "Base", ("web_home",)) if policy is None else policy
    scorer = Scorer(catalogue_for(plain, INDEX.catalogue))
    ranking = Learned(scorer, MODEL) if policy is None else Ranked(policy, scorer, MODEL, "it-1")
    drawn = weigh(INDEX, Ask("web_home"), Known("user_id:1", "p_1", {}), Terms("d_1", seed), ranking)
    return drawn, spell(drawn, INDEX)


def policies() -> list[Policy]:
    return [
        Policy("a", "A", ("web_home",)), Policy("b", "B", ("web_home",), explore=4.0), Policy("c", "C", ("web_home",), "greedy"),
        Policy("d", "D", ("web_home",), "uniform"), Policy("e", "E", ("web_home",), "rules"),
        Policy("f", "F", ("web_home",), formula="propensity * value * 2 - cost * 3"),
        Policy("g", "G", ("web_home",), "greedy", formula="propensity * priority"),
        Policy("h", "H", ("web_home",), "rules", formula="value / (1 + cost)"),
    ]  # fmt: skip


@pytest.mark.parametrize("policy", policies(), ids=lambda policy: policy.id)
def test_what_a_policy_had_done_follows_from_the_record_of_another(policy: Policy) -> None:
    """The record keeps scores in 256 steps, so chances agree but for these."""
    drawn, _ = made(policy)
    live = propensities(drawn.rating)
    _, record = made(None)
    scorers = Scorers(INDEX, Scorer(INDEX.catalogue), Scorer(catalogue_for(policy, INDEX.catalogue)))
    found = would(policy, record, scorers)
    assert found is not None
    assert found.sum() == pytest.approx(1.0)
    assert np.abs(found - live).max() < 0.01
    assert drawn.policy == "it-1"


def test_a_policy_finds_its_own_chances_in_its_own_record_to_the_last_bit() -> None:
    for policy in policies():
        drawn, record = made(policy)
        own = Scorer(catalogue_for(policy, INDEX.catalogue))
        found = would(policy, record, Scorers(INDEX, own, own))
        if policy.kind in ("rules", "uniform"):
            assert found == pytest.approx(propensities(drawn.rating), abs=0.01)
        else:
            assert found.tolist() == propensities(drawn.rating).tolist(), policy.id


def test_kinds_choose_as_they_say() -> None:
    chances = {policy.id: propensities(made(policy)[0].rating) for policy in policies()}
    best = chances["a"].argmax()
    assert chances["c"].tolist() == [float(n == best) for n in range(7)]
    assert chances["d"] == pytest.approx(1 / 7)
    assert chances["b"][best] < chances["a"][best] < 1.0, "who tries more gives the best less often"
    assert chances["e"].argmax() == 5, "the most valuable, whatever was learned"


def test_a_record_that_cannot_say_is_silent() -> None:
    learned, bent = policies()[0], Policy("z", "Z", ("web_home",), formula="sqrt(abs(propensity)) * value")
    even = spell(weigh(INDEX, Ask("web_home"), Known("user_id:1", "p_1", {}), Terms("d_1", 5)), INDEX)
    plain = Scorer(INDEX.catalogue)
    assert would(learned, even, Scorers(INDEX, plain, plain)) is None, "no scores are recorded"
    _, record = made(bent)
    curved = Scorer(catalogue_for(bent, INDEX.catalogue))
    assert would(learned, record, Scorers(INDEX, curved, plain)) is None, "its formula is no line"
    assert would(bent, record, Scorers(INDEX, curved, curved)) is not None


def test_an_offer_without_a_number_is_not_given() -> None:
    odd = Policy("odd", "Odd", ("web_home",), formula="propensity / cost")
    drawn, _ = made(odd)
    assert ("score", 0, 1) in drawn.sifted.stops, "o0 costs nothing"
    _, record = made(None)
    found = would(
        odd, record, Scorers(INDEX, Scorer(INDEX.catalogue), Scorer(catalogue_for(odd, INDEX.catalogue)))
    )
    assert found[0] == 0.0


def test_no_way_leads_past_a_stage() -> None:
    for stage in STAGES:
        for to in STAGES:
            open_ = not out_of_order(stage, to)
            assert open_ == (to in steps(stage))
            if open_ and to in PATH and stage in PATH:
                assert PATH.index(to) <= PATH.index(stage) + 1
    assert [following(stage) for stage in PATH] == [*PATH[1:], None]
    assert [stage for stage in STAGES if "stopped" in steps(stage)] == list(PATH[1:])
    launch = Launch(Policy("a", "A", ("till",)), 1, "shadow", 0, 1)
    assert "stop it first" in may_change(launch)


def test_texts_are_read_or_refused_with_what_to_write() -> None:
    written = '[[policy]]\nid = "a"\nname = "A"\nplacements = ["till"]\n[[policy.guards]]\nmetric = "reward"\ntolerated = 0.1\n'
    assert read(written)[0].guards == (Guard("reward", 0.1),)
    one = '{"id": "a", "name": "A", "placements": ["till"]}'
    assert read(one) == read(f"[{one}]") == read(f'{{"policy": [{one}]}}')
    for text, said in (
        ("", "there are 0"), ("[[policy]\n", "neither TOML nor JSON"), ("policy = 3", "Expected `object`"),
        ('[[policy]]\nid = "a"', "missing required field `name`"), (one.replace("A", "A", 1)[:-1] + ', "alpha": 2}', "false alarm"),
        (one[:-1] + ', "guards": [{"metric": "reward", "tolerated": -1}]}', "0 to 1"), ("[" * 10_000, "neither"),
        (one[:-1] + ', "kind": "greedy", "explore": 2}', "has no `explore`"), (one[:-1] + ', "minimum": 1e30}', "minimum"),
    ):  # fmt: skip
        with pytest.raises(BadRequest, match=said):
            read(text)


def _tally(people: int, decisions: int, clicks: tuple[int, int]) -> Tally:
    """As many people in each group, the first so many of whom clicked once."""
    tally = Tally()
    for group in (CHALLENGER, CHAMPION):
        for person in range(people):
            for _ in range(decisions):
                tally.decided(person, group, 0)
            if person < clicks[group]:
                tally.rewarded(person, group, reward_steps(1.0))
    return tally


def test_a_tally_is_what_happened_whatever_came_late_or_was_taken_back() -> None:
    straight, roundabout = _tally(40, 2, (10, 20)), Tally()
    for group in (CHAMPION, CHALLENGER):
        for person in reversed(range(40)):
            roundabout.decided(person, group, 0)
            roundabout.rewarded(person, group, 77)
            roundabout.decided(person, group, 0)
            clicked = person < (10, 20)[group]
            roundabout.rewarded(person, group, reward_steps(1.0) * clicked - 77)
    for group in (CHALLENGER, CHAMPION):
        for metric in METRICS:
            assert straight.sums(group, metric) == roundabout.sums(group, metric)
    assert straight.sums(CHALLENGER, "reward").ratio == reward_steps(1.0) * 10 / 80
    straight.left(3)
    straight.left(3)
    straight.left(99)
    assert straight.sums(CHALLENGER, "unsubscribed").y.total == 1


def test_a_guard_says_too_early_fine_or_tripped() -> None:
    policy = Policy("a", "A", ("till",), guards=(Guard("reward"),))
    early, fine, bad = (
        guards.look(policy, {"till": tally})[0]
        for tally in (_tally(29, 1, (0, 29)), _tally(300, 1, (90, 95)), _tally(300, 1, (30, 150)))
    )
    assert (early.state, early.worse) == ("early", None)
    assert fine.state == "fine"
    assert fine.worse.low < 5 / 300 < fine.worse.high
    assert (bad.state, guards.tripped([fine, bad])) == ("tripped", bad)
    assert "0.1 against 0.5" in bad.sentence
    lenient = Policy("a", "A", ("till",), guards=(Guard("reward", 1.0),))
    assert guards.look(lenient, {"till": _tally(300, 1, (30, 150))})[0].state == "fine"


def test_a_group_that_saw_no_reward_yet_is_no_sure_thing() -> None:
    """Nobody of 40 clicked where 2 % do: that is chance, though the group itself does not vary at all."""
    tally = Tally()
    for person in range(1_000):
        group = CHALLENGER if person < 40 else CHAMPION
        tally.decided(person, group, 0)
        if group == CHAMPION and person % 50 == 0:
            tally.rewarded(person, group, reward_steps(1.0))
    figure = guards.look(Policy("a", "A", ("till",), guards=(Guard("reward"),)), {"till": tally})[0]
    assert figure.state == "fine"
    assert figure.worse.high - figure.worse.low > 0.1


def test_an_interval_is_wider_than_one_that_is_looked_at_once() -> None:
    for people in (1, 30, 500, 1e6):
        assert margin(1.0, people, 0.05) > 1.96
    with pytest.raises(ValueError, match="between 0 and 1"):
        margin(1.0, 9, 1.0)
    with pytest.raises(ValueError, match="needs people"):
        margin(1.0, 0, 0.1)
