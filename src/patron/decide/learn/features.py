"""From named values to one row of features: a declared, versioned schema of fixed length.

Place 0 is the constant. Numbers are scaled to about -1..1, cyclic ones (hour, weekday) are a point on a circle, small
sets of categories have a place each, and all other text is hashed into what is left, with a sign (Weinberger et al.,
"Feature hashing for large scale multitask learning", ICML 2009). Everything is divided by the square root of the number
of fields + 1, so a row has a length of about 1 whatever the schema. Hashes are blake2b with the schema's seed: the same
on every machine and in every process.
"""

import hashlib
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, Final, Literal

import numpy as np
from msgspec import Struct

from patron.decide.learn.grid import Row, placed, snap

SIZE: Final = 64
LONGEST_TEXT: Final = 200
"""Characters of a text that are hashed; hostile ones may be a megabyte."""
_NUMBERS = (int, float, np.number)
_Places = defaultdict[int, float]
"""Features that are not 0, by their places."""
_Put = Callable[[_Places, Any], None]
MOST_ITEMS: Final = 32
"""Items of a list (a cart) that are looked at."""


class Field(Struct, frozen=True):
    """One named value and how it becomes features.

    `number`: (value - centre) / scale, cut at +-`cut`, one place. `cyclic`: value of `period`, two places. `category`:
    one place for each of `values`, hashed if it is another. `hashed`: text, a list of texts or a mapping of text to
    number, hashed as `name=value`. A value that is missing leaves its places 0.

    >>> Field("hour", "cyclic", period=24).places, Field("store", "hashed").places
    (2, 0)
    """

    name: str
    kind: Literal["number", "cyclic", "category", "hashed"]
    centre: float = 0.0
    scale: float = 1.0
    cut: float = 4.0
    period: float = 24.0
    values: tuple[str, ...] = ()

    @property
    def places(self) -> int:
        """How many places of a row are the field's own."""
        return {"number": 1, "cyclic": 2, "category": len(self.values), "hashed": 0}[self.kind]


class Schema:
    """Fields in a row of `size` features, the constant included.

    Raises
    ------
    ValueError : two fields of one name, a scale or period that is not above 0, or more places than the row has.

    >>> schema = Schema([Field("hour", "cyclic"), Field("sky", "category", values=("sun", "rain")), Field("shop", "hashed")])
    >>> row = schema.encode({"hour": 6, "sky": "rain", "shop": "s_1"})
    >>> row.values[:5].tolist(), int(np.count_nonzero(row.steps))
    ([0.5, 0.5, 0.0, 0.0, 0.5], 4)
    """

    def __init__(
        self, fields: Iterable[Field], *, size: int = SIZE, seed: int = 1, version: str = "1"
    ) -> None:
        self.fields = tuple(fields)
        self.size = size
        self.seed = seed
        self.version = version
        self._starts: dict[str, int] = {}
        place = 1
        for field in self.fields:
            self._check(field)
            self._starts[field.name] = place
            place += field.places
        self._hashed_from = place
        hashes = any(field.kind in {"hashed", "category"} for field in self.fields)
        if place + hashes > size:
            raise ValueError(
                f"the fields take {place + hashes} places or more and a row has {size}: leave some out"
            )
        self.constant = float(snap([1 / math.sqrt(len(self.fields) + 1)]).values[0])
        self._hash = lru_cache(maxsize=65_536)(self._place_of)
        self._puts = [(field.name, self._putter(field)) for field in self.fields]

    @property
    def fingerprint(self) -> str:
        """Sixteen hex digits of all that turns values into a row: rows of equal fingerprints may be compared."""
        told = (self.version, self.size, self.seed, self.fields)
        return hashlib.blake2b(repr(told).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()

    @property
    def names(self) -> tuple[str, ...]:
        """A name for every place, for explanations: `sky=rain`, `hour (sin)`, `hashed 12`."""
        names = ["constant"]
        for field in self.fields:
            if field.kind == "number":
                names.append(field.name)
            elif field.kind == "cyclic":
                names += [f"{field.name} (sin)", f"{field.name} (cos)"]
            names += [f"{field.name}={value}" for value in field.values if field.kind == "category"]
        return (*names, *(f"hashed {place}" for place in range(len(names), self.size)))

    def places(self, name: str) -> range:
        """The places that are a field's own.

        >>> Schema([Field("hour", "cyclic"), Field("shop", "hashed")]).places("hour")
        range(1, 3)
        """
        start = self._starts[name]
        return range(start, start + next(field.places for field in self.fields if field.name == name))

    def encode(self, values: Mapping[str, Any]) -> Row:
        """The row of these values; names that no field has are ignored.

        Raises
        ------
        ValueError : a number is NaN, infinite or no number; the message names the field.
        """
        row: _Places = defaultdict(float)
        row[0] = 1.0
        for name, put in self._puts:
            value = values.get(name)
            if value is not None:
                put(row, value)
        return placed(row, self.size, self.constant)

    def _putter(self, field: Field) -> _Put:
        """What writes a value of a field into a row: made once, as an ask writes a dozen of them."""
        start = self._starts[field.name]
        if field.kind == "number":
            return _put_number(field, start)
        if field.kind == "cyclic":
            return _put_cyclic(field, start)
        hashed = self._put_hashed(field)
        return _put_category(field, start, hashed) if field.kind == "category" else hashed

    def _put_hashed(self, field: Field) -> _Put:
        place_of, name = self._hash, field.name

        def put(row: _Places, value: Any) -> None:
            if type(value) is str:
                place, sign = place_of(name, value[:LONGEST_TEXT])
                row[place] += sign
                return
            items = _items(field, value)
            share = max(len(items), 1) ** -0.5
            for text, weight in items:
                place, sign = place_of(name, text)
                row[place] += sign * weight * share

        return put

    def _place_of(self, name: str, text: str) -> tuple[int, float]:
        data = f"{name}={text}".encode("utf-8", "surrogatepass")
        key = self.seed.to_bytes(8, "little", signed=True)
        word = int.from_bytes(hashlib.blake2b(data, digest_size=8, key=key).digest(), "little")
        return self._hashed_from + (word >> 1) % (self.size - self._hashed_from), 1.0 if word & 1 else -1.0

    def _check(self, field: Field) -> None:
        if field.name in self._starts:
            raise ValueError(f"two fields are called `{field.name}`: give each its own name")
        for name, value in (("scale", field.scale), ("period", field.period), ("cut", field.cut)):
            if not 0 < value < math.inf:
                raise ValueError(
                    f"the {name} of field `{field.name}` is {value}: give a finite number above 0"
                )
        if not math.isfinite(field.centre):
            raise ValueError(f"the centre of field `{field.name}` is {field.centre}: give a finite number")


def _put_number(field: Field, start: int) -> _Put:
    centre, scale, cut = field.centre, field.scale, field.cut

    def put(row: _Places, value: Any) -> None:
        if type(value) is float:
            scaled = (value - centre) / scale
            if -cut <= scaled <= cut:  # neither NaN nor infinite is
                row[start] = scaled
                return
        row[start] = min(max((_number(field, value) - centre) / scale, -cut), cut)

    return put


def _put_cyclic(field: Field, start: int) -> _Put:
    @lru_cache(maxsize=4096)
    def turned(number: float) -> tuple[float, float]:
        turn = 2 * math.pi * (_number(field, number) / field.period % 1.0)
        return math.sin(turn), math.cos(turn)

    def put(row: _Places, value: Any) -> None:
        row[start], row[start + 1] = turned(value if type(value) is float else _number(field, value))

    return put


def _put_category(field: Field, start: int, other: _Put) -> _Put:
    places = {value: start + at for at, value in enumerate(field.values)}

    def put(row: _Places, value: Any) -> None:
        place = places.get(value if type(value) is str else _text(value))
        if place is None:
            other(row, value)
        else:
            row[place] = 1.0

    return put


def _number(field: Field, value: Any) -> float:
    try:
        number = float(value) if isinstance(value, _NUMBERS) else math.nan
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"feature `{field.name}` is {_short(value)}: give a finite number, or leave it out")
    return number


def _items(field: Field, value: Any) -> list[tuple[str, float]]:
    if isinstance(value, Mapping):
        pairs = ((_text(key), _number(field, number)) for key, number in value.items())
        return sorted((text, min(max(number, -field.cut), field.cut)) for text, number in pairs)[:MOST_ITEMS]
    if isinstance(value, list | tuple | set | frozenset):
        return [(text, 1.0) for text in sorted({_text(item) for item in value})[:MOST_ITEMS]]
    return [(_text(value), 1.0)]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value[:LONGEST_TEXT] if isinstance(value, str) else str(value)[:LONGEST_TEXT]


def _short(value: Any) -> str:
    text = _text(value)[:40]
    return text if text.isprintable() else repr(text)
