"""The memory of message ids: whether (source, messageId) was accepted before, for ever.

A fingerprint is 8 bytes of BLAKE2b over a secret, the source and the id, mixed with the UTC day of the ORIGINAL timestamp, so
that a late copy meets the partition of its original. Beside it stands the CRC-32 of what the message says: the same
id with another payload is a conflict, not a copy. New ids are in a dict, older ones in sorted files (`partitions`).

Two ids of one day share a fingerprint with probability n / 2^64 for each new id: at 20 million a day once in 10^5
years of days; and then the checksum still has to agree for it to pass as a copy.

>>> import tempfile
>>> dedup = Dedup.open(Path(tempfile.mkdtemp()))
>>> dedup.seen("shop", "m-1", 19700, 0xabcd)
0
>>> dedup.add("shop", "m-1", 19700, 0xabcd, position=1); dedup.flush()
>>> dedup.seen("shop", "m-1", 19700, 0xabcd), dedup.seen("shop", "m-1", 19700, 1), dedup.seen("shop", "m-2", 19700, 0)
(1, 2, 0)
>>> dedup.close()
"""

import logging
import queue
import struct
import threading
from collections.abc import Callable, Sequence
from hashlib import blake2b
from pathlib import Path

import numpy as np
from msgspec import Struct

from patron.model.errors import StorageError
from patron.storage.embedded.bloom import Keys
from patron.storage.embedded.files import storage_error
from patron.storage.embedded.partitions import REST, Partitions

NEW, DUPLICATE, CONFLICT = 0, 1, 2
FRESH_IDS = 1 << 15
"""Ids kept in a dict before they go to a file (about 250 bytes each there, 9 to 11 in a file)."""

FEW = 4
"""Messages up to which a body's ids are asked for one by one: an array costs as much as four."""

_MASK = (1 << 64) - 1
_MIX = 0x9E3779B97F4A7C15
_FRESH_BYTES = 250
_unpack = struct.Struct("<Q").unpack
Accepted = tuple[int, int, int]
"""Log position, day, payload checksum of an id."""

_logger = logging.getLogger("patron.storage.dedup")


class DedupStats(Struct, frozen=True):
    """What the memory of ids holds and costs; `false_hit_rate` is per new id, in the largest partition."""

    ids: int
    fresh: int
    partitions: int
    files: int
    filter_bytes: int
    mapped_bytes: int
    memory_bytes: int
    """Filters, dict and mapped fingerprints together; the mapped part is page cache and gives way."""
    false_hit_rate: float


class Dedup:
    """Seen, add, discard: called by the one thread that accepts. A worker thread writes and merges files.

    An id must not become durable before its message is: after a crash the sender's retry would pass as a copy. So `add`
    takes the message's log position, and only what `settled` or `flush` covers is written.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._partitions = Partitions(directory)
        self._secret = self._partitions.secret()
        self._prefixes: dict[str, bytes] = {}
        self._fresh: dict[int, Accepted] = {}
        self._cooling: dict[int, Accepted] = {}
        self._withdrawn: set[int] = set()
        self._recent: tuple[str, str, int, int] = ("", "", 0, 0)
        self._settled = 0
        self._limit = FRESH_IDS
        self._error: StorageError | None = None
        self._idle = threading.Event()
        self._idle.set()
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="patron-dedup", daemon=True)
        self._thread.start()

    @classmethod
    def open(cls, path: Path) -> "Dedup":
        """Open the memory in `path`, making it when there is none. Raises StorageError when a file is damaged."""
        return cls(Path(path))

    # --- one message ---------------------------------------------------------------------------------------------

    def seen(self, source: str, message_id: str, day: int, payload_crc: int, *, dated: bool = True) -> int:
        """Whether a message was accepted before: 0 new, 1 duplicate, 2 the id stands for another payload.

        Parameters
        ----------
        day
            UTC day (days since 1970) of the original timestamp. When the message had none, the day of receipt
            with `dated` False: the day before is then asked too, for a copy that comes after midnight.
        payload_crc
            CRC-32 of what the message says.
        """
        key = self._key(source, message_id, day)
        self._recent = (source, message_id, day, key)
        stored = self._find(key, day)
        if stored is None and not dated:
            stored = self._find(self._key(source, message_id, day - 1), day - 1)
        if stored is None:
            return NEW
        return DUPLICATE if stored == payload_crc else CONFLICT

    def add(self, source: str, message_id: str, day: int, payload_crc: int, position: int = 0) -> None:
        """Remember an accepted message; `position` is its place in the log (0 = it is durable already, as in replay).

        Adding what is there changes nothing: the first stands.
        """
        recent = self._recent
        if recent[0] is source and recent[1] is message_id and recent[2] == day:
            key = recent[3]
        else:
            key = self._key(source, message_id, day)
        self._remember(key, (position, day, payload_crc))

    def discard(self, source: str, message_id: str, day: int, payload_crc: int) -> None:
        """Take back an `add` whose append failed."""
        key = self._key(source, message_id, day)
        held = self._fresh.get(key)
        if held is not None:
            if held[2] == payload_crc:
                del self._fresh[key]
        elif self._find(key, day) == payload_crc:
            self._withdrawn.add(key)

    # --- a batch -------------------------------------------------------------------------------------------------

    def admit(
        self,
        source: str,
        message_ids: Sequence[str],
        days: Sequence[int],
        payload_crcs: Sequence[int],
        positions: Sequence[int],
    ) -> list[int]:
        """`seen`, and `add` for what is new, for a body at once: 0, 1 or 2 a message, copies inside the body included."""
        if len(message_ids) <= FEW:
            asked = zip(message_ids, days, payload_crcs, positions, strict=True)
            return [self.admit_one(source, *one) for one in asked]
        digests = b"".join(self._digests(source, message_ids))
        distinct = set(days)
        mixed = (
            [day * _MIX & _MASK for day in distinct]
            if len(distinct) == 1
            else [d * _MIX & _MASK for d in days]
        )
        keys: Keys = np.bitwise_xor(np.frombuffer(digests, "<u8"), np.array(mixed, np.uint64))
        names = keys.tolist()
        # Taken before the files are asked: the worker empties it only after its ids are in a file.
        fresh, cooling, withdrawn = self._fresh, self._cooling, self._withdrawn
        stored = self._stored(keys, names, days, distinct)
        given = zip(names, zip(positions, days, payload_crcs, strict=True), strict=True)
        usual = not stored and not withdrawn and len(set(names)) == len(names)
        if usual and fresh.keys().isdisjoint(names) and cooling.keys().isdisjoint(names):
            fresh.update(given)
            verdicts = [NEW] * len(names)
        else:
            verdicts = [
                self._judge(key, accepted, stored.get(n), cooling) for n, (key, accepted) in enumerate(given)
            ]
        if len(fresh) >= self._limit:
            self._cool_when_idle()
        return verdicts

    def _judge(self, key: int, accepted: Accepted, stored: int | None, cooling: dict[int, Accepted]) -> int:
        held = self._fresh.get(key)
        if held is None and key in self._withdrawn:
            self._withdrawn.discard(key)
            stored = None
        elif held is not None or (held := cooling.get(key)) is not None:
            stored = held[2]
        if held is None and stored is None:
            self._fresh[key] = accepted
            return NEW
        return DUPLICATE if stored == accepted[2] else CONFLICT

    def admit_one(self, source: str, message_id: str, day: int, payload_crc: int, position: int) -> int:
        """`admit` for one message."""
        key = self._key(source, message_id, day)
        stored = self._find(key, day)
        if stored is not None:
            return DUPLICATE if stored == payload_crc else CONFLICT
        self._remember(key, (position, day, payload_crc))
        return NEW

    def _stored(
        self, keys: Keys, names: list[int], days: Sequence[int], distinct: set[int]
    ) -> dict[int, int]:
        partitions = self._partitions
        if not partitions.all:
            return {}
        found = dict(partitions.find_many(REST, keys))
        if len(distinct) == 1:
            found.update(partitions.find_many(str(days[0]), keys))
            return found
        for number, day in enumerate(days):
            held = partitions.find(str(day), names[number])
            if held is not None:
                found[number] = held
        return found

    # --- durability ----------------------------------------------------------------------------------------------

    def settled(self, position: int) -> None:
        """Everything up to `position` is durable and applied: when enough is waiting, the worker writes it down."""
        self._settled = position

    def begin_flush(self, through: int | None = None) -> bool:
        """Hand what was added up to position `through` (all when None) to the worker; False while it is busy."""
        if not self._idle.is_set():
            return False
        self._cool(through)
        return True

    def flushed(self) -> bool:
        """Whether everything handed over is on disk. Raises StorageError or DiskFull when it could not be written."""
        if not self._idle.is_set():
            return False
        error, self._error = self._error, None
        if error is not None:
            raise error
        return True

    def flush(self, through: int | None = None) -> None:
        """Return when what was added up to position `through` (all when None) is on disk.

        Call it before a state checkpoint at that position: what came later is added again by the replay. Raises DiskFull or
        StorageError; nothing is forgotten then, and the next flush tries again.
        """
        self._idle.wait()
        self._cool(through)
        self._idle.wait()
        self.flushed()

    def close(self) -> None:
        """Stop the worker. What was not flushed is added again by the replay."""
        self._jobs.put(None)
        self._thread.join()

    def stats(self) -> DedupStats:
        """Size, memory and the probability that a new id is taken for an old one."""
        partitions = list(self._partitions.all.values())
        views = [p.view for p in partitions]
        fresh = len(self._fresh) + len(self._cooling)
        filters = sum(v.bloom.memory for v in views if v.bloom is not None)
        mapped = sum(8 * run.ids for v in views if v.bloom is not None for run in v.runs)
        return DedupStats(
            ids=fresh + sum(p.count for p in partitions),
            fresh=fresh,
            partitions=len(partitions),
            files=sum(len(v.runs) for v in views),
            filter_bytes=filters,
            mapped_bytes=mapped,
            memory_bytes=filters + mapped + fresh * _FRESH_BYTES,
            false_hit_rate=(fresh + max([p.count for p in partitions], default=0)) / 2**64,
        )

    # --- inside --------------------------------------------------------------------------------------------------

    def _prefix(self, source: str) -> bytes:
        found = self._prefixes.get(source)
        if found is None:
            name = source.encode("utf-8", "surrogatepass")
            found = self._prefixes[source] = self._secret + len(name).to_bytes(4, "little") + name
        return found

    def _digests(self, source: str, message_ids: Sequence[str]) -> list[bytes]:
        prefix = self._prefix(source)
        try:
            return [blake2b(prefix + i.encode(), digest_size=8).digest() for i in message_ids]
        except UnicodeEncodeError:  # half a character pair: no JSON decoder of ours lets one in
            names = [i.encode("utf-8", "surrogatepass") for i in message_ids]
            return [blake2b(prefix + name, digest_size=8).digest() for name in names]

    def _key(self, source: str, message_id: str, day: int) -> int:
        prefix = self._prefixes.get(source) or self._prefix(source)
        try:
            name = message_id.encode()
        except UnicodeEncodeError:
            name = message_id.encode("utf-8", "surrogatepass")
        number: int = _unpack(blake2b(prefix + name, digest_size=8).digest())[0]
        return number ^ day * _MIX & _MASK

    def _find(self, key: int, day: int) -> int | None:
        held = self._fresh.get(key)
        if held is not None:
            return held[2]
        if key in self._withdrawn:
            return None
        held = self._cooling.get(key)
        if held is not None:
            return held[2]
        partitions = self._partitions
        if not partitions.all:
            return None
        stored = partitions.find(str(day), key)
        return partitions.find(REST, key) if stored is None else stored

    def _remember(self, key: int, value: Accepted) -> None:
        if self._withdrawn:
            self._withdrawn.discard(key)
        fresh = self._fresh
        fresh.setdefault(key, value)
        if len(fresh) >= self._limit:
            self._cool_when_idle()

    def _cool_when_idle(self) -> None:
        oldest = next(iter(self._fresh.values()))[0]
        if oldest <= self._settled and self._idle.is_set() and self._error is None:
            self._cool(self._settled)
        # Looking through what is on its way costs time: not again before there is much more.
        self._limit = max(FRESH_IDS, len(self._fresh) + FRESH_IDS // 4)

    def _cool(self, through: int | None) -> None:
        """Set the settled ids aside for the worker; what is still on its way to the disk stays."""
        fresh, flying = self._fresh, dict[int, Accepted]()
        if through is not None:
            for key, accepted in reversed(fresh.items()):
                if accepted[0] <= through:
                    break
                flying[key] = accepted
        for key in flying:
            del fresh[key]
        ready = self._cooling | fresh if self._cooling else fresh  # some are left when the worker failed
        self._fresh = dict(reversed(flying.items()))
        if not ready:
            return
        self._cooling = ready
        self._idle.clear()
        self._jobs.put(self._write)

    def _write(self) -> None:
        cooling = self._cooling
        count = len(cooling)
        keys = np.fromiter(cooling, np.uint64, count)
        checksums = np.fromiter((accepted[2] for accepted in cooling.values()), np.uint32, count)
        days = np.fromiter((accepted[1] for accepted in cooling.values()), np.int64, count)
        self._partitions.store(days, keys, checksums)
        self._cooling = {}
        self._partitions.merge()

    def _run(self) -> None:
        self._partitions.warm()
        while (job := self._jobs.get()) is not None:
            try:
                job()
            except OSError as error:
                self._error = storage_error(error, self._directory)
                _logger.exception("the memory of message ids could not be written")
            except StorageError as error:
                self._error = error
                _logger.exception("the memory of message ids could not be written")
            finally:
                self._idle.set()
