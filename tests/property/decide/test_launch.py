"""Laws of the launch path: shares only grow, counts do not depend on the order, chances are chances."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from patron.decide.catalogue import parse
from patron.decide.index import CatalogueIndex
from patron.decide.launch.ranking import Scorers, catalogue_for, would
from patron.decide.launch.tally import CHALLENGER, CHAMPION, METRICS, Tally
from patron.decide.rating import GREEDY, rate
from patron.decide.scoring import Scorer
from patron.model.offers import NOTHING, Decision
from patron.model.policies import Policy
from patron.runtime.decisions.launches import Here, Scored

OFFERS = "".join(f'[[offer]]\nid = "o{n}"\nname = "O{n}"\nvalue = {n + 1}\ncost = 0.{n}\n' for n in range(5))
INDEX = CatalogueIndex(parse(OFFERS))
PLAIN = Scorer(INDEX.catalogue)
FORMULAS = (
    "",
    "propensity * value",
    "propensity / (1 + cost) - 0.1",
    "propensity * propensity * value",
    "value / cost",
)


def _here(name: str, share: float, secret: bytes = b"a secret of sixteen bytes") -> Here:
    here = Here(secret, even=False)
    here.challenger, here.share = Scored(Policy("a", "A", ("till",)), name), share
    return here


@given(
    st.text(max_size=40), st.text(min_size=1, max_size=40), st.lists(st.floats(0, 1), min_size=2, max_size=6)
)
def test_who_was_in_stays_in_as_the_share_grows(name: str, unit: str, shares: list[float]) -> None:
    inside = [_here(name, share).is_in(unit) for share in sorted(shares)]
    assert inside == sorted(inside)
    assert _here(name, 1.0).is_in(unit)
    assert not _here(name, 0.0).is_in(unit)
    assert not _here(name, 1.0).is_in(""), "nobody to hold on to"


@given(st.integers(1, 50), st.sampled_from([0.01, 0.1, 0.5]))
def test_each_policy_and_version_draws_its_share_anew(version: int, share: float) -> None:
    one, other = _here(f"a-{version}", share), _here(f"a-{version + 1}", share)
    drawn = [(one.is_in(f"user_id:{n}"), other.is_in(f"user_id:{n}")) for n in range(2_000)]
    slack = 6 * (2_000 * share * (1 - share)) ** 0.5
    assert abs(sum(a for a, _ in drawn) - 2_000 * share) <= slack
    assert abs(sum(a and b for a, b in drawn) - 2_000 * share * share) <= slack


_steps = st.tuples(
    st.sampled_from(["decided", "rewarded", "left"]), st.integers(0, 5), st.sampled_from([CHALLENGER, CHAMPION]), st.integers(-9, 9)
)  # fmt: skip


@given(st.lists(_steps, max_size=40), st.randoms(use_true_random=False))
def test_counts_do_not_depend_on_the_order(steps: list[tuple[str, int, int, int]], luck: object) -> None:
    def tally(order: list[tuple[str, int, int, int]]) -> Tally:
        found = Tally()
        for what, person, group, number in order:
            if what == "decided":
                found.decided(person, group, number, nothing=number > 3, unscored=number < -3)
            elif what == "rewarded":
                found.rewarded(person, group, number)
        for what, person, _, _ in order:
            if what == "left":
                found.left(person)
        return found

    mixed = list(steps)
    luck.shuffle(mixed)  # type: ignore[attr-defined]
    one, other = tally(steps), tally(mixed)
    for group in (CHALLENGER, CHAMPION):
        assert [one.sums(group, metric) for metric in METRICS] == [
            other.sums(group, metric) for metric in METRICS
        ]
        assert one.decisions(group) == sum(what == "decided" and at == group for what, _, at, _ in steps)


_policies = st.builds(
    lambda kind, formula, explore: Policy("a", "A", ("till",), kind, "" if kind == "uniform" else formula, explore),
    st.sampled_from(["learned", "greedy", "uniform", "rules"]), st.sampled_from(FORMULAS), st.floats(0.1, 10),
)  # fmt: skip


@given(
    _policies,
    st.lists(st.floats(-5, 5), min_size=6, max_size=6),
    st.integers(1, 31),
    st.sampled_from([GREEDY, 0.0, 0.5, 90.0]),
    st.integers(0, 10**6),
)
def test_what_it_had_done_is_a_chance_for_each_choice(
    policy: Policy, scores: list[float], left: int, gamma: float, seen: int
) -> None:
    names = [f"o{n}" for n in range(5) if left >> n & 1]
    kept = np.array([*scores[: len(names)], 0.0])
    decision = Decision(
        "d", 0, "", "", "till", "web", NOTHING, 1.0, "treated", 0.0, NOTHING,
        eligible=(*names, NOTHING), rating=rate(kept, gamma, seen),
    )  # fmt: skip
    found = would(policy, decision, Scorers(INDEX, PLAIN, Scorer(catalogue_for(policy, INDEX.catalogue))))
    assert found is not None
    assert len(found) == len(names) + 1
    assert abs(found.sum() - 1) < 1e-9
    assert (found >= 0).all()
