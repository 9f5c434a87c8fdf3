"""Baskets as arrays: the same columns whether a simulated world sent them or real tills did."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from msgspec import Struct

from patron.model.clock import DAY, HOUR
from patron.sim.generation.folder import BadFolder
from patron.sim.luck import Floats, Ints
from patron.sim.world.people import Flags


class Basket(NamedTuple):
    """One basket on its way into the columns."""

    who: object
    """The customer, as anything that can be compared; None when nobody knows."""
    at: int
    """Local time: UTC ms plus the offset of the place."""
    lines: int
    value: float
    coupon: bool
    in_store: bool
    reduced: int
    """Lines below list price; -1 when it is not known."""


class About(Struct, frozen=True):
    """What readers must know about one side of a comparison."""

    label: str
    customer: str
    """What a customer is here, and how baskets were given to customers."""
    unit: str
    currency: str


class Baskets(Struct, frozen=True, kw_only=True):
    """The baskets of some customers over some days; each array has one entry a basket, in no particular order."""

    about: About
    first: int
    """Date of the first day, days since 1970."""
    days: int
    customer: Ints
    """0 .. customers-1. From `known` on: baskets of nobody known, each a customer of its own."""
    known: int
    customers: int
    date: Ints
    """Local date, days since 1970."""
    hour: Ints
    """Local hour, 0 .. 23."""
    lines: Ints
    value: Floats
    """Paid, in whole units of the currency."""
    coupon: Flags
    in_store: Flags
    reduced: Ints | None
    """Lines sold below list price; None when it is not known."""
    left_out: int
    """Baskets without a value above zero, which are not in the arrays."""

    def __len__(self) -> int:
        return len(self.customer)


def gather(about: About, baskets: Iterable[Basket], first: int, days: int) -> Baskets:
    """Put baskets into columns; those of no value are counted and left out, those of other days dropped.

    Raises BadFolder when nothing is left.
    """
    kept: list[Basket] = []
    left_out = 0
    for basket in baskets:
        left_out += basket.value <= 0
        if basket.value > 0 and first <= basket.at // DAY < first + days:
            kept.append(basket)
    if not kept:
        raise BadFolder(f"{about.label} holds no order; generate more people or more days")
    customer, known = _customers([basket.who for basket in kept])
    columns: dict[str, Any] = {
        name: np.array(column)
        for name, column in zip(Basket._fields, zip(*kept, strict=True), strict=True)
        if name != "who"
    }
    return Baskets(
        about=about,
        first=first,
        days=days,
        customer=customer,
        known=known,
        customers=int(customer.max()) + 1,
        date=columns["at"] // DAY,
        hour=columns["at"] % DAY // HOUR,
        lines=columns["lines"],
        value=columns["value"],
        coupon=columns["coupon"],
        in_store=columns["in_store"],
        reduced=None if columns["reduced"].min() < 0 else columns["reduced"],
        left_out=left_out,
    )


def _customers(who: list[object]) -> tuple[Ints, int]:
    """Each basket's customer as a number, and how many of them are known."""
    codes = {key: code for code, key in enumerate(dict.fromkeys(key for key in who if key is not None))}
    nobody = iter(range(len(codes), len(codes) + len(who)))
    return np.array([next(nobody) if key is None else codes[key] for key in who], dtype=np.int64), len(codes)
