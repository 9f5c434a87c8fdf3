"""Traits, scores and consents in SQL: what was last written, and what was last said."""

import datetime as dt
from typing import Any

import ibis
import ibis.expr.types as ir
import msgspec

from patron.rules.consent import EVERYWHERE
from patron.rules.expressions.functions import json_key, json_path, json_text
from patron.rules.expressions.gather import Gather
from patron.rules.expressions.operators import json_holds, never, truth
from patron.rules.expressions.tables import SUBJECT, At, stamp_of
from patron.rules.tree import Fact

_EPOCH = dt.date(1970, 1, 1)
_DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ]|\z)"


def trait(path: str, gather: Gather) -> Any:
    """Have the JSON text of a trait, nested by dots: a function of the table. A trait whose own name holds a dot wins."""
    whole = _last_written(path, gather)
    head, dot, rest = path.partition(".")
    if not dot:
        return lambda table: table[whole]
    first = _last_written(head, gather)
    # a deleted trait is not there, so it does not stand in the way of the nested one
    return lambda table: ibis.coalesce(table[whole].nullif("null"), json_path(table[first], rest))


def score(name: str, gather: Gather) -> str:
    """Have the column of a model's score."""
    scores = gather.lake.scores

    def side(_: ir.Table, column: str) -> ir.Table:
        assert scores is not None
        return scores.filter(scores.name == name).select(SUBJECT, **{column: scores.value})

    return gather.side(f"score {name}", side)


def fact_holds(fact: Fact, value: ir.StringValue, at: At) -> ir.BooleanValue:
    """Whether a fact holds of a JSON text; `in_last` and `in_next` read texts that begin with an ISO date."""
    if fact.op not in ("in_last", "in_next"):
        return json_holds(fact.op, fact.value, value)
    text = json_text(value)
    dated = value.startswith('"') & text.re_search(_DATE) & ~text.startswith("0000")
    date = ibis.ifelse(dated, text.substr(0, 10), ibis.null("string")).try_cast("date")
    today = _EPOCH + dt.timedelta(days=at.calendar.day(at.now))
    first, end = (0, fact.value) if fact.op == "in_next" else (1 - fact.value, 1)
    if first >= end:
        return never()
    return truth((date >= today + dt.timedelta(days=first)) & (date < today + dt.timedelta(days=end)))


def said(purpose: str, channel: str, gather: Gather) -> str:
    """Have the column of the last word on a purpose and channel: twice its time, and one more for a no."""
    gather.needs_column("consents")

    def last(events: ir.Table) -> Any:
        word = ibis.cases(
            (_states(events, purpose, channel, granted=False), events.milliseconds * 2 + 1),
            (_states(events, purpose, channel, granted=True), events.milliseconds * 2),
            else_=ibis.null("int64"),
        )
        return word.max()

    return gather.aggregate(f"said {purpose!r} {channel!r}", last)


def is_granted(word: ir.IntegerValue) -> ir.BooleanValue:
    """Whether the last word (`said`) is a yes."""
    return truth(word % 2 == 0)


def is_denied(word: ir.IntegerValue) -> ir.BooleanValue:
    """Whether the last word (`said`) is a no."""
    return truth(word % 2 == 1)


def _last_written(name: str, gather: Gather) -> str:
    gather.needs_column("traits")

    def last(events: ir.Table) -> Any:
        value = json_key(events.traits, name)
        return value.argmax(stamp_of(events), where=value.notnull())

    return gather.aggregate(f"trait {name!r}", last)


def _states(events: ir.Table, purpose: str, channel: str, *, granted: bool) -> ir.BooleanValue:
    """Whether an event says so. Its `consents` are compact JSON, in which `["` begins an entry and nothing else."""
    entries = [
        msgspec.json.encode([purpose[:200], where, granted]).decode() for where in {channel, EVERYWHERE}
    ]
    found: ir.BooleanValue = events.consents.contains(entries[0])
    for entry in entries[1:]:
        found = found | events.consents.contains(entry)
    return found
