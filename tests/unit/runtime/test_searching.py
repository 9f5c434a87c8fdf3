"""People by name: a node need not be decoded where its bytes cannot hold the words."""

from hypothesis import given
from hypothesis import strategies as st

from patron.runtime.people.searching import FOLDED, _may_hold

LETTERS = st.text("aAeEsSkKiIfFéÉßẞİıſK ﬁﬀ", max_size=12)


def test_all_characters_that_fold_to_ascii_are_known() -> None:
    beyond = (chr(one) for one in range(0x80, 0x110000))
    assert "".join(one for one in beyond if any(part.isascii() for part in one.casefold())) == FOLDED


@given(LETTERS, LETTERS)
def test_bytes_of_a_name_that_matches_are_never_passed_over(name: str, typed: str) -> None:
    words = typed.casefold().split()
    if words and all(word in name.casefold() for word in words):
        assert _may_hold(words)(b"\x85\xa4name\xac" + name.encode() + b"\x00\xff")


def test_most_nodes_are_passed_over() -> None:
    assert not _may_hold(["bianchi"])(b"\x85\xa4name\xacAnna Rossi")
