"""A Bloom filter over 64-bit fingerprints: says "never seen" for most new ids without touching the sorted files.

B. H. Bloom, "Space/time trade-offs in hash coding with allowable errors", CACM 13 (1970). Two bits an id, taken from the two
halves of the fingerprint (which is a hash already); at 12 bits an id 2 % of the new ids pass it, at 6 bits 8 %.
"""

import numpy as np
import numpy.typing as npt

Keys = npt.NDArray[np.uint64]
BITS_PER_ID = 6
_SLICE = 1 << 16


class Bloom:
    """A filter for at most `capacity` ids before it should be made again, larger.

    >>> bloom = Bloom(100); bloom.add(np.array([3, 1 << 40], np.uint64))
    >>> bloom.may_hold(3), bloom.may_hold(99), bloom.passing(np.array([5, 1 << 40], np.uint64)).tolist()
    (True, False, [False, True])
    """

    def __init__(self, capacity: int) -> None:
        exponent = max(13, (capacity * BITS_PER_ID - 1).bit_length())
        self.capacity = (1 << exponent) // BITS_PER_ID
        self.count = 0
        self._mask = (1 << exponent - 3) - 1
        self._bytes = np.zeros(1 << exponent - 3, np.uint8)
        self._view = self._bytes.data

    @property
    def memory(self) -> int:
        """Bytes it takes."""
        return self._bytes.nbytes

    def add(self, keys: Keys) -> None:
        """Put ids in, some at a time so that other threads get their turn."""
        for start in range(0, len(keys), _SLICE):
            part = keys[start : start + _SLICE]
            for half in (part, part >> np.uint64(32)):
                np.bitwise_or.at(self._bytes, self._place(half), self._bit(half))
        self.count += len(keys)

    def may_hold(self, key: int) -> bool:
        """False when the id was certainly never put in."""
        view, mask = self._view, self._mask
        return bool(view[key >> 3 & mask] >> (key & 7) & 1 and view[key >> 35 & mask] >> (key >> 32 & 7) & 1)

    def passing(self, keys: Keys) -> npt.NDArray[np.bool_]:
        """The same for many ids."""
        high = keys >> np.uint64(32)
        low_bits = self._bytes[self._place(keys)] & self._bit(keys)
        high_bits = self._bytes[self._place(high)] & self._bit(high)
        both: npt.NDArray[np.bool_] = np.logical_and(low_bits, high_bits)
        return both

    def _place(self, keys: Keys) -> Keys:
        return keys >> np.uint64(3) & np.uint64(self._mask)

    @staticmethod
    def _bit(keys: Keys) -> npt.NDArray[np.uint8]:
        return np.left_shift(np.uint8(1), (keys & np.uint64(7)).astype(np.uint8))
