"""The books of an offer: whatever is reserved for however long, what is taken is what a plain list of reservations says."""

from hypothesis import given
from hypothesis import strategies as st

from patron.decide.grants import Grant
from patron.decide.stocks import Stock, keep, reserve, taken

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
