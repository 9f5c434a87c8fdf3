"""Ready questions over the lake, each in a process of its own: segments, computed traits and insights, never on the event loop.

The process reads the lake's files and nothing else, within memory and time; a question that is cancelled ends its process.
Run as ``python -m patron.runtime.analysis`` with an `Asked` as JSON on its standard input.
"""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncGenerator, Iterator
from typing import Any, BinaryIO

import msgspec
from msgspec import Struct

from patron.insights import Insight
from patron.model.errors import BadRequest
from patron.rules.tree import Computed, Segment
from patron.storage.lake.asking import Head, Query, too_slow

GRACE = 8.0
"""Seconds that a process may take to come up and to stop, beside those of its question."""
SLICE = 1_000
"""Rows of one slice."""
WIDEST = 2**26
"""Bytes that one slice may have."""


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
    in_slices: bool = False
    """Whether the rows come in lines of `SLICE`, and then another head, so that nobody has to hold them all."""


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
            return await self._process(Asked(question, moment, self._query))

    async def slices(
        self, question: Question, moment: Moment
    ) -> AsyncGenerator[tuple[Head, list[list[Any]]]]:
        """The rows of the answer in slices, each with what says its columns; the most rows of `query` do not count here.

        Close it (`contextlib.aclosing`): that ends the process. Raises as `run`.
        """
        asked = Asked(question, moment, self._query, in_slices=True)
        async with self._turns, self._running(asked.query) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(msgspec.json.encode(asked))
            process.stdin.close()
            head = _head(await process.stdout.readline())
            while (line := await process.stdout.readline()).startswith(b"["):
                yield head, msgspec.json.decode(line, type=list[list[Any]])
            _head(line)

    async def _process(self, asked: Asked) -> tuple[Head, list[list[Any]]]:
        async with self._running(asked.query) as process:
            out, _ = await process.communicate(msgspec.json.encode(asked))
        line, _, content = out.partition(b"\n")
        return _head(line), msgspec.json.decode(content, type=list[list[Any]])

    @contextlib.asynccontextmanager
    async def _running(self, query: Query) -> AsyncGenerator[asyncio.subprocess.Process]:
        """A process for one question, ended when it is left, and when the question takes too long."""
        remote = "://" in query.url
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
            limit=WIDEST,
        )
        try:
            async with asyncio.timeout(query.seconds + GRACE):
                yield process
        except TimeoutError as error:
            raise BadRequest("too_slow", too_slow(query.seconds)) from error
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()


def _head(line: bytes) -> Head:
    """What an answer begins or ends with. Raises BadRequest when it is a refusal, or nothing."""
    if not line:
        raise BadRequest(
            "too_large",
            "The question ended its process, most likely for want of memory. Ask for fewer days.",
        )
    head = msgspec.json.decode(line, type=Head)
    if head.code:
        raise BadRequest(head.code, head.message)
    return head


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
    from patron.storage.lake import query as door

    asked = msgspec.json.decode(source.read(), type=Asked)
    try:
        answer.writelines(_answer(asked))
    except door.Refused as error:
        answer.write(msgspec.json.encode(Head(code=error.code, message=str(error))) + b"\n")
    except ValueError as error:
        answer.write(msgspec.json.encode(Head(code="bad_question", message=str(error))) + b"\n")
    answer.flush()


def _answer(asked: Asked) -> Iterator[bytes]:
    """A head and the content; or a head, lines of rows, and a head again."""
    import pyarrow as pa

    from patron.rules.expressions import definitions, sql_of
    from patron.storage.lake import query as door

    query = msgspec.structs.replace(asked.query, sql=sql_of(expression(asked)))
    # the door has set the time zone already, and locked its settings
    macros = [statement for statement in definitions("duckdb") if not statement.startswith("SET")]
    if not asked.in_slices:
        head, data = door.run(query, macros)
        yield msgspec.json.encode(head) + b"\n"
        yield data
        return
    rows = 0
    with door.reading(query, macros, SLICE) as reader:
        yield msgspec.json.encode(door.head_of(reader.schema)) + b"\n"
        for batch in reader:
            rows += len(batch)
            yield door.content(pa.Table.from_batches([batch]), "json") + b"\n"
    yield msgspec.json.encode(Head(rows=rows)) + b"\n"


if __name__ == "__main__":
    main(sys.stdin.buffer, sys.stdout.buffer)
    os._exit(0)
