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
WHOLE = "decimal(38, 0)"
"""Numbers are whole units of 1e-6, and products of them are exact."""
SHOWN = "decimal(38, 6)"
FINAL = "decimal(37, 6)"
"""One narrower: Ibis leaves out a cast to the type that it believes a product to have."""
_COMPARES: dict[str, Callable[[Any, Any], Any]] = {**ORDERINGS, "=": operator.eq}
_FARTHEST = 700_000
"""Days: before 1970 by more than that there is no calendar."""


class Number(NamedTuple):
    """An exact number of a subject in units of 1e-6: `top`, over `bottom` (above 0) when there is one; null where it has none."""

    top: Column
    bottom: Column | None = None
    plain: Column | None = None
    """The same number as the engine counted it, whole or of six places: compared so, it takes no arithmetic a row."""

    def compares(self, op: str, wanted: Any, table: ir.Table, _: At) -> ir.BooleanValue:
        """An operator on the number unrounded."""
        top = self.top(table)

        def one(sign: str, exact: Fraction) -> ir.BooleanValue:
            if self.plain is not None:
                return _plainly(self.plain(table), sign, int(exact * SCALE))
            units = _whole(int(exact * SCALE))
            return _COMPARES[sign](top, units if self.bottom is None else self.bottom(table) * units)

        return _operator(op, wanted, self._there(table), one, _rounded)

    def shown_compares(self, op: str, wanted: Any, table: ir.Table, _: At) -> ir.BooleanValue:
        """An operator on the number as profiles show it."""

        def one(sign: str, exact: Fraction) -> ir.BooleanValue:
            at, above = _first_units(exact, operator.ge), _first_units(exact, operator.gt)
            if sign == "=":
                return self._reaches(at, table) & ~self._reaches(above, table) if at < above else never()
            reached = self._reaches(at if sign in (">=", "<") else above, table)
            return reached if sign in (">=", ">") else ~reached

        return _operator(op, wanted, self._there(table), one, _as_written)

    def shown(self, key: str, gather: Gather) -> Column:
        """The number rounded half to even to 6 places.

        The quotient of doubles is at most one unit off; which of the three it is, products of decimals tell.
        """
        bottom, top = self.bottom, self.top
        if bottom is None:
            return lambda table: _shown(top(table))

        def quotient(table: ir.Table) -> ir.DecimalValue:
            return (top(table).cast("float64") / bottom(table).cast("float64")).round().cast(WHOLE)

        near = gather.derive(f"near {key}", 2, quotient)

        def exact(table: ir.Table) -> ir.DecimalValue:
            above = table[near] + _whole(1)
            units = ibis.cases(
                (top(table).isnull(), ibis.null(WHOLE)),
                (self._reaches(above, table), above),
                (self._reaches(table[near], table), table[near]),
                else_=table[near] - _whole(1),
            )
            return _shown(units)

        return exact

    def _there(self, table: ir.Table) -> ir.BooleanValue:
        return (self.plain or self.top)(table).notnull()

    def _reaches(self, units: Any, table: ir.Table) -> ir.BooleanValue:
        """Whether the number, rounded half to even, is at least so many units."""
        constant = isinstance(units, int)
        if constant and self.plain is not None:
            return _plainly(self.plain(table), ">=", units)
        top = self.top(table)
        if self.bottom is None:
            return top >= (_whole(units) if constant else units)
        half = _whole(2 * units - 1) if constant else units * _whole(2) - _whole(1)
        is_even = ibis.literal(units % 2 == 0) if constant else units % _whole(2) == _whole(0)
        twice, other = top * _whole(2), self.bottom(table) * half
        return (twice > other) | ((twice == other) & is_even)


class Age(NamedTuple):
    """Calendar days between a moment of a subject (ms) and today; null where there is none."""

    time: Column

    def compares(self, op: str, wanted: Any, table: ir.Table, at: At) -> ir.BooleanValue:
        return _operator(op, wanted, self.time(table).notnull(), self._one(table, at), _rounded)

    def shown_compares(self, op: str, wanted: Any, table: ir.Table, at: At) -> ir.BooleanValue:
        return _operator(op, wanted, self.time(table).notnull(), self._one(table, at), _as_written)

    def shown(self, key: str, gather: Gather) -> Column:
        """The days as a whole number."""
        at = gather.at
        today = at.calendar.day(at.now)
        days = gather.derive(
            f"days {key}", 0, lambda table: today - day_of(self.time(table), at.calendar, at.now)
        )
        return lambda table: table[days]

    def _one(self, table: ir.Table, at: At) -> Callable[[str, Fraction], ir.BooleanValue]:
        """Days ago as a comparison with the beginning of a day, so that no time zone is asked a row."""
        time = self.time(table)

        def is_old(days: int) -> ir.BooleanValue:
            day = at.calendar.day(at.now) - days + 1
            if abs(day) > _FARTHEST:
                return ibis.literal(day > 0)
            return time < at.calendar.begins(day)

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

    def shown_compares(self, op: str, wanted: Any, table: ir.Table, at: At) -> ir.BooleanValue:
        return self.compares(op, wanted, table, at)

    def shown(self, _: str, __: Gather) -> Column:
        """The text."""
        return self.text


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
        return _counted(count)
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
    key = repr((trait.measure, trait.per))
    return _ratio(
        key, _as_number(f"top {key}", value, gather), _as_number(f"bottom {key}", per, gather), gather
    )


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
            return _counted(distinct)
        case "most_frequent":
            most = gather.side(f"most_frequent {field} {what}", _most_frequent(field, matches, gather.at))
            return Word(lambda table: table[most])
        case "min":
            least = have("min", number, lambda value: value.min())
            return _decimal(lambda table: table[least])
        case "max":
            greatest = have("max", number, lambda value: value.max())
            return _decimal(lambda table: table[greatest])
    total = have("sum", number, lambda value: value.sum())
    if did.measure == "sum":
        return _decimal(lambda table: ibis.coalesce(table[total], ibis.literal(Decimal(0), SHOWN)))
    many = have("number", number, lambda value: value.count())
    return Number(lambda table: _units(table[total]), lambda table: table[many].cast(WHOLE))


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
            plain = read(kept, field, at)
            assert not isinstance(plain, Items)
            texts = kept.select(SUBJECT, text=plain.text())
        counted = texts.filter(texts.text.notnull()).group_by(SUBJECT, "text").agg(times=ibis._.count())
        most = counted.mutate(most=counted.times.max().over(ibis.window(group_by=SUBJECT)))
        return most.filter(most.times == most.most).group_by(SUBJECT).agg(**{name: ibis._.text.max()})

    return side


def _as_number(key: str, value: Number | Age, gather: Gather) -> Number:
    if isinstance(value, Number):
        return value
    days = value.shown(key, gather)
    return Number(lambda table: days(table).cast(WHOLE) * _whole(SCALE))


def _ratio(key: str, value: Number, per: Number, gather: Gather) -> Number:
    """One number over another; none where the other is 0. The sign goes to the top."""

    def bottom_of(table: ir.Table) -> Any:
        bottom = per.top(table)
        return bottom if value.bottom is None else bottom * value.bottom(table)

    bottom = gather.derive(f"bottom {key}", 1, bottom_of)

    def top_of(table: ir.Table) -> Any:
        top = value.top(table) * _whole(SCALE)
        return top if per.bottom is None else top * per.bottom(table)

    top = gather.derive(f"top {key}", 1, top_of)

    def signed(table: ir.Table) -> Any:
        negative = table[bottom] < _whole(0)
        over = ibis.ifelse(negative, -table[top], table[top])
        nothing = table[bottom].isnull() | (table[bottom] == _whole(0))
        return ibis.ifelse(nothing, ibis.null(WHOLE), over)

    return Number(signed, lambda table: table[bottom].abs())


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
        return there & (equal if op in ("=", "in") else ~equal)
    return there & truth(one(op, known[0])) if op in ORDERINGS and known else never()


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


def _whole(number: int) -> ir.DecimalScalar:
    return ibis.literal(Decimal(number), type=WHOLE)


def _units(number: ir.DecimalValue) -> ir.DecimalValue:
    """A decimal of six places in units of 1e-6."""
    return (number.cast(SHOWN) * ibis.literal(Decimal(SCALE), SHOWN)).cast(WHOLE)


def _shown(units: ir.DecimalValue) -> ir.DecimalValue:
    return (units.cast(SHOWN) * ibis.literal(UNIT, SHOWN)).cast(FINAL)


def _counted(column: str) -> Number:
    def count(table: ir.Table) -> Any:
        return ibis.coalesce(table[column], 0)

    return Number(lambda table: count(table).cast(WHOLE) * _whole(SCALE), plain=count)


def _decimal(number: Column) -> Number:
    """A number of six places."""
    return Number(lambda table: _units(number(table)), plain=number)


def _plainly(number: Any, sign: str, units: int) -> ir.BooleanValue:
    """A column of whole numbers, or of decimals, compared with so many units of 1e-6."""
    if not number.type().is_integer():
        return _COMPARES[sign](number, ibis.literal(Decimal(f"{units}e-6"), SHOWN))
    up, down = -(-units // SCALE), units // SCALE
    if sign == "=":
        return number == up if up == down else never()
    return _COMPARES[sign](number, up if sign in (">=", "<") else down)
