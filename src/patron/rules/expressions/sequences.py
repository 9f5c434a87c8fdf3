"""Sequences in SQL: for each event that ends a step, the latest possible beginning of the steps up to it.

The latest beginning is the one that leaves most of the limit, so a sequence holds when for some event of the last step the latest
beginning is near enough. One running maximum a step, no enumeration of chains.
"""

import ibis
import ibis.expr.types as ir

from patron.rules.evaluate import length
from patron.rules.expressions.days import moment
from patron.rules.expressions.fields import passes
from patron.rules.expressions.gather import Gather
from patron.rules.expressions.operators import any_of
from patron.rules.expressions.tables import SUBJECT
from patron.rules.tree import Sequence


def sequence(rule: Sequence, gather: Gather) -> str:
    """Have the column that is true where the sequence holds, and null elsewhere."""
    at = gather.at
    since = at.calendar.since(rule.within, at.now)
    for step in rule.steps:
        gather.needs(step.event, since)

    def side(events: ir.Table, name: str) -> ir.Table:
        inside = events if since is None else events.filter(events.time >= moment(since))
        steps = {f"s{i}": passes(inside, step.event, step.where, at) for i, step in enumerate(rule.steps)}
        rows = inside.select(SUBJECT, "milliseconds", "event_id", **steps)
        rows = rows.filter(any_of([rows[step] for step in steps]))
        rows = rows.mutate(begin=ibis.ifelse(rows.s0, rows.milliseconds, ibis.null("int64")))
        before = ibis.window(group_by=SUBJECT, order_by=["milliseconds", "event_id"], preceding=(None, 1))
        for step in list(steps)[1:]:
            earlier = rows.mutate(earlier=rows.begin.max().over(before))
            rows = earlier.mutate(begin=ibis.ifelse(earlier[step], earlier.earlier, ibis.null("int64")))
        ended = rows.begin.notnull()
        if rule.limit is not None:
            ended = ended & (rows.milliseconds - rows.begin <= length(rule.limit))
        return rows.filter(ended).select(SUBJECT).distinct().mutate(**{name: True})

    return gather.side(f"sequence {rule!r} {since}", side)
