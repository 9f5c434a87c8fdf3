"""What the lake's answers about segments and computed traits hold."""

from decimal import Decimal
from typing import Any

SECONDS = 900.0
"""Longest time of a question about everybody."""
IN = 1
STANDS = ("out", "in", "without basis")
"""How somebody stands to a segment, in words, by the code that the lake gives."""


def read(value: Any, is_decimal: bool) -> Any:
    """A cell of the lake's answer as profiles show it; decimals come as text.

    >>> read("2.500000", True), read("7.000000", True), read("7", False), read(None, True)
    (2.5, 7, '7', None)
    """
    if not is_decimal or value is None:
        return value
    exact = Decimal(value)
    return int(exact) if exact == exact.to_integral_value() else float(exact)
