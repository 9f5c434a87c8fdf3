"""Every version of the catalogue, prepared when first asked for: the one in force, and those that earlier decisions name."""

from collections.abc import Collection

from patron.decide.catalogue import parse
from patron.decide.index import CatalogueIndex
from patron.model.ports import Table
from patron.runtime.tables import CATALOGUE, Plain


class Prepared:
    """The catalogues of one workspace."""

    def __init__(self, config: Table[Plain], opt_in: Collection[str]) -> None:
        self._config = config
        self._opt_in = tuple(opt_in)
        self._prepared: dict[str, CatalogueIndex] = {}
        self._present: tuple[str, CatalogueIndex] | None = None
        self._row: Plain | None = None
        """The row of the one in force: as long as it is the same, its text need not be compared."""

    @property
    def present(self) -> CatalogueIndex:
        """The one in force; made again when its text changes."""
        held = self._config.get(CATALOGUE)
        if self._present is None or held is not self._row:
            text = str(held.value) if held else ""
            if self._present is None or self._present[0] != text:
                index = CatalogueIndex(parse(text), self._opt_in)
                self._prepared[index.version] = index
                self._present = (text, index)
            self._row = held
        return self._present[1]

    def version(self, name: str) -> CatalogueIndex:
        """The one that an earlier decision was made with; an empty one when it was never kept."""
        found = self._prepared.get(name)
        if found is None:
            held = self._config.get(f"{CATALOGUE}/{name}") or Plain(["", []])
            text, opt_in = held.value
            found = self._prepared[name] = CatalogueIndex(parse(text), opt_in)
        return found
