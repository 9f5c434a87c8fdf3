"""A decision as it stands in the log: MessagePack, as there are so many; those of the first months are JSON like other facts."""

import msgspec

from patron.decide.grants import Grant
from patron.decide.record import Drawn
from patron.model.offers import Decision
from patron.model.sends import Sent
from patron.runtime.tables import DecisionRow

NAME = "Offer Decided"
_PACKED = 0x93
"""First byte of a MessagePack array of three: name, id, row. JSON never begins with it."""
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[str, str, DecisionRow]).decode


class _Told(msgspec.Struct, frozen=True):
    name: str
    data: msgspec.Raw = msgspec.Raw(b"null")


_decode_fact = msgspec.json.Decoder(_Told).decode
_decode_data = msgspec.json.Decoder(tuple[str, DecisionRow]).decode


def pack(decision: str, row: DecisionRow) -> bytes:
    """The body of a decision.

    >>> row = DecisionRow("c", 5, "user_id:7", "pos", "tea", "treated", 0.5, b"r")
    >>> decision_of(pack("d_1", row)) == ("d_1", row), decision_of(b'{"name":"Audited"}')
    (True, None)
    """
    return _encode((NAME, decision, row))


def row_of(
    made: Drawn | Decision, record: bytes, grants: tuple[Grant, ...], sent: Sent | None = None
) -> DecisionRow:
    """A decision as it is kept: what is asked of it often beside its record."""
    return DecisionRow(
        made.catalogue,
        made.time,
        made.node,
        made.channel,
        made.action,
        made.group,
        made.holdout,
        record,
        grants,
        sent,
    )


def is_packed(body: bytes) -> bool:
    """Whether a fact's body is a packed decision."""
    return bool(body) and body[0] == _PACKED


def decision_of(body: bytes) -> tuple[str, DecisionRow] | None:
    """Id and row of a decision, in either form; None for any other fact."""
    if is_packed(body):
        _, decision, row = _decode(body)
        return decision, row
    if body == b"null":
        return None
    told = _decode_fact(body)
    return _decode_data(told.data) if told.name == NAME else None
