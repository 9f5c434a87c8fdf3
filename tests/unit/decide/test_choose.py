"""The draw: seeded, exact, with nothing always in it."""

import hashlib

import pytest

from patron.decide.choose import choose, draw_seed, uniform


def test_the_same_seed_draws_the_same_and_another_secret_another() -> None:
    seeds = [draw_seed(b"secret", f"d_{i}") for i in range(200)]
    assert seeds == [draw_seed(b"secret", f"d_{i}") for i in range(200)]
    assert len(set(seeds)) == 200
    assert not set(seeds) & {draw_seed(b"Secret", f"d_{i}") for i in range(200)}
    assert all(0 <= seed < 2**53 for seed in seeds)


def test_long_secrets_and_odd_ids_are_taken() -> None:
    assert draw_seed(b"x" * 1000, "d\x00\ud800") != draw_seed(b"x" * 1001, "d\x00\ud800")


@pytest.mark.parametrize("count", [0, 1, 2, 7, 200])
def test_nothing_is_always_one_of_the_choices_with_its_true_chance(count: int) -> None:
    offers = [f"o{i}" for i in range(count)]
    drawn = {choose(offers, seed) for seed in range(40 * (count + 1))}
    assert {action for action, _ in drawn} == {*offers, "nothing"}
    assert {chance for _, chance in drawn} == {1 / (count + 1)}


def test_nothing_cannot_be_doubled() -> None:
    with pytest.raises(ValueError, match="always a candidate"):
        choose(["tea", "nothing"], 1)


def test_a_word_beyond_the_last_whole_multiple_is_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    # Modulo bias is 1 in 2**64 / k: no sample shows it, so the hash is made to give the last word once.
    words = []

    class Digest:
        def __init__(self, data: bytes) -> None:
            words.append(data)
            self.word = 2**64 - 1 if len(words) == 1 else 5

        def digest(self) -> bytes:
            return self.word.to_bytes(8)

    monkeypatch.setattr(hashlib, "blake2b", lambda data, **_: Digest(data))
    assert uniform(3, 9) == 2
    assert len(words) == 2
    assert words[0] != words[1]


@pytest.mark.parametrize("count", [0, -1, 2**64 + 1])
def test_a_draw_from_nothing_raises(count: int) -> None:
    with pytest.raises(ValueError, match="cannot draw"):
        uniform(count, 1)
