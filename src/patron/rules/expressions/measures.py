"""Measures in SQL: what a subject's matching events add up to, compared exactly or as profiles show it."""

import math
import operator
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

import ibis
import ibis.expr.types as ir

from patron.rules.expressions.days import day_of, moment
from patron.rules.expressions.fields import Items, Json, passes, read
from patron.rules.expressions.gather import Gather
from patron.rules.expressions.numbers import UNIT
from patron.rules.expressions.operators import ORDERINGS, any_of, never, text_holds, truth
from patron.rules.expressions.tables import SUBJECT, At
from patron.rules.tree import Computed, Did
from patron.rules.values import SCALE, number_of, shown

Column = Callable[[ir.Table], Any]
"""Over the table of `Gather`: something of a subject."""
SUM = "decimal(25, 6)"
COUNT = "decimal(12, 0)"
WIDE = "decimal(38, 6)"
"""Products are made this wide before they are compared."""
_COMPARES: dict[str, Callable[[Any, Any], Any]] = {**ORDERINGS, "=": operator.eq}
_FARTHEST = 700_000
"""Days: before 1970 by more than that there is no calendar."""


class Number(NamedTuple):
    """An exact number of a subject: `top`, over `bottom` (above 0) when there is one; null where it has none."""

    top: Column
    bottom: Column | None = None

    def compares(self, op: str, wanted: Any, table: ir.Table, _: At) -> ir.BooleanValue:
        """An operator on the number unrounded."""
        top = self.top(table)

        def one(sign: str, exact: Fraction) -> ir.BooleanValue:
            other = _decimal(Decimal(exact.numerator * SCALE // exact.denominator).scaleb(-6))
            right = other if self.bottom is None else self.bottom(table) * other
            return _COMPARES[sign](_wide(top), _wide(right))  # type: ignore[no-any-return]

        return _operator(op, wanted, top.notnull(), one, _rounded)

    def shown_compares(self, op: str, wanted: Any, table: ir.Table, _: At) -> ir.BooleanValue:
        """An operator on the number as profiles show it."""

        def one(sign: str, exact: Fraction) -> ir.BooleanValue:
            at, above = _first_units(exact, operator.ge), _first_units(exact, operator.gt)
            if sign == "=":
                return self._reaches(at, table) & ~self._reaches(above, table) if at < above else never()
            reached = self._reaches(at if sign in (">=", "<") else above, table)
            return reached if sign in (">=", ">") else ~reached

        return _operator(op, wanted, self.top(table).notnull(), one, _as_written)

    def shown(self, table: ir.Table, _: At) -> ir.DecimalValue:
        """The number rounded half to even to 6 places.

        The quotient of doubles is at most one unit off; which of the three it is, products of decimals tell.
        """
        top = self.top(table)
        if self.bottom is None:
            return _wide(top)
        quotient = top.cast("float64") * float(SCALE) / self.bottom(table).cast("float64")
        near = quotient.round().cast("decimal(18, 0)")
        above = (near + _decimal(1)).cast("decimal(18, 0)")
        units = ibis.cases(
            (self._reaches(above, table), above),
            (self._reaches(near, table), near),
            else_=(near - _decimal(1)),
        )
        return ibis.ifelse(top.notnull(), _wide(units * _decimal(UNIT)), ibis.null(WIDE))

    def _reaches(self, units: Any, table: ir.Table) -> ir.BooleanValue:
        """Whether the number, rounded half to even, is at least so many units of 1e-6."""
        top = self.top(table)
        constant = isinstance(units, int)
        if self.bottom is None:
            return _wide(top) >= _wide(
                _decimal(Decimal(units).scaleb(-6)) if constant else units * _decimal(UNIT)
            )  # type: ignore[no-any-return]
        half = _decimal(2 * units - 1) if constant else units * _decimal(2) - _decimal(1)
        is_even = ibis.literal(units % 2 == 0) if constant else units.cast("int64") % 2 == 0
        twice, other = _wide(top * _decimal(2 * SCALE)), _wide(self.bottom(table) * half)
        return (twice > other) | ((twice == other) & is_even)  # type: ignore[no-any-return]


class Age(NamedTuple):
    """Calendar days between a moment of a subject (ms) and today; null where there is none."""

    time: Column

    def compares(self, op: str, wanted: Any, table: ir.Table, at: At) -> ir.BooleanValue:
        return _operator(op, wanted, self.time(table).notnull(), self._one(table, at), _rounded)

    def shown_compares(self, op: str, wanted: Any, table: ir.Table, at: At) -> ir.BooleanValue:
        return _operator(op, wanted, self.time(table).notnull(), self._one(table, at), _as_written)

    def shown(self, table: ir.Table, at: At) -> ir.IntegerValue:
        return at.calendar.day(at.now) - day_of(self.time(table), at.calendar, at.now)

    def _one(self, table: ir.Table, at: At) -> Callable[[str, Fraction], ir.BooleanValue]:
        """Days ago as a comparison with the beginning of a day, so that no time zone is asked a row."""
        time = self.time(table)

        def is_old(days: int) -> ir.BooleanValue:
            day = at.calendar.day(at.now) - days + 1
            if abs(day) > _FARTHEST:
                return ibis.literal(day > 0)
            return time < at.calendar.begins(day)  # type: ignore[no-any-return]

        def one(sign: str, exact: Fraction) -> ir.BooleanValue:
            least, above = math.ceil(exact), math.floor(exact) + 1
            if sign == "=":
                return is_old(least) & ~is_old(above) if least < above else never()
            old = is_old(least if sign in (">=", "<") else above)
            return old if sign in (">=", ">") else ~old

        return one


class Word(NamedTuple):
    """A text of a subject; null where it has none."""

    text: Column

    def compares(self, op: str, wanted: Any, table: ir.Table, _: At) -> ir.BooleanValue:
        return text_holds(op, wanted, self.text(table))

    shown_compares = compares

    def shown(self, table: ir.Table, _: At) -> ir.StringValue:
        return self.text(table)  # type: ignore[no-any-return]


Measured = Number | Age | Word


def measured(did: Did, gather: Gather) -> Measured:
    """Have a measure of the matching events; its `op` and `value` are not read.

    Raises
    ------
    ValueError : the measure needs a property and names none.
    """
    at = gather.at
    since = at.calendar.since(did.within, at.now)
    gather.needs(did.event, since)
    what = repr((did.event, did.where, since))

    def matches(events: ir.Table) -> ir.BooleanValue:
        passed = passes(events, did.event, did.where, at)
        return passed if since is None else (events.time >= moment(since)) & passed

    if did.measure == "count":
        count = gather.aggregate(f"count {what}", lambda events: events.count(where=matches(events)))
        return Number(lambda table: ibis.coalesce(table[count], 0).cast(COUNT))
    if did.measure in ("first", "last"):
        earliest = did.measure == "first"
        time = gather.aggregate(
            f"{did.measure} {what}",
            lambda events: (events.milliseconds.min if earliest else events.milliseconds.max)(
                where=matches(events)
            ),
        )
        return Age(lambda table: table[time])
    if did.property is None:
        raise ValueError(f"`{did.measure}` needs a property")
    return _of_property(did, did.property, what, matches, gather)


def computed(trait: Computed, gather: Gather) -> Measured | None:
    """Have the value of a computed trait; None when it can have none (a ratio of a text)."""
    value = measured(trait.measure, gather)
    if trait.per is None:
        return value
    per = measured(trait.per, gather)
    if isinstance(value, Word) or isinstance(per, Word):
        return None
    return _ratio(_as_number(value, gather.at), _as_number(per, gather.at))


def _of_property(
    did: Did, field: str, what: str, matches: Callable[[ir.Table], ir.BooleanValue], gather: Gather
) -> Measured:
    def have(kind: str, value: Callable[[Any], Any], fold: Callable[[Any], Any]) -> str:
        """An aggregate of one value an event, or of one value an item of a list."""

        def aggregate(events: ir.Table) -> Any:
            taken = value(read(events, field, gather.at))
            return fold(ibis.ifelse(matches(events), taken, ibis.null(taken.type())))

        def side(events: ir.Table, name: str) -> ir.Table:
            items = _items(events, field, matches, gather.at)
            return items.group_by(SUBJECT).agg(**{name: fold(value(Json(items.item)))})

        key = f"{kind} {field} {what}"
        return gather.side(key, side) if "[]" in field else gather.aggregate(key, aggregate)

    def number(taken: Any) -> Any:
        return taken.number()

    def text(taken: Any) -> Any:
        return taken.text()

    match did.measure:
        case "distinct":
            distinct = have("distinct", text, lambda value: value.nunique())
            return Number(lambda table: ibis.coalesce(table[distinct], 0).cast(COUNT))
        case "most_frequent":
            most = gather.side(f"most_frequent {field} {what}", _most_frequent(field, matches, gather.at))
            return Word(lambda table: table[most])
        case "min":
            least = have("min", number, lambda value: value.min())
            return Number(lambda table: table[least].cast(SUM))
        case "max":
            greatest = have("max", number, lambda value: value.max())
            return Number(lambda table: table[greatest].cast(SUM))
    total = have("sum", number, lambda value: value.sum())
    if did.measure == "sum":
        return Number(lambda table: ibis.coalesce(table[total].cast(SUM), _decimal(0).cast(SUM)))
    many = have("number", number, lambda value: value.count())
    return Number(lambda table: table[total].cast(SUM), lambda table: table[many].cast(COUNT))


def _items(events: ir.Table, field: str, matches: Callable[[ir.Table], ir.BooleanValue], at: At) -> ir.Table:
    """A row for each item of the list: `subject`, and the JSON text of what is read of the item."""
    listed = read(events, field, at)
    assert isinstance(listed, Items)
    rows = events.filter(matches(events)).select(SUBJECT, item=listed.items().unnest())
    return rows.select(SUBJECT, item=listed.of(rows.item))


def _most_frequent(
    field: str, matches: Callable[[ir.Table], ir.BooleanValue], at: At
) -> Callable[[ir.Table, str], ir.Table]:
    def side(events: ir.Table, name: str) -> ir.Table:
        if "[]" in field:
            items = _items(events, field, matches, at)
            texts = items.select(SUBJECT, text=Json(items.item).text())
        else:
            kept = events.filter(matches(events))
            texts = kept.select(SUBJECT, text=read(kept, field, at).text())
        counted = texts.filter(texts.text.notnull()).group_by(SUBJECT, "text").agg(times=ibis._.count())
        most = counted.mutate(most=counted.times.max().over(ibis.window(group_by=SUBJECT)))
        return most.filter(most.times == most.most).group_by(SUBJECT).agg(**{name: ibis._.text.max()})

    return side


def _as_number(value: Number | Age, at: At) -> Number:
    if isinstance(value, Number):
        return value
    return Number(lambda table: value.shown(table, at).cast(COUNT))


def _ratio(value: Number, per: Number) -> Number:
    """One number over another; none where the other is 0. The sign goes to the top."""

    def parts(table: ir.Table) -> tuple[Any, Any]:
        top, bottom = value.top(table), per.top(table)
        if per.bottom is not None:
            top = top * per.bottom(table)
        if value.bottom is not None:
            bottom = bottom * value.bottom(table)
        return top, bottom

    def top_of(table: ir.Table) -> Any:
        top, bottom = parts(table)
        return ibis.cases((bottom > 0, top), (bottom < 0, -top), else_=ibis.null(top.type()))

    return Number(top_of, lambda table: parts(table)[1].abs())


def _operator(
    op: str,
    wanted: Any,
    there: ir.BooleanValue,
    one: Callable[[str, Fraction], ir.BooleanValue],
    number: Callable[[Any], Fraction | None],
) -> ir.BooleanValue:
    """Any operator, from comparisons with one number. True, false and texts are no numbers."""
    if op in ("exists", "missing"):
        return there if op == "exists" else ~there
    numbers = [number(value) for value in (wanted if op in ("in", "not_in") else [wanted])]
    known = [value for value in numbers if value is not None]
    if op in ("=", "!=", "in", "not_in"):
        equal = truth(any_of([one("=", value) for value in known]))
        return equal if op in ("=", "in") else there & ~equal
    return truth(one(op, known[0])) if op in ORDERINGS and known else never()


def _rounded(wanted: Any) -> Fraction | None:
    units = None if isinstance(wanted, str | bool) else number_of(wanted)
    return None if units is None else Fraction(units, SCALE)


def _as_written(wanted: Any) -> Fraction | None:
    return Fraction(wanted) if isinstance(wanted, int | float) and not isinstance(wanted, bool) else None


def _first_units(exact: Fraction, compare: Callable[[Any, Any], bool]) -> int:
    """The least units of 1e-6 whose number, as profiles show it, is at least (or above) the wanted one."""
    units = math.floor(exact * SCALE) - 2
    while not compare(shown(Fraction(units, SCALE)), exact):
        units += 1
    return units


def _decimal(exact: Decimal | int) -> ir.DecimalScalar:
    """A constant of just the width it needs, so that products keep all their digits."""
    number = Decimal(exact)
    scale = max(0, -int(number.as_tuple().exponent))
    width = max(len(number.as_tuple().digits), scale + 1)
    return ibis.literal(number, type=f"decimal({width}, {scale})")


def _wide(number: Any) -> Any:
    return number.cast(WIDE)
