"""The compact record of a decision: one bitmask per gate over the catalogue, no sentence that can be made again.

A MessagePack array in the fixed order of `_Record`. At 200 candidates it stays under 1 kB (about 600 bytes). The
catalogue of the same version gives back content and reasons: see `patron.decide.explain.restore`.
"""

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from patron.decide.index import GATES
from patron.model.offers import NOTHING, Decision, Dropped

FORMAT = 1


class _Record(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    format: int
    id: str
    time: int
    node: str
    person: str
    placement: str
    channel: str
    action: int
    propensity: float
    group: str
    holdout: float
    would: int
    candidates: bytes
    """Empty: the whole catalogue."""
    gates: tuple[bytes, ...]
    details: bytes
    """One byte for each drop in gate order then catalogue order; empty when all are 0."""
    seed: int
    policy: str
    catalogue: str
    reasons: tuple[str, ...]
    expires: int | None
    identified: str


_decoder = msgspec.msgpack.Decoder(_Record)


def encode_record(decision: Decision, catalogue_ids: Sequence[str]) -> bytes:
    """Encode a decision. The same decision always gives the same bytes; content and drop sentences are left out.

    Raises
    ------
    ValueError : it names an offer or a gate that is not there, or does not add up (a candidate is neither eligible
        nor dropped, or is both).
    """
    bit_of = {offer: i for i, offer in enumerate(catalogue_ids)}
    gates = dict.fromkeys(GATES, 0)
    details: dict[tuple[int, int], int] = {}
    try:
        candidates = _mask(decision.candidates, bit_of)
        left = candidates
        for drop in decision.dropped:
            bit = bit_of[drop.offer]
            gates[drop.gate] |= 1 << bit
            details[GATES.index(drop.gate), bit] = drop.detail
            left &= ~(1 << bit)
        adds_up = (
            left == _mask(decision.eligible, bit_of)
            and len(details) + left.bit_count() == candidates.bit_count()
        )
    except KeyError as error:
        raise ValueError(
            f"decision {decision.id} names {error}, which this catalogue does not have"
        ) from error
    if not adds_up:
        raise ValueError(
            f"decision {decision.id} does not add up: every candidate is either eligible or dropped once"
        )
    size = (len(catalogue_ids) + 7) // 8
    whole = candidates == (1 << len(catalogue_ids)) - 1
    ordered = bytes(details[place] for place in sorted(details))
    record = _Record(
        format=FORMAT,
        action=_place(decision.action, bit_of),
        would=_place(decision.would, bit_of),
        candidates=b"" if whole else candidates.to_bytes(size, "little"),
        gates=tuple(mask.to_bytes(size, "little") if mask else b"" for mask in gates.values()),
        details=ordered if any(ordered) else b"",
        **{name: getattr(decision, name) for name in _SAME},
    )
    return msgspec.msgpack.encode(record)


def decode_record(data: bytes, catalogue_ids: Sequence[str]) -> Decision:
    """Give back a decision: candidates, eligible, each drop with its gate and detail. Sentences and content are empty.

    Raises
    ------
    ValueError : not a record, of a newer format, or of another catalogue.
    """
    try:
        record = _decoder.decode(data)
    except msgspec.MsgspecError as error:
        raise ValueError(f"not a decision record: {error}") from error
    if record.format != FORMAT:
        raise ValueError(f"decision record of format {record.format}; this Patron reads {FORMAT}: upgrade it")
    ids = tuple(catalogue_ids)
    size, whole = (len(ids) + 7) // 8, (1 << len(ids)) - 1
    candidates = int.from_bytes(record.candidates, "little") if record.candidates else whole
    masks = [int.from_bytes(mask, "little") for mask in record.gates]
    dropped = [(gate, bit) for gate, mask in zip(GATES, masks, strict=False) for bit in _bits(mask)]
    details = record.details or bytes(len(dropped))
    fits = len(masks) == len(GATES) and len(details) == len(dropped)
    if not fits or any(len(mask) not in (0, size) for mask in (*record.gates, record.candidates)):
        raise ValueError(
            f"decision {record.id} was made with another catalogue ({record.catalogue}): give that one"
        )
    gone = sum(masks)
    if (gone | candidates) > whole or not -1 <= record.action < len(ids) or not -1 <= record.would < len(ids):
        raise ValueError(f"decision {record.id} names offers beyond the {len(ids)} of this catalogue")
    return Decision(
        action=NOTHING if record.action < 0 else ids[record.action],
        would=NOTHING if record.would < 0 else ids[record.would],
        candidates=(*(ids[bit] for bit in _bits(candidates)), NOTHING),
        eligible=(*(ids[bit] for bit in _bits(candidates & ~gone)), NOTHING),
        dropped=tuple(
            Dropped(ids[bit], gate, "", at) for (gate, bit), at in zip(dropped, details, strict=True)
        ),
        **{name: getattr(record, name) for name in _SAME},
    )


_SAME = tuple(
    name
    for name in _Record.__struct_fields__
    if name in Decision.__struct_fields__
    and name not in {"action", "would", "candidates", "eligible", "dropped"}
)
"""Fields that stand in the record as they are in the decision."""


def _mask(names: Sequence[str], bit_of: dict[str, int]) -> int:
    mask = 0
    for name in names:
        if name != NOTHING:
            mask |= 1 << bit_of[name]
    return mask


def _bits(mask: int) -> list[int]:
    return [i for i, bit in enumerate(bin(mask)[:1:-1]) if bit == "1"]


def _place(action: str, bit_of: dict[str, int]) -> int:
    if action == NOTHING:
        return -1
    if action not in bit_of:
        raise ValueError(f"the action `{action}` is not in this catalogue")
    return bit_of[action]
