"""Which rules are live and which come from the lake, what they keep, and what is said before they are saved."""

import pytest

from patron.rules.classify import classify
from patron.rules.tree import (
    AllOf,
    Bucket,
    Consented,
    Did,
    Fact,
    Member,
    Not,
    Param,
    Sequence,
    Step,
    Use,
    Where,
    Window,
)

MONTH = Window(days=30)


@pytest.mark.parametrize(
    "rule",
    [
        Did("A"),
        Did("A", measure="sum", property="x"),
        Did("A", measure="last"),
        Did("A", within=Window(days=400)),
        Did("A", within=Window(hours=9600)),
        Did("A", measure="distinct", property="x", within=MONTH),
        Sequence((Step("A"), Step("B")), within=MONTH),
        AllOf((Fact("traits.x", "exists"), Not(Consented("ads")), Bucket("s", 0, 1), Member("m"))),
    ],
)
def test_live_exact(rule):
    execution = classify(rule)
    assert execution.live
    assert execution.reasons == execution.costs == ()
    assert execution.bytes <= execution.most


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (Did("A", within=Window(days=401)), "further than the 400 days"),
        (Did("A", within=Window(hours=9601)), "further than the 400 days"),
        (Did("A", measure="max", property="x"), "The greatest values of `A` are of all time"),
        (Sequence((Step("A"), Step("B"))), "The steps from `A` to `B` are of all time"),
        (Not(Member("slow")), "segment `slow` comes from the lake"),
        (Fact("computed.slow", ">", 1), "trait `slow` comes from the lake"),
    ],
)
def test_from_the_lake(rule, said):
    execution = classify(rule, slow_segments={"slow"}, slow_traits={"slow"})
    assert not execution.live
    assert said in execution.reasons[0]


def test_what_reads_without_bound_says_so_first():
    lists = classify(Did("*", ">", 3, "distinct", "channel"), counts={"A": 4_000_000, "B": 1_000_000})
    assert lists.costs == (
        "It reads all 5,000,000 events of any name since the beginning on each run; a window in `within` makes that less.",
    )
    assert "once, when it is saved" in classify(Did("*")).costs[0]
    assert classify(Did("*", within=MONTH)).costs == ()
    assert "called `A` or `B`" in classify(Sequence((Step("A"), Step("B")))).costs[0]


def test_leaves_share_what_they_keep():
    month, year = Did("A", within=MONTH), Did("A", ">", 3, within=Window(days=365))
    assert classify(AllOf((month, year))).bytes == classify(year).bytes
    other = Did("A", where=(Where("channel", "=", "web"),), within=MONTH)
    assert classify(AllOf((month, other))).bytes == 2 * classify(month).bytes


def test_only_resolved_rules():
    with pytest.raises(ValueError, match="resolve"):
        classify(Use("c"))
    with pytest.raises(ValueError, match="resolve"):
        classify(Did("A", within=Window(days=Param("n"))))
