"""How one entry stands in a segment file: a fixed header, the entry's fields, the body as received.

Header, little endian, 44 bytes:

======  =====  ==========================================================================
offset  bytes  what
======  =====  ==========================================================================
0       4      mark `FF 50 52 FE`: not valid UTF-8, so no JSON body can imitate a record
4       4      CRC-32 of everything that follows it, to the end of the body
8       4      length of the entry's fields (MessagePack)
12      4      length of the body
16      8      sequence number: the position of the first message
24      4      number of messages; the next record's sequence number is the sum
28      8      `synced`: the position that was durable when this record's group was written
36      8      receipt time, ms
======  =====  ==========================================================================

`synced` tells damage from a torn tail: a group is written only after the one before is on disk, so a readable
record whose `synced` lies at or after a damaged one proves that the damaged one had been acknowledged.
"""

import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from patron.model.log import Entry

MARK = b"\xffPR\xfe"
HEADER = struct.Struct("<4sIIIQIQq")
_TAIL = struct.Struct("<IIQIQq")
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Entry)


class Placed(NamedTuple):
    """Where a record stands in its buffer, from its header alone."""

    offset: int
    end: int
    base: int
    messages: int
    synced: int
    received: int


def encode_fields(entry: Entry) -> bytes:
    """The entry's fields as they stand between header and body."""
    return _ENCODER.encode(entry)


def encode_record(entry: Entry, fields: bytes, body: bytes, synced: int) -> list[bytes]:
    """The pieces of one record, in order.

    >>> entry = Entry(kind="track", base=1, count=2, source="shop", received=5)
    >>> raw = b"".join(encode_record(entry, encode_fields(entry), b"[1,2]", 0))
    >>> record = locate(raw, 0)
    >>> record is not None and decode_record(raw, record) == (entry, b"[1,2]")
    True
    """
    tail = _TAIL.pack(len(fields), len(body), entry.base, entry.count, synced, entry.received)
    crc = zlib.crc32(body, zlib.crc32(fields, zlib.crc32(tail)))
    return [MARK, crc.to_bytes(4, "little"), tail, fields, body]


def record_size(fields: bytes, body: bytes) -> int:
    """Bytes that the record of these fields and this body takes."""
    return HEADER.size + len(fields) + len(body)


def locate(buffer: bytes | memoryview, offset: int) -> Placed | None:
    """The record at `offset` if it is whole and its CRC is right, else None."""
    if offset + HEADER.size > len(buffer):
        return None
    mark, crc, fields, body, base, count, synced, received = HEADER.unpack_from(buffer, offset)
    end = offset + HEADER.size + fields + body
    if mark != MARK or end > len(buffer) or count < 1:
        return None
    if zlib.crc32(memoryview(buffer)[offset + 8 : end]) != crc:
        return None
    return Placed(offset, end, base, count, synced, received)


def decode_record(buffer: bytes, record: Placed) -> tuple[Entry, bytes]:
    """The entry and the body of a record that `locate` found whole."""
    fields = int.from_bytes(buffer[record.offset + 8 : record.offset + 12], "little")
    start = record.offset + HEADER.size
    return _DECODER.decode(buffer[start : start + fields]), buffer[start + fields : record.end]


def walk(buffer: bytes | memoryview, offset: int, expected: int) -> Iterator[Placed]:
    """Whole records from `offset` on, as long as each continues the positions (`expected` first)."""
    while (placed := locate(buffer, offset)) is not None and placed.base == expected:
        yield placed
        offset, expected = placed.end, placed.base + placed.messages


def proves_damage(buffer: bytes, offset: int, position: int) -> bool:
    """Whether a readable record after `offset` says that `position` had already been durable."""
    found = buffer.find(MARK, offset + 1)
    while found >= 0:
        later = locate(buffer, found)
        if later is not None and later.synced >= position:
            return True
        found = buffer.find(MARK, found + 1)
    return False
