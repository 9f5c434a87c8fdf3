"""Properties whose every example opens a workspace or writes a lake."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import settings

costly = settings(max_examples=max(5, settings().max_examples // 10))
"""A tenth of the profile's examples."""


@contextmanager
def quick_folder() -> Iterator[Path]:
    """A folder in memory where the system has one: that bytes reach the disk is proven in tests/chaos."""
    memory = Path("/dev/shm")
    with TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder)
