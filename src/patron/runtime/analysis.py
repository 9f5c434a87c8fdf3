"""Ready questions over the lake, each in a process of its own: segments, computed traits and insights, never on the event loop.

The process reads the lake's files and nothing else, within memory and time; a question that is cancelled ends its process.
Run as ``python -m patron.runtime.analysis`` with an `Asked` as JSON on its standard input.
"""

import os
import sys
from collections.abc import AsyncGenerator, Mapping
from typing import TYPE_CHECKING, Any, BinaryIO

import msgspec
from msgspec import Struct

from patron.model.errors import BadRequest
from patron.rules.tree import Computed, Segment
from patron.storage.lake.asking import Head, Query

if TYPE_CHECKING:
    from patron.insights import Insight
    from patron.runtime.lake.processes import LakeProcesses  # the child needs no more than what it asks

MOST = 10**9
"""Rows of an answer that is read in slices: all."""


class Moment(Struct, frozen=True, omit_defaults=True):
    """When a question is asked, and what its rules refer to: `rules.expressions.At` as data."""

    now: int
    zone: str
    opt_in: tuple[str, ...] = ()
    segments: tuple[Segment, ...] = ()
    computed: tuple[Computed, ...] = ()
    stores: dict[str, tuple[float, float]] = {}
    as_of: int | None = None
    household_people: int = 10


class Standings(Struct, frozen=True, tag_field="kind", tag="standings"):
    """How everybody stands to these segments: a column each, 1 in, 2 without a lawful basis, 0 out."""

    segments: tuple[Segment, ...]


class Reach(Struct, frozen=True, tag_field="kind", tag="reach"):
    """How many are in each segment, and how many more would be with a lawful basis: rows of `segment`, `members`, `without_basis`."""

    segments: tuple[Segment, ...]


class Values(Struct, frozen=True, tag_field="kind", tag="values"):
    """The computed traits of everybody, a column each."""

    traits: tuple[Computed, ...]


class MembersSql(Struct, frozen=True, tag_field="kind", tag="members_sql"):
    """The query that finds the members of a segment, as a text; the lake is not read."""

    segment: Segment


class ValuesSql(Struct, frozen=True, tag_field="kind", tag="values_sql"):
    """The query that gives the values of a computed trait, as a text; the lake is not read."""

    trait: Computed


Question = Standings | Reach | Values | MembersSql | ValuesSql


class Asked(Struct, frozen=True):
    """A question, its moment, and the lake with its bounds (`query.sql` is not read).

    The question is one of `Question` or of `patron.insights.Insight`, or the same as plain data: reading an insight takes the
    engine of the expressions, which only the child has.
    """

    question: Any
    moment: Moment
    query: Query


class Analyst:
    """Asks questions of the lake.

    Parameters
    ----------
    processes : where questions take their turns.
    query : the lake's place and the bounds of every question (`storage.lake.asking.Query`).
    """

    def __init__(self, processes: "LakeProcesses", query: Query) -> None:
        self._processes = processes
        self._query = query

    async def run(
        self, question: "Question | Insight | Mapping[str, Any]", moment: Moment
    ) -> tuple[Head, list[list[Any]]]:
        """The answer: columns, and rows in their order. Cancelling ends the process.

        A question may be given as plain data: `{"kind": "funnel", "steps": [...]}`.

        Raises
        ------
        BadRequest : too slow, too large, or a question that cannot be asked, with a sentence that says what to do.
        Busy : too many questions are under way.
        """
        head, content = await self._processes.run(
            "patron.runtime.analysis", self._query, lambda query: Asked(question, moment, query)
        )
        return head, msgspec.json.decode(content, type=list[list[Any]])

    async def slices(
        self, question: Question, moment: Moment
    ) -> AsyncGenerator[tuple[Head, list[list[Any]]]]:
        """All rows of the answer in slices, each with what says their columns. Close it (`contextlib.aclosing`).

        Raises as `run`.
        """
        from patron.runtime.lake.processes import head_of

        whole = msgspec.structs.replace(self._query, format="lines", rows=MOST)
        async with self._processes.started(
            "patron.runtime.analysis", whole, lambda query: Asked(question, moment, query)
        ) as process:
            assert process.stdout is not None
            head, rows = head_of(await process.stdout.readline()), 0
            while line := await process.stdout.readline():
                found = msgspec.json.decode(line, type=list[list[Any]])
                rows += len(found)
                yield head, found
            if rows != head.rows:
                head_of(b"")

    async def sql(self, item: Segment | Computed, moment: Moment) -> str:
        """A definition as a query, over several lines. Raises BadRequest when the lake's SQL has no words for it, or Busy."""
        asked = ValuesSql(item) if isinstance(item, Computed) else MembersSql(item)
        try:
            _, rows = await self.run(asked, moment)
        except BadRequest as error:
            raise BadRequest("no_sql", f"This rule cannot be said in SQL: {error.message}") from error
        return str(rows[0][0])


def read(question: Any) -> "Question | Insight":
    """A question from plain data. Raises ValueError with a sentence."""
    from patron.insights import Insight

    try:
        found: Question | Insight = msgspec.convert(question, Question | Insight)
    except msgspec.ValidationError as error:
        raise ValueError(f"This is no question: {error}.") from error
    return found


def expression(question: "Question | Insight", m: Moment) -> Any:
    """The question as an expression. Raises ValueError with a sentence when a rule cannot be asked of the lake."""
    # only the child imports this: the server stays light
    from patron.rules.calendar import Calendar
    from patron.rules.expressions import At, measure, measures_of, members, standings, unbound

    at = At(
        m.now,
        Calendar(m.zone),
        m.opt_in,
        {s.id: s for s in m.segments},
        {c.id: c for c in m.computed},
        m.stores,
        m.as_of,
        m.household_people,
    )
    match question:
        case MembersSql():
            return members(question.segment, unbound(), at)
        case ValuesSql():
            return measure(question.trait, unbound(), at)
        case Values():
            return measures_of(question.traits, unbound(), at)
        case Standings():
            return standings(question.segments, unbound(), at)
        case Reach():
            return _counts(question.segments, standings(question.segments, unbound(), at))
    return question.expression(unbound(), at)


def _counts(segments: tuple[Segment, ...], found: Any) -> Any:
    """A row of each segment from the columns of `standings`, in one pass over them."""
    import ibis

    from patron.rules.expressions import IN, WITHOUT_BASIS

    counts = found.agg(
        **{f"i{n}": found.count(where=found[s.id] == IN) for n, s in enumerate(segments)},
        **{f"w{n}": found.count(where=found[s.id] == WITHOUT_BASIS) for n, s in enumerate(segments)},
    )
    rows = [
        counts.select(
            segment=ibis.literal(s.id),
            members=ibis.coalesce(counts[f"i{n}"], 0),
            without_basis=ibis.coalesce(counts[f"w{n}"], 0),
        )
        for n, s in enumerate(segments)
    ]
    return ibis.union(*rows) if len(rows) > 1 else rows[0]


def main(source: BinaryIO, answer: BinaryIO) -> None:
    """Answer the question that stands in the input."""
    import sqlglot

    from patron.rules.expressions import definitions, sql_of
    from patron.storage.lake import query as door

    asked = msgspec.json.decode(source.read(), type=Asked)

    def work() -> tuple[Head, bytes]:
        try:
            question = read(asked.question)
            sql = sql_of(expression(question, asked.moment))
        except (ValueError, NotImplementedError) as error:
            raise door.Refused("bad_question", str(error)) from error
        if isinstance(question, MembersSql | ValuesSql):
            lines = sqlglot.parse_one(sql, dialect="duckdb").sql(dialect="duckdb", pretty=True)
            return Head([("sql", "string")], 1), msgspec.json.encode([[lines]])
        # the door has set the time zone already, and locked its settings
        macros = [statement for statement in definitions("duckdb") if not statement.startswith("SET")]
        return door.run(msgspec.structs.replace(asked.query, sql=sql), macros)

    door.reply(answer, work)


if __name__ == "__main__":
    from patron.storage.lake.query import lower

    lower()
    main(sys.stdin.buffer, sys.stdout.buffer)
    os._exit(0)
