"""What the main process tells the jobs process when it starts, and what that says of itself. It imports nothing heavy."""

from msgspec import Struct

from patron.collect.segment_api import ReadRules
from patron.identity.rules import IdentityRules
from patron.profiles.rules import ProfileRules


class Start(Struct, frozen=True):
    """How a jobs process begins."""

    url: str
    owner: str
    """Names the workspace in the lake."""
    options: dict[str, str]
    seconds: float
    events: int
    retention: dict[str, int] = {}
    """Days by class (`storage.lake.compaction.Retention`)."""
    crash: str | None = None
    """Named crash point, for tests."""


class Terms(Struct, frozen=True):
    """What reading bodies depends on, as the main process has it."""

    identity: IdentityRules
    profiles: ProfileRules
    reading: ReadRules
    catalogues: dict[str, tuple[str, list[str]]] = {}
    """Version -> text and opted-in purposes: decisions are read with the catalogue they were made with."""


class Status(Struct, frozen=True):
    """What the jobs process tells of itself."""

    position: int
    """Log position up to which everything is in the lake."""
    people: int = 0
    """The same of the table `people`."""
    problem: str = ""
    taken: int = 0
    """When the last round of profile snapshots began that is in the lake, ms; 0: none is."""
