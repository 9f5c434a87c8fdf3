"""Amounts that events carry: money, quantities, order lines. Exact integers; what cannot be read is None.

Property names are those of Segment's e-commerce specification
(https://segment.com/docs/connections/spec/ecommerce/v2/).
"""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from patron.model.money import UNIT, to_units

SCALE = 1_000_000
"""Numbers that are summed and are no money are integers of 1e-6."""
MOST = 10**16
"""Largest amount taken, in units of 1e-4 (10^12 of a currency): more is an error of the sender, and is ignored."""
CEILING = 2**62
"""Stored sums stop here, so that no sequence of amounts makes a profile that cannot be written."""
UNPRICED = -1
"""Total of a line whose price is not known."""
_MOST_QUANTITY = 10**15
_HALF = SCALE // 2
_PLAIN = 1e9

Line = tuple[int, int]
"""Quantity in 1e-6, and the price of all of it in units of 1e-4 (`UNPRICED` when not known)."""
Lines = dict[str, Line]
"""Product id -> line."""

_encode = msgspec.msgpack.Encoder(order="deterministic").encode
_decode = msgspec.msgpack.Decoder(Lines).decode


def amount(value: object) -> int | None:
    """Read an amount of money in units of 1e-4; None when it is none, or beyond `MOST`.

    >>> amount("41.30"), amount(-2), amount("x"), amount(10**13)
    (413000, -20000, None, None)
    """
    units = to_units(value)
    return units if units is not None and -MOST <= units <= MOST else None


def first_amount(properties: Mapping[str, Any], names: tuple[str, ...]) -> int | None:
    """The first of these properties that is an amount.

    >>> first_amount({"revenue": None, "total": 3}, ("revenue", "total"))
    30000
    """
    for name in names:
        value = properties.get(name)
        if value is not None and (units := amount(value)) is not None:
            return units
    return None


def currency_of(properties: Mapping[str, Any], default: str) -> str:
    """The event's currency as three upper-case letters; `default` when it names none that could be one.

    >>> currency_of({"currency": "gbp"}, "EUR"), currency_of({"currency": "pounds"}, "EUR")
    ('GBP', 'EUR')
    """
    code = properties.get("currency")
    if isinstance(code, str) and len(code) == 3 and code.isascii() and code.isalpha():
        return code.upper()
    return default


def scaled(value: object) -> int | None:
    """Read a number as an integer of 1e-6, rounded half to even; None when it is none or beyond 1e9.

    >>> scaled(2), scaled("0.25"), scaled(True), scaled(1e300)
    (2000000, 250000, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, int):
        number = value * SCALE
    else:
        try:
            exact = Decimal(str(value).strip()[:64])
        except InvalidOperation:
            return None
        if not exact.is_finite() or abs(exact) > _MOST_QUANTITY // SCALE:
            return None
        number = round(exact * SCALE)
    return number if -_MOST_QUANTITY <= number <= _MOST_QUANTITY else None


def text_of(value: object, limit: int = 200) -> str:
    """An id or a label as text: numbers become digits, anything else but text is empty, at most `limit` characters.

    >>> text_of(12), text_of(" a "), text_of(None), text_of({"a": 1})
    ('12', 'a', '', '')
    """
    if isinstance(value, str):
        return value.strip()[:limit]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)[:limit]
    return ""


def product_of(line: Mapping[str, Any]) -> str:
    """What identifies the product of a line: `product_id`, else `sku`, else `id`, else `name`.

    >>> product_of({"sku": "P0412", "name": "Beans"})
    'P0412'
    """
    product = line.get("product_id")
    if isinstance(product, str) and product and len(product) <= 200:
        return product
    for name in ("product_id", "sku", "id", "name"):
        text = text_of(line.get(name))
        if text:
            return text
    return ""


def lines_of(properties: Mapping[str, Any]) -> Lines:
    """The products of an order or refund: quantities of a product that appears twice are added.

    A missing quantity is one; lines without a product or with a quantity of nothing are left out.

    >>> lines_of({"products": [{"product_id": "P1", "price": 18.0, "quantity": 2}, {"product_id": "P2"}]})
    {'P1': (2000000, 360000), 'P2': (1000000, -1)}
    """
    products = properties.get("products")
    if not isinstance(products, list):
        products = (properties,) if "product_id" in properties else ()
    lines: Lines = {}
    for line in products:
        if not isinstance(line, dict) or not (product := product_of(line)):
            continue
        quantity = line.get("quantity", 1)
        common = type(quantity) is int and 0 < quantity <= _MOST_QUANTITY // SCALE
        number = quantity * SCALE if common else _number(quantity)
        if not number:
            continue
        price: Any = line.get("price")
        plain = type(price) is float and 0.0 <= price < _PLAIN  # as `amount` reads it, without the calls
        units = round(price * UNIT) if plain else amount(price)
        total = UNPRICED if units is None or units < 0 else (units * number + _HALF) // SCALE
        added = (number, total if total < MOST else MOST)  # noqa: FURB136 - min() costs three times as much
        before = lines.get(product)
        lines[product] = added if before is None else _both(before, added)
    return lines


def _number(quantity: object) -> int:
    return SCALE if quantity is None else min(abs(scaled(quantity) or 0), _MOST_QUANTITY)


def _both(a: Line, b: Line) -> Line:
    known = [total for _, total in (a, b) if total != UNPRICED]
    return min(a[0] + b[0], _MOST_QUANTITY), min(sum(known), MOST) if known else UNPRICED


def pack(lines: Lines) -> bytes:
    """Lines in few bytes, the same for equal lines; nothing for none.

    >>> unpack(pack({"P1": (1000000, 180000)}))
    {'P1': (1000000, 180000)}
    """
    return _encode(lines) if lines else b""


def unpack(packed: bytes) -> Lines:
    """The lines of `pack`."""
    return _decode(packed) if packed else {}
