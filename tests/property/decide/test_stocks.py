"""The books of an offer: whatever is reserved for however long, what is taken is what a plain list of reservations says."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.msgpack import encode

from patron.decide.grants import Grant
from patron.decide.stocks import Count, Stock, keep, note, reserve, taken, tell

moves = st.lists(
    st.tuples(st.integers(0, 40), st.integers(1, 300), st.integers(0, 9), st.booleans()), max_size=40
)
"""(time that passes, how long it is reserved, units, whether an open one is shown then)"""


@given(moves, st.randoms(use_true_random=False))
def test_what_is_taken_is_what_is_given_and_what_still_holds(steps: list, luck) -> None:
    stock, open_, given_, units, now = Stock(), dict[str, tuple[int, int]](), 0, 0, 0
    for number, (passes, lasts, cost, shown) in enumerate(steps):
        now += passes
        name = f"d{number}"
        reserve(stock, Grant(name, "tea", now, "email", "mail", until=now + lasts, units=cost), day=0)
        open_[name] = (now + lasts, cost)
        if shown:
            one = luck.choice(sorted(open_))
            until, worth = open_[one]
            if keep(stock, one):
                given_, units = given_ + 1, units + worth
                del open_[one]
            else:
                assert until <= now, "only what has ended is out of the books"
        for moment in (now, now + 1, now + 150, now + 1_000):
            live = [worth for until, worth in open_.values() if moment < until]
            assert taken(stock, moment) == (given_ + len(live), units + sum(live))


@given(moves, moves, st.sets(st.integers(0, 40)), st.randoms(use_true_random=False))
def test_who_is_erased_leaves_the_log_and_not_the_books(before: list, after: list, erased: set, luck) -> None:
    """Live books, and those of a replay that never sees the decisions of somebody: the same bytes once it was told."""
    live, again, now, told = Stock(), Stock(), 0, Count()
    for number, (passes, lasts, cost, shown) in enumerate(before + after):
        if number == len(before):
            for one in erased:
                keep(live, f"d{one}")
            told = note(live, "erase-1", now)
            note(again, "erase-1", now)
            erased = {one for one in erased if one < number}
        hidden = number in erased
        now += passes
        grant = Grant(f"d{number}", "tea", now, "email", "mail", until=now + lasts, units=cost)
        for stock in (live,) if hidden else (live, again):
            reserve(stock, grant, now // 100)
        one = luck.randrange(number + 1)
        if shown and not (one in erased and number >= len(before)):
            for stock in (live,) if one in erased else (live, again):
                keep(stock, f"d{one}")
    if after:
        tell(live, "erase-1", told)
        tell(again, "erase-1", told)
        assert encode(again) == encode(live)
        assert taken(again, now) == taken(live, now)
