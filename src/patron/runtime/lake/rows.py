"""Rows of the lake from events: one list a column while events come, Arrow at the end.

Pure: what is not in the events (hashes of nodes, rules) is handed in.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from patron.model.clock import DAY
from patron.model.events import Event, event_id
from patron.model.lake import BUCKETS
from patron.profiles.fold import told_traits
from patron.profiles.rules import ProfileRules
from patron.rules.values import number_of
from patron.runtime.lake.envelope import Contexts, envelope_of, to_json
from patron.storage.lake.schema import SCHEMAS

NUMBERS = ("revenue", "total", "value", "price", "quantity", "discount")
TEXTS = ("product_id", "category", "order_id", "coupon", "currency")
_NO_PROPERTIES = b"{}"
_SIGN = 1 << 63
_COLUMNS = SCHEMAS["events"].names


def signed(key_hash: int) -> int:
    """A hash of the log's index as the lake writes it.

    >>> signed(5), signed(2**64 - 1)
    (5, -1)
    """
    return key_hash - (_SIGN << 1) if key_hash >= _SIGN else key_hash


class EventRows:
    """Rows of the table `events` being gathered."""

    def __init__(
        self,
        rules: ProfileRules,
        hash_of: Callable[[str], int],
        household: Callable[[dict[str, Any]], str | None],
    ) -> None:
        self._rules = rules
        self._hash_of = hash_of
        self._household = household
        self._contexts = Contexts()
        self._columns: dict[str, list[Any]] = {name: [] for name in _COLUMNS}
        self._adds = [self._columns[name].append for name in _COLUMNS]

    def __len__(self) -> int:
        return len(self._columns["position"])

    def add(self, event: Event, node: str, received: int, checksum: int) -> None:
        """Take in an event of a node; `received` is when its body came."""
        properties, rules = event.properties, self._rules
        get = properties.get
        node_hash = self._hash_of(node)
        told = told_traits(event, rules) if event.traits or "traits" in event.context else None
        lines = get("products") if properties else None
        values = (
            event.position,
            event_id(f"{event.source}/{event.message_id}"),
            node_hash,
            node_hash & (BUCKETS - 1),
            event.received // DAY,
            event.time,
            event.received,
            event.type,
            event.name,
            event.channel,
            event.source,
            event.store,
            event.touchpoint,
            event.message_id,
            event.user_id,
            event.anonymous_id,
            event.group_id,
            *([v if type(v := get(name)) is str else None for name in TEXTS] if properties else _NO_TEXTS),
            *(
                [None if (v := get(name)) is None else number_of(v) for name in NUMBERS]
                if properties
                else _NO_NUMBERS
            ),
            _degrees(get("latitude")) if "latitude" in properties else None,
            _degrees(get("longitude")) if "longitude" in properties else None,
            _lines(lines) if lines and isinstance(lines, list) else None,
            to_json(properties) if properties else _NO_PROPERTIES,
            to_json(told) if told else None,
            to_json([(c.purpose, c.channel, c.granted) for c in event.consents]) if event.consents else None,
            self._household(told) if told else None,
            envelope_of(event, received, checksum, self._contexts),
        )
        for add, value in zip(self._adds, values, strict=True):
            add(value)

    def table(self) -> pa.Table:
        """The rows as Arrow."""
        schema = SCHEMAS["events"]
        arrays = [_array(self._columns[field.name], field) for field in schema]
        return pa.table(arrays, schema=schema)


_NO_TEXTS = [None] * len(TEXTS)
_NO_NUMBERS = [None] * len(NUMBERS)


def _degrees(value: object) -> float | None:
    if type(value) is int or type(value) is float:
        return float(value) if -360 <= value <= 360 else None
    number = number_of(value)
    return None if number is None else number / 1e6


def _lines(lines: Sequence[Any]) -> list[tuple[str | None, str | None, int | None, int | None]]:
    """The products of an event as their column has them; what is no object is passed over."""
    return [
        (
            line.get("product_id") if type(line.get("product_id")) is str else None,
            line.get("category") if type(line.get("category")) is str else None,
            number_of(line.get("price")),
            number_of(line.get("quantity")),
        )
        for line in lines
        if isinstance(line, dict)
    ]


def _array(values: list[Any], field: pa.Field) -> pa.Array:
    kind = field.type
    if pa.types.is_timestamp(kind):
        return pa.array(np.array(values, np.int64) * 1000).view(kind)
    if pa.types.is_date(kind):
        return pa.array(np.array(values, np.int32)).view(kind)
    if pa.types.is_decimal(kind):
        return _decimals(values, kind)
    if pa.types.is_list(kind):
        return _products(values, kind)
    if field.name == "node":
        return pa.array(np.array(values, np.uint64).view(np.int64))
    return pa.array(values, kind)


def _decimals(values: list[int | None], kind: pa.DataType) -> pa.Array:
    """Integers of 1e-6 as decimals of six places: the same bits, with the sign carried up."""
    present = np.array([value is not None for value in values], bool)
    if not present.any():
        return pa.nulls(len(values), kind)
    low = np.array([0 if value is None else value for value in values], np.int64)
    pairs = np.empty((len(values), 2), np.int64)
    pairs[:, 0], pairs[:, 1] = low, low >> 63
    valid = np.packbits(present, bitorder="little")
    buffers = [pa.py_buffer(valid), pa.py_buffer(pairs)]
    return pa.Array.from_buffers(kind, len(values), buffers)


def _products(values: list[Any], kind: pa.DataType) -> pa.Array:
    if not any(value is not None for value in values):
        return pa.nulls(len(values), kind)
    flat = [line for lines in values if lines for line in lines]
    columns = list(zip(*flat, strict=True)) or [()] * 4
    inner = kind.value_type
    arrays = [
        _decimals(list(column), f.type) if pa.types.is_decimal(f.type) else pa.array(column, f.type)
        for column, f in zip(columns, inner, strict=True)
    ]
    offsets = np.zeros(len(values) + 1, np.int32)
    np.cumsum([len(lines) if lines else 0 for lines in values], out=offsets[1:])
    missing = np.array([lines is None for lines in values] + [False], bool)
    starts = pa.array(offsets, pa.int32(), mask=missing)
    struct = pa.StructArray.from_arrays(arrays, fields=list(inner))
    return pa.ListArray.from_arrays(starts, struct, type=kind)
