"""What passes between a query's process and whoever started it. It imports nothing heavy: the server has no lake inside."""

from msgspec import Struct

FORMATS = ("json", "csv", "parquet")


class Query(Struct, frozen=True):
    """A query over the lake at `url`, and its bounds; without `sql` it asks what the lake holds."""

    url: str
    sql: str = ""
    options: dict[str, str] = {}
    format: str = "json"
    rows: int = 10_000
    seconds: float = 60.0
    memory_mb: int = 1024
    threads: int = 2
    spill: str = ""
    """Folder for what does not fit into memory; empty = none."""


class Head(Struct, frozen=True, omit_defaults=True):
    """What comes before the content of an answer."""

    columns: list[tuple[str, str]] = []
    """Name and type."""
    rows: int = 0
    truncated: bool = False
    code: str = ""
    """Of the refusal; empty when the content follows."""
    message: str = ""


class Held(Struct, frozen=True):
    """What a table of the lake holds."""

    table: str
    version: int
    position: int
    files: list[str]
    """Absolute paths of its Parquet files."""
    rows: int
    bytes: int
    oldest: str | None = None
    """Earliest and latest day inside."""
    newest: str | None = None


def too_slow(seconds: float) -> str:
    """The sentence of a query that took too long."""
    return f"The query was stopped after {seconds:g} s. Ask for fewer days, or raise `lake.query_seconds`."
