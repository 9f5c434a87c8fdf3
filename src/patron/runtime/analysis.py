"""Ready questions over the lake, each in a process of its own: segments, computed traits and insights, never on the event loop.

The process reads the lake's files and nothing else, within memory and time; a question that is cancelled ends its process.
Run as ``python -m patron.runtime.analysis`` with an `Asked` as JSON on its standard input.
"""

import asyncio
import contextlib
import os
import shutil
import sys
import tempfile
from typing import Any, BinaryIO

import msgspec
from msgspec import Struct

from patron.insights import Insight
from patron.model.errors import BadRequest
from patron.rules.tree import Computed, Segment
from patron.storage.lake.asking import Head, Query, too_slow

GRACE = 8.0
"""Seconds that a process may take to come up and to stop, beside those of its question."""


class Moment(Struct, frozen=True, omit_defaults=True):
    """When a question is asked, and what its rules refer to: `rules.expressions.At` as data."""

    now: int
    zone: str
    opt_in: tuple[str, ...] = ()
    segments: tuple[Segment, ...] = ()
    computed: tuple[Computed, ...] = ()
    stores: dict[str, tuple[float, float]] = {}
    as_of: int | None = None


class Standings(Struct, frozen=True, tag_field="kind", tag="standings"):
    """How everybody stands to these segments: a column each, 1 in, 2 without a lawful basis, 0 out."""

    segments: tuple[Segment, ...]


class Reach(Struct, frozen=True, tag_field="kind", tag="reach"):
    """How many are in each segment, and how many more would be with a lawful basis: rows of `segment`, `members`, `without_basis`."""

    segments: tuple[Segment, ...]


class Values(Struct, frozen=True, tag_field="kind", tag="values"):
    """The computed traits of everybody, a column each."""

    traits: tuple[Computed, ...]


Question = Standings | Reach | Values | Insight


class Asked(Struct, frozen=True):
    """A question, its moment, and the lake with its bounds (`query.sql` is not read)."""

    question: Question
    moment: Moment
    query: Query


class Analyst:
    """Asks questions of the lake.

    Parameters
    ----------
    query : the lake's place and the bounds of every question (`storage.lake.asking.Query`).
    at_once : how many processes may run side by side; further questions wait.
    """

    def __init__(self, query: Query, at_once: int = 1) -> None:
        self._query = query
        self._turns = asyncio.Semaphore(at_once)

    async def run(self, question: Question, moment: Moment) -> tuple[Head, list[list[Any]]]:
        """The answer: columns, and rows in their order. Cancelling ends the process.

        Raises
        ------
        BadRequest : too slow, too large, or a rule that cannot be asked, with a sentence that says what to do.
        """
        async with self._turns:
            spill = tempfile.mkdtemp(prefix="patron-question-")
            try:
                bounds = msgspec.structs.replace(self._query, spill=spill)
                return await self._process(Asked(question, moment, bounds))
            finally:
                shutil.rmtree(spill, ignore_errors=True)

    async def _process(self, asked: Asked) -> tuple[Head, list[list[Any]]]:
        remote = "://" in asked.query.url
        kept = (
            os.environ if remote else {k: v for k, v in os.environ.items() if k in {"PATH", "LANG", "TMPDIR"}}
        )
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "patron.runtime.analysis"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={**kept, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            start_new_session=True,
        )
        try:
            seconds = asked.query.seconds
            out, _ = await asyncio.wait_for(process.communicate(msgspec.json.encode(asked)), seconds + GRACE)
        except TimeoutError as error:
            raise BadRequest("too_slow", too_slow(asked.query.seconds)) from error
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        line, _, content = out.partition(b"\n")
        if not line:
            raise BadRequest(
                "too_large",
                "The question ended its process, most likely for want of memory. Ask for fewer days.",
            )
        head = msgspec.json.decode(line, type=Head)
        if head.code:
            raise BadRequest(head.code, head.message)
        return head, msgspec.json.decode(content, type=list[list[Any]])


def expression(asked: Asked) -> Any:
    """The question as an expression. Raises ValueError with a sentence when a rule cannot be asked of the lake."""
    import ibis  # only the child needs it: the server stays light

    from patron.rules.calendar import Calendar
    from patron.rules.expressions import IN, WITHOUT_BASIS, At, measures_of, standings, unbound

    m, question = asked.moment, asked.question
    at = At(
        m.now,
        Calendar(m.zone),
        m.opt_in,
        {s.id: s for s in m.segments},
        {c.id: c for c in m.computed},
        m.stores,
        m.as_of,
    )
    if isinstance(question, Values):
        return measures_of(question.traits, unbound(), at)
    if isinstance(question, Standings):
        return standings(question.segments, unbound(), at)
    if not isinstance(question, Reach):
        return question.expression(unbound(), at)
    found = standings(question.segments, unbound(), at)
    counts = found.agg(
        **{f"i{n}": found.count(where=found[s.id] == IN) for n, s in enumerate(question.segments)},
        **{f"w{n}": found.count(where=found[s.id] == WITHOUT_BASIS) for n, s in enumerate(question.segments)},
    )
    rows = [
        counts.select(
            segment=ibis.literal(s.id),
            members=ibis.coalesce(counts[f"i{n}"], 0),
            without_basis=ibis.coalesce(counts[f"w{n}"], 0),
        )
        for n, s in enumerate(question.segments)
    ]
    return ibis.union(*rows) if len(rows) > 1 else rows[0]


def main(source: BinaryIO, answer: BinaryIO) -> None:
    """Answer the question that stands in the input."""
    from patron.rules.expressions import definitions, sql_of
    from patron.storage.lake import query as door

    asked = msgspec.json.decode(source.read(), type=Asked)
    data = b""
    try:
        sql = sql_of(expression(asked))
        # the door has set the time zone already, and locked its settings
        macros = [statement for statement in definitions("duckdb") if not statement.startswith("SET")]
        head, data = door.run(msgspec.structs.replace(asked.query, sql=sql), macros)
    except door.Refused as error:
        head = Head(code=error.code, message=str(error))
    except ValueError as error:
        head = Head(code="bad_question", message=str(error))
    answer.write(msgspec.json.encode(head) + b"\n")
    answer.write(data)
    answer.flush()


if __name__ == "__main__":
    main(sys.stdin.buffer, sys.stdout.buffer)
    os._exit(0)
