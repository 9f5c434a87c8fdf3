"""The dry run in sentences."""

from patron.identity.diff import PartitionDiff, Regrouping
from patron.identity.impact import SHOWN, impact


def test_nothing_changes_when_everybody_stays():
    told = impact(PartitionDiff(7, 7, 0, 0))
    assert not told.changes
    assert told.summary[0] == "7 people today, 7 under these rules."


def test_people_who_only_vanish_are_a_change():
    assert impact(PartitionDiff(7, 6, 0, 0)).changes


def test_orders_stand_back_behind_identifiers_and_long_lists_are_cut():
    many = tuple(f"email:e{n}@x.it" for n in range(SHOWN + 3))
    told = impact(PartitionDiff(1, 2, 0, 1, (), (Regrouping((), (("order_id:1",), (*many, "order_id:2"))),)))
    assert told.apart[0][0] == "order 1"
    assert told.apart[0][1].endswith(f"e-mail e{SHOWN - 1}@x.it and 3 more")


def test_whoever_writes_the_names_decides_what_is_seen():
    example = Regrouping((), (("email:ana@x.it",), ("card:7",)))
    told = impact(PartitionDiff(1, 2, 1, 0, (example,)), lambda key: key[:5])
    assert told.joined == (("email", "card:"),)


def test_what_people_know_comes_before_cookies():
    keys = ("anonymous_id:c1", "card:7", "email:ana@x.it", "user_id:ana")
    told = impact(PartitionDiff(1, 2, 0, 1, (), (Regrouping((), (keys,)),)))
    assert told.apart == (("user id ana, e-mail ana@x.it, card 7, cookie c1",),)
