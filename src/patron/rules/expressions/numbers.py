"""Exact numbers in SQL: what `rules.values.number_of` and `text_of` say, on JSON texts.

An engine's cast to DECIMAL(18, 6) rounds halves away from zero; the rule language rounds them to even. The two differ where the
7th decimal is a lone 5 after an even 6th, so exactly those are moved back by one unit.
"""

from decimal import Decimal
from typing import Any

import ibis
import ibis.expr.types as ir

from patron.rules.expressions.functions import json_text
from patron.rules.values import MAX_TEXT, MOST, number_of

NUMBER = "decimal(18, 6)"
UNIT = Decimal("0.000001")
_PLAIN = r"^-?[0-9]{1,15}([.][0-9]{1,30})?\z"
_TIE = r"[.][0-9]{5}[02468]50*\z|^-?5([.]0+)?[eE]-0?7\z|^-?[0-9][.][0-9]*[02468]5[eE]-0?[1-9]\z"
_ABOVE_MOST = r"^-?0*1[0-9]{9}[.]0*[1-9]"


def literal(exact: Decimal | int) -> ir.DecimalScalar:
    """A number of the rule as a DECIMAL that multiplies without loss."""
    return ibis.literal(Decimal(exact), type="decimal(18, 6)")


def wanted_number(wanted: Any) -> Decimal | None:
    """The exact number of a rule's value; None for texts, true and false, and what is out of bounds.

    >>> wanted_number(2.5), wanted_number("2"), wanted_number(True)
    (Decimal('2.500000'), None, None)
    """
    units = None if isinstance(wanted, str | bool) else number_of(wanted)
    return None if units is None else Decimal(units).scaleb(-6)


def decimal_of(written: ir.StringValue) -> ir.DecimalValue:
    """The number that a decimal text says, rounded half to even to 6 places; null beyond 10^9 or when it says none."""
    near = written.try_cast(NUMBER)
    step = ibis.ifelse(written.startswith("-"), literal(-UNIT), literal(UNIT))
    even = ibis.ifelse(written.re_search(_TIE), near - step, near).cast(NUMBER)
    small = (near <= literal(MOST)) & (near >= literal(-MOST)) & ~written.re_search(_ABOVE_MOST)
    return ibis.ifelse(small, even, ibis.null(NUMBER))


def number_of_json(value: ir.StringValue) -> ir.DecimalValue:
    """The number of a JSON text: a JSON number, or a string that is a plain decimal."""
    return ibis.cases(
        (value.startswith('"'), number_of_text(json_text(value))),
        (value.re_search("^[-0-9]"), decimal_of(value)),
        else_=ibis.null(NUMBER),
    )


def number_of_text(text: ir.StringValue) -> ir.DecimalValue:
    """The number of a text that is a plain decimal; null for any other."""
    return ibis.ifelse(text.re_search(_PLAIN), decimal_of(text), ibis.null(NUMBER))


def plain(number: ir.DecimalValue) -> ir.StringValue:
    """A number as its shortest decimal."""
    return number.cast("string").re_replace(r"[.]?0+\z", "")


def short(text: ir.StringValue) -> ir.StringValue:
    """A text as `distinct` and `most_frequent` see it: one that is too long is none."""
    return ibis.ifelse(text.length() <= MAX_TEXT, text, ibis.null("string"))


def text_of_json(value: ir.StringValue) -> ir.StringValue:
    """The text of a JSON value; null for lists, objects and null."""
    return ibis.cases(
        (value.startswith('"'), short(json_text(value))),
        (value.isin(["true", "false"]), value),
        (value.re_search("^[-0-9]"), plain(number_of_json(value))),
        else_=ibis.null("string"),
    )
