"""All tables of a lake, as its one writer holds them."""

from collections.abc import Mapping
from pathlib import Path

from patron.model.errors import StorageError
from patron.model.lake import TABLES
from patron.storage.embedded.files import make_private_directory, write_durably
from patron.storage.lake.places import files_of, said
from patron.storage.lake.table import LakeTable

OWNER = "owner"
"""File that names the workspace whose events are in the lake, by a keyed hash."""


class LakeStore:
    """The tables below one folder or address, opened for writing by the one process that may.

    Raises StorageError when the lake belongs to another workspace, or cannot be used.

    >>> import tempfile
    >>> lake = LakeStore(tempfile.mkdtemp(), {}, "a1")
    >>> lake.position, sorted(lake.tables) == sorted(TABLES)
    (0, True)
    """

    def __init__(self, url: str, options: Mapping[str, str], owner: str) -> None:
        self.url = url
        self._claim(url, options, owner)
        self.tables = {name: LakeTable.open(url, name, options) for name in TABLES}

    def __getitem__(self, name: str) -> LakeTable:
        return self.tables[name]

    @property
    def position(self) -> int:
        """Log position up to which everything is in the lake: that of `events`, which is written last."""
        return self.tables["events"].position

    @staticmethod
    def _claim(url: str, options: Mapping[str, str], owner: str) -> None:
        if "://" not in url:
            make_private_directory(Path(url))
        system = files_of(url, options)
        try:
            with system.open_input_stream(OWNER) as file:
                held = file.read().decode("ascii", "replace").strip()
        except FileNotFoundError:
            held = ""
        except OSError as error:
            raise StorageError(
                f"the lake at {url} cannot be read ({said(error)}). Check `[lake] url` and `[lake] options`"
            ) from error
        if held and held != owner:
            raise StorageError(
                f"the lake at {url} belongs to another workspace. Give this one a place of its own: `[lake] url` in patron.toml"
            )
        if not held and "://" not in url:
            write_durably(Path(url) / OWNER, owner.encode())
        elif not held:
            try:
                with system.open_output_stream(OWNER) as file:
                    file.write(owner.encode())
            except OSError as error:
                raise StorageError(
                    f"nothing can be written to {url} ({said(error)}). Make the bucket, and give its key the right to read, write, "
                    "list and delete below it; see `[lake] url` and `[lake] options`"
                ) from error
