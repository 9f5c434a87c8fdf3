"""The compact record of a decision: one bitmask per gate over the catalogue, no sentence that can be made again.

A MessagePack array in the fixed order of `Record`. At 200 candidates it stays under 1 kB (about 600 bytes). The
catalogue of the same version gives back content and reasons: see `patron.decide.explain.restore`.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache, reduce
from itertools import compress
from operator import or_
from typing import Any

import msgspec
from msgspec import Struct

from patron.decide.gates import GATES
from patron.decide.index import CatalogueIndex
from patron.decide.record import Drawn
from patron.model.offers import NOTHING, Decision, Dropped, Rating

FORMAT = 3
_READ = (1, 2, FORMAT)
"""Formats that are read. 1 had no gate `stock` and no `used`, 2 no gates of the ledger, no rating and no slate."""
_FEWEST_GATES = 6
_BITS = bytes.maketrans(b"01", b"\x00\x01")
_GATE_NUMBER = {gate: number for number, gate in enumerate(GATES)}


class Record(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A decision as it is kept. Offers are places in the catalogue, -1 is `nothing`."""

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
    used: tuple[tuple[str, Any, int], ...] = ()
    rating: Rating | None = None
    slate: tuple[int, ...] = ()
    language: str = ""


_decoder = msgspec.msgpack.Decoder(Record)
_encode = msgspec.msgpack.Encoder().encode


def encode_drawn(drawn: Drawn, index: CatalogueIndex) -> bytes:
    """The record of a decision just made with `index`: byte for byte what `encode_record` gives, without the names.

    Raises
    ------
    ValueError : it was made with another catalogue.

    >>> from patron.decide.eligible import Known
    >>> from patron.decide.record import Terms, spell, weigh
    >>> from patron.model.offers import Ask, Offer
    >>> index, known = CatalogueIndex([Offer(id="tea", name="Tea")]), Known("anonymous_id:1", "p_1", {})
    >>> one = weigh(index, Ask("web_home"), known, Terms("d_1", 3))
    >>> encode_drawn(one, index) == encode_record(spell(one, index), index.ids)
    True
    """
    if drawn.catalogue != index.version:
        raise ValueError(
            f"decision {drawn.id} was made with catalogue {drawn.catalogue}, not {index.version}"
        )
    size = (len(index.ids) + 7) // 8
    masks = dict.fromkeys(GATES, 0)
    details: bytearray | None = None
    for gate, detail, mask in drawn.sifted.stops:
        masks[gate] |= mask
        if detail:
            details = details or bytearray(len(index.ids))
            for bit in _bits(mask):
                details[bit] = detail
    return _encode(
        Record(
            FORMAT,
            drawn.id,
            drawn.time,
            drawn.node,
            drawn.person,
            drawn.placement,
            drawn.channel,
            index.places[drawn.action],
            drawn.propensity,
            drawn.group,
            drawn.holdout,
            index.places[drawn.would],
            b"",
            tuple([mask.to_bytes(size, "little") if mask else b"" for mask in masks.values()]),
            _details(details, masks.values()) if details else b"",
            drawn.seed,
            drawn.policy,
            drawn.catalogue,
            drawn.reasons,
            drawn.expires,
            drawn.identified,
            drawn.used,
            drawn.rating,
            tuple([index.places[name] for name in drawn.slate]),
            drawn.language,
        )
    )


def encode_record(decision: Decision, catalogue_ids: Sequence[str]) -> bytes:
    """Encode a decision. The same decision always gives the same bytes; content and drop sentences are left out.

    Raises
    ------
    ValueError : it names an offer or a gate that is not there, or does not add up (a candidate is neither eligible
        nor dropped, or is both).
    """
    ids = tuple(catalogue_ids)
    bit_of = _bit_of(ids)
    gates = dict.fromkeys(GATES, 0)
    details = bytearray(len(ids))
    try:
        candidates = (1 << len(ids)) - 1
        if decision.candidates != (*ids, NOTHING):
            candidates = _union(bit_of[name] for name in decision.candidates if name != NOTHING)
        for drop in decision.dropped:
            bit = bit_of[drop.offer]
            gates[drop.gate] |= bit
            if drop.detail:
                details[bit.bit_length() - 1] = drop.detail
        action, would = _place(decision.action, bit_of), _place(decision.would, bit_of)
        slate = tuple(_place(name, bit_of) for name in decision.slate)
    except KeyError as error:
        raise ValueError(
            f"decision {decision.id} names {error}, which this catalogue does not have"
        ) from error
    gone = _union(gates.values())
    kept = (*compress(ids, _bytes(candidates & ~gone)), NOTHING)
    if gone & ~candidates or gone.bit_count() != len(decision.dropped) or kept != decision.eligible:
        raise ValueError(
            f"decision {decision.id} does not add up: every candidate is either eligible or dropped once"
        )
    size = (len(ids) + 7) // 8
    whole = candidates == (1 << len(ids)) - 1
    record = Record(
        format=FORMAT,
        action=action,
        would=would,
        candidates=b"" if whole else candidates.to_bytes(size, "little"),
        gates=tuple(mask.to_bytes(size, "little") if mask else b"" for mask in gates.values()),
        details=_details(details, gates.values()),
        slate=slate,
        **{name: getattr(decision, name) for name in _SAME},
    )
    return _encode(record)


def look(data: bytes) -> Record:
    """A record as it stands, without its catalogue. ValueError: not a record."""
    try:
        return _decoder.decode(data)
    except msgspec.MsgspecError as error:
        raise ValueError(f"not a decision record: {error}") from error


def decode_record(data: bytes, catalogue_ids: Sequence[str]) -> Decision:
    """Give back a decision: candidates, eligible, each drop with its gate and detail. Sentences and content are empty.

    Raises
    ------
    ValueError : not a record, of a newer format, or of another catalogue.
    """
    record = look(data)
    if record.format not in _READ:
        raise ValueError(f"decision record of format {record.format}; this Patron reads {FORMAT}: upgrade it")
    ids = tuple(catalogue_ids)
    size, whole = (len(ids) + 7) // 8, (1 << len(ids)) - 1
    candidates = int.from_bytes(record.candidates, "little") if record.candidates else whole
    masks = [int.from_bytes(mask, "little") for mask in record.gates]
    dropped = [(gate, bit) for gate, mask in zip(GATES, masks, strict=False) for bit in _bits(mask)]
    details = record.details or bytes(len(dropped))
    fits = _FEWEST_GATES <= len(masks) <= len(GATES) and len(details) == len(dropped)
    if not fits or any(len(mask) not in (0, size) for mask in (*record.gates, record.candidates)):
        raise ValueError(
            f"decision {record.id} was made with another catalogue ({record.catalogue}): give that one"
        )
    gone = _union(masks)
    strange = gone & ~candidates or candidates & ~whole or gone.bit_count() != len(dropped)
    rated = record.rating is None or len(record.rating.codes) == (candidates & ~gone).bit_count() + 1
    shown = all(-1 <= place < len(ids) for place in (record.action, record.would, *record.slate))
    if strange or not shown or not rated:
        raise ValueError(f"decision {record.id} does not add up over the {len(ids)} offers of this catalogue")
    return Decision(
        action=NOTHING if record.action < 0 else ids[record.action],
        would=NOTHING if record.would < 0 else ids[record.would],
        candidates=(*(ids[bit] for bit in _bits(candidates)), NOTHING),
        eligible=(*(ids[bit] for bit in _bits(candidates & ~gone)), NOTHING),
        dropped=_drops(dropped, details, ids),
        slate=tuple(ids[place] for place in record.slate),
        **{name: getattr(record, name) for name in _SAME},
    )


_SAME = tuple(
    name
    for name in Record.__struct_fields__
    if name in Decision.__struct_fields__
    and name not in {"action", "would", "candidates", "eligible", "dropped", "slate"}
)
"""Fields that stand in the record as they are in the decision."""


def _drops(places: list[tuple[str, int]], details: bytes, ids: Sequence[str]) -> tuple[Dropped, ...]:
    """In the order in which `eligible` makes them: by gate, detail, place in the catalogue."""
    rows = sorted(
        (_GATE_NUMBER[gate], detail, bit) for (gate, bit), detail in zip(places, details, strict=True)
    )
    return tuple(Dropped(ids[bit], GATES[gate], "", detail) for gate, detail, bit in rows)


def _details(by_offer: bytearray, gates: Iterable[int]) -> bytes:
    """One byte a drop, in gate order then catalogue order."""
    if not any(by_offer):
        return b""
    return bytes(detail for mask in gates for detail in compress(by_offer, _bytes(mask)))


@lru_cache(maxsize=8)
def _bit_of(ids: tuple[str, ...]) -> dict[str, int]:
    return {offer: 1 << i for i, offer in enumerate(ids)}


def _union(masks: Iterable[int]) -> int:
    return reduce(or_, masks, 0)


def _bytes(mask: int) -> bytes:
    """Bit i of the mask as byte i, 0 or 1."""
    return bin(mask)[:1:-1].encode().translate(_BITS)


def _bits(mask: int) -> list[int]:
    return [i for i, bit in enumerate(_bytes(mask)) if bit]


def _place(action: str, bit_of: dict[str, int]) -> int:
    return -1 if action == NOTHING else bit_of[action].bit_length() - 1
