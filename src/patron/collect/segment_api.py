"""Reading a tracking body: bytes in, accepted events and rejected messages out. Pure: nothing is stored here.

The wire is the Segment HTTP API as its real clients use it (docs of Segment's spec; shapes seen in `tests/golden`).
One bad message never fails its batch: it becomes a `Reject` with a code and a path. Only a body that cannot be read
at all, or holds too many messages, is refused as a whole.

What is stored is normally the body as received. It is rewritten (`Batch.stored`) only where the log must not hold
what came: refused collection (`reduce`), an unprovable `userHash`, and messages without a messageId, whose derived id
is written down so that erasing a neighbour cannot change it. Reading the stored body again gives the same events.
"""

from collections.abc import Mapping, Sequence

from patron.collect.body import BATCH_ROUTES, Parts
from patron.collect.body import take_apart as divide
from patron.collect.edit import blank, message_at, redact
from patron.collect.envelope import Reading
from patron.collect.limits import UNLIMITED, Limits
from patron.collect.origin import Origin, ReadRules
from patron.collect.reader import Reader
from patron.model.errors import Fault, TooLarge
from patron.model.events import Batch, Event, Reject


def read_batch(
    body: bytes,
    route: str,
    origin: Origin,
    received: int,
    base: int,
    limits: Limits,
    rules: ReadRules,
    skipped: Mapping[int, str] | None = None,
) -> Batch:
    """Read one inflated body that arrived on `route` at `received`, its first message taking position `base`.

    Live, leave `skipped` out: every message is judged. In replay give the entry's `skipped` (also when it is
    empty): those messages are passed over, and all others, being accepted once, are not judged again. A `null`
    message (erased) is passed over in both.

    Raises
    ------
    BadRequest
        `bad_json`: the body is no JSON object, or no message of it can be told from the next.
    TooLarge
        `too_many_events`.

    Examples
    --------
    >>> body = b'{"userId": 7, "event": "Product Viewed", "messageId": "m", "timestamp": "2026-03-02T10:00:00Z"}'
    >>> batch = read_batch(body, "track", Origin("shop", "web"), 1_772_445_600_500, 1, Limits(), ReadRules())
    >>> [(e.user_id, e.name, e.time) for e in batch.events], batch.rejects
    ([('7', 'Product Viewed', 1772445600000)], [])
    """
    parts = divide(body, route, limits)
    if skipped is None and len(parts.messages) > limits.batch_events:
        raise TooLarge(
            "too_many_events",
            f"A batch holds at most {limits.batch_events} messages; this one has {len(parts.messages)}.",
        )
    reader = Reader(Reading(body, route, origin, received, limits, rules, skipped is None), parts)
    for index, raw in enumerate(parts.messages):
        if skipped is None or index not in skipped:
            reader.take(index, raw, base + index)
    return reader.batch(len(parts.messages))


def read_message(
    parts: Parts,
    body: bytes,
    route: str,
    origin: Origin,
    received: int,
    base: int,
    rules: ReadRules,
    index: int,
) -> Event | None:
    """Read one message of a stored body that is divided already; None when it was erased, or is no event.

    The same event as `read_batch` gives in replay, without a look at the messages beside it.

    >>> body = b'{"batch": [null, {"type": "page", "userId": 8, "messageId": "b"}]}'
    >>> parts, origin = divide(body, "batch", Limits()), Origin("shop", "web")
    >>> read_message(parts, body, "batch", origin, 1_772_445_600_500, 41, ReadRules(), 1).position
    42
    """
    if not 0 <= index < len(parts.messages):
        return None
    reader = Reader(Reading(body, route, origin, received, UNLIMITED, rules, live=False), parts)
    reader.take(index, parts.messages[index], base + index)
    return next(iter(reader.batch(1).events), None)


def faults(rejects: Sequence[Reject], route: str, most: int = 10) -> tuple[Fault, ...]:
    """The first rejected messages for the reply of the door: where each stands and what is wrong.

    >>> faults([Reject(1, "bad_id", "No.", "$.userId")], "batch")
    (Fault(path='$.batch[1].userId', problem='bad_id: No.'),)
    """
    prefix = "$.batch[{}]" if route in BATCH_ROUTES else "$"
    return tuple(
        Fault(prefix.format(reject.index) + reject.path.removeprefix("$"), f"{reject.code}: {reject.message}")
        for reject in rejects[:most]
    )


__all__ = [
    "Limits",
    "Origin",
    "Parts",
    "ReadRules",
    "blank",
    "divide",
    "faults",
    "message_at",
    "read_batch",
    "read_message",
    "redact",
]
