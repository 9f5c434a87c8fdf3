"""Reading ahead gives the same values, passes on what went wrong, and ends with its reader."""

import threading

import pytest

from patron.sim.score.ahead import ahead


def test_the_same_values_in_order_from_one_other_thread():
    threads = set()

    def values():
        for number in range(500):
            threads.add(threading.get_ident())
            yield number

    assert list(ahead(values(), 3)) == list(range(500))
    assert len(threads) == 1
    assert threading.get_ident() not in threads
    assert list(ahead([], 1)) == []


def test_what_it_raises_comes_after_what_came_before():
    def values():
        yield 1
        raise KeyError("two")

    got = ahead(values(), 5)
    assert next(got) == 1
    with pytest.raises(KeyError, match="two"):
        next(got)


def test_no_more_is_made_than_asked_for_and_nothing_after_the_reader_has_gone():
    made = []

    def values():
        for number in range(1000):
            made.append(number)
            yield number

    got = ahead(values(), 4)
    assert next(got) == 0
    got.close()
    assert len(made) <= 8
    assert not [t for t in threading.enumerate() if t.name.endswith("(_make)")]
