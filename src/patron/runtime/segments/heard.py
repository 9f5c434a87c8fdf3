"""Which of the events that the ready library lives from were ever received: noted as they come, so that nobody has to look."""

from collections.abc import Iterable
from functools import cache
from zlib import crc32

from patron.model.ports import Table
from patron.rules.tree import ANY_EVENT
from patron.segments import library

_LOOKED = ""
"""The key under which it stands for which library everybody was looked through."""


@cache
def _wanted() -> frozenset[str]:
    return frozenset(name for one in library.ready(()) for name in one.needs) - {ANY_EVENT}


class Heard:
    """The names, over their table (name -> 1). Names that nothing ready needs are not kept.

    >>> from patron.testing.tables import MemoryTable
    >>> heard = Heard(MemoryTable())
    >>> heard.add("Order Completed"), "Order Completed" in heard.missing, sorted(heard.names)
    (None, False, ['Order Completed'])
    """

    def __init__(self, table: Table[int]) -> None:
        self._table = table
        self.missing = {name for name in _wanted() if name not in table}
        """Those that never came."""

    @property
    def names(self) -> frozenset[str]:
        """Those that came."""
        return _wanted() - self.missing

    def add(self, name: str) -> None:
        """One of `missing` came."""
        self.missing.discard(name)
        self._table.put(name, 1)

    @property
    def whole(self) -> bool:
        """Whether what came before names were noted is among them."""
        return not self.missing or self._table.get(_LOOKED) == _mark()

    def looked(self, found: Iterable[str]) -> None:
        """Everybody was looked through: what of these is missing came before names were noted."""
        for name in self.missing.intersection(found):
            self.add(name)
        self._table.put(_LOOKED, _mark())


def _mark() -> int:
    return crc32("\n".join(sorted(_wanted())).encode())
