"""Rows from named values: what goes where, what is refused, and that a row is small and the same everywhere."""

import numpy as np
import pytest

from patron.decide.learn.features import MOST_ITEMS, Field, Schema
from patron.decide.learn.packing import pack, unpack

FIELDS = [
    Field("spend", "number", centre=50.0, scale=25.0),
    Field("hour", "cyclic", period=24),
    Field("sky", "category", values=("sun", "rain")),
    Field("store", "hashed"),
    Field("cart", "hashed"),
]
SCHEMA = Schema(FIELDS)
ONE = SCHEMA.constant


def test_numbers_are_scaled_and_cut() -> None:
    assert SCHEMA.encode({"spend": 100}).values[1] == pytest.approx(2 * ONE, abs=2e-4)
    assert SCHEMA.encode({"spend": 1e12}).values[1] == pytest.approx(4 * ONE, abs=2e-4)


def test_midnight_is_near_eleven_at_night() -> None:
    night, late, noon = (SCHEMA.encode({"hour": hour}).values for hour in (0, 23, 12))
    assert np.linalg.norm(night - late) < np.linalg.norm(night - noon) / 5


def test_what_is_missing_or_unknown_is_only_the_constant() -> None:
    row = SCHEMA.encode({"spend": None, "nobody asked": 3})
    assert np.flatnonzero(row.steps).tolist() == [0]


def test_another_category_is_hashed_not_lost() -> None:
    sun, fog, hail = (SCHEMA.encode({"sky": sky}) for sky in ("sun", "fog", "hail"))
    assert SCHEMA.names[int(np.flatnonzero(sun.steps)[1])] == "sky=sun"
    assert (fog.steps != hail.steps).any()
    assert np.count_nonzero(fog.steps) == 2


def test_a_cart_is_a_set() -> None:
    assert (SCHEMA.encode({"cart": ["a", "b"]}).steps == SCHEMA.encode({"cart": ["b", "a", "a"]}).steps).all()


def test_hashes_are_stable_and_differ_by_seed_and_field() -> None:
    places = [
        int(np.flatnonzero(SCHEMA.encode({"store": store}).steps)[1]) for store in ("s_1", "s_2", "s_3")
    ]
    assert places == GOLDEN
    other = Schema(FIELDS, seed=2).encode({"store": "s_1"})
    assert (other.steps != SCHEMA.encode({"store": "s_1"}).steps).any()
    assert (SCHEMA.encode({"cart": "s_1"}).steps != SCHEMA.encode({"store": "s_1"}).steps).any()


GOLDEN = [39, 62, 15]


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), "12", [1], 10**400])
def test_a_bad_number_is_refused_by_name(bad: object) -> None:
    with pytest.raises(ValueError, match="feature `spend` is"):
        SCHEMA.encode({"spend": bad})
    with pytest.raises(ValueError, match="feature `cart` is"):
        SCHEMA.encode({"cart": {"sku": bad}})


def test_hostile_texts_are_features_like_others() -> None:
    for text in ("\ud800", "\x00", "a" * 1_000_000, "'; DROP TABLE", "🙂", ""):
        assert np.count_nonzero(SCHEMA.encode({"store": text}).steps) == 2
    assert np.isfinite(SCHEMA.encode({"cart": [str(n) for n in range(100_000)]}).values).all()
    assert np.count_nonzero(SCHEMA.encode({"cart": [str(n) for n in range(1000)]}).steps) <= 1 + MOST_ITEMS


def test_a_fingerprint_tells_schemas_apart() -> None:
    assert Schema(FIELDS).fingerprint == SCHEMA.fingerprint
    others = [
        Schema(FIELDS, seed=2),
        Schema(FIELDS, version="2"),
        Schema(FIELDS[:-1]),
        Schema(FIELDS, size=65),
    ]
    assert len({SCHEMA.fingerprint, *(other.fingerprint for other in others)}) == 5


def test_names_are_one_for_each_place() -> None:
    assert len(SCHEMA.names) == SCHEMA.size
    assert SCHEMA.names[:6] == ("constant", "spend", "hour (sin)", "hour (cos)", "sky=sun", "sky=rain")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ([Field("a", "number"), Field("a", "hashed")], "two fields are called `a`"),
        ([Field("a", "number", scale=0.0)], "the scale of field `a` is 0"),
        ([Field("a", "cyclic", period=float("nan"))], "the period of field `a`"),
        ([Field("a", "number", centre=float("inf"))], "the centre of field `a`"),
        ([Field("a", "category", values=tuple(map(str, range(63))))], "take 65 places"),
    ],
)
def test_a_schema_that_cannot_be_is_refused(fields: list[Field], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Schema(fields)


def test_packed_rows_are_small() -> None:
    full = Schema([Field(f"n{number}", "number") for number in range(63)])
    row = full.encode({f"n{number}": number / 7 for number in range(63)})
    assert len(pack(row)) <= 130
    assert len(pack(SCHEMA.encode({"hour": 3, "store": "s_1", "cart": ["x", "y"]}))) < 30


@pytest.mark.parametrize(
    "data",
    [b"", b"\x00", b"\x02" + bytes(128), bytes(128), b"\x01" + b"\xff" * 8, b"\x01" + bytes(9), bytes(131)],
)
def test_bytes_of_another_kind_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="no packed row of 64 features"):
        unpack(data, 64)
