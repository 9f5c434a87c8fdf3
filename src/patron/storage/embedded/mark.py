"""Up to where messages of the log may stand in the lake only: one number beside the segments."""

from pathlib import Path

from patron.storage.embedded.files import write_durably
from patron.storage.embedded.segments import corrupt

MARK = "thinned"


def read_mark(directory: Path) -> int:
    """The position; 0 when every message is in the log. Raises CorruptLog when it cannot be read.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp()); write_mark(folder, 7); read_mark(folder)
    7
    """
    path = directory / MARK
    if not path.exists():
        return 0
    try:
        return int(path.read_text("ascii"))
    except ValueError as error:
        raise corrupt(path, 0, "it does not hold a position") from error


def write_mark(directory: Path, position: int) -> None:
    """Say durably, before the first message goes, that those up to `position` may be in the lake only."""
    if position > read_mark(directory):
        write_durably(directory / MARK, str(position).encode())
