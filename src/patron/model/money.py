"""Exact money: integers of 1/10,000 of a currency's unit. Floats are not associative, so they are never summed."""

from decimal import Decimal, InvalidOperation

UNIT = 10_000
_EXACT_FLOAT = 1e11


def to_units(value: object) -> int | None:
    """Read an amount (JSON number or text) as an integer of 1/10,000; None when it is no finite amount.

    >>> to_units(41.3), to_units("41.30"), to_units(19), to_units("x")
    (413000, 413000, 190000, None)
    """
    if isinstance(value, float) and -_EXACT_FLOAT < value < _EXACT_FLOAT:
        return round(value * UNIT)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, int):
        return value * UNIT
    try:
        amount = Decimal(str(value).strip())
        return round(amount * UNIT) if amount.is_finite() and abs(amount) < 10**15 else None
    except (InvalidOperation, ValueError):
        return None


def from_units(units: int) -> str:
    """Write units as a decimal with at least two places.

    >>> from_units(413000), from_units(-5), from_units(12345)
    ('41.30', '-0.0005', '1.2345')
    """
    sign = "-" if units < 0 else ""
    whole, rest = divmod(abs(units), UNIT)
    cents = f"{rest:04d}".rstrip("0").ljust(2, "0")
    return f"{sign}{whole}.{cents}"
