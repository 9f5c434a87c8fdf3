"""Exports: which people and which of their facts go where, how often. Secrets are named here and never written here."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

Id = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}\Z")]


class FileTarget(
    Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="kind", tag="file"
):
    """Files in the workspace's own folder `exports/ID/files`: one of changes a run, and `latest` with everybody."""

    format: Literal["csv", "jsonl", "parquet"] = "csv"
    keep: Annotated[int, Meta(ge=1, le=1000)] = 30
    """Files of changes kept; the oldest go first."""


class WebhookTarget(
    Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="kind", tag="webhook"
):
    """An HTTPS address that takes batches of changes as JSON."""

    url: Annotated[str, Meta(pattern=r"^https?://[^\s]+\Z", max_length=2000)]
    secret_env: str = ""
    """Variable of the environment with the secret that signs each body (`Patron-Signature: sha256=...`)."""
    batch: Annotated[int, Meta(ge=1, le=5000)] = 500


class PostgresTarget(
    Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="kind", tag="postgres"
):
    """A table of a PostgreSQL database; made when it is not there."""

    dsn_env: str
    """Variable of the environment with the connection string."""
    table: Annotated[str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,62}(\.[A-Za-z_][A-Za-z0-9_]{0,62})?\Z")]
    batch: Annotated[int, Meta(ge=1, le=5000)] = 1000


Target = FileTarget | WebhookTarget | PostgresTarget


class Export(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Who (`segment`, or everybody known), which facts (`fields`), on which purpose, where to, how often.

    `fields`: `identifiers.email` (the newest of a type), `traits.NAME`, `computed.ID`, `segments` (all ids).

    >>> Export("vips", "VIPs to the CRM", FileTarget(), segment="vip", fields=("identifiers.email",)).every
    1440
    """

    id: Id
    name: Annotated[str, Meta(min_length=1, max_length=200)]
    target: Target
    segment: str = ""
    fields: Annotated[tuple[str, ...], Meta(max_length=100)] = ()
    purpose: str = "personalization"
    every: Annotated[int, Meta(ge=1, le=60 * 24 * 31)] = 60 * 24
    """Minutes from the beginning of one run to the next."""
    paused: bool = False
    """Runs only when somebody says so."""


Op = Literal["added", "changed", "removed"]


class Row(Struct, frozen=True):
    """One person as exported: id, and the facts in the order of the export's `fields`."""

    key: str
    values: tuple[Any, ...]


class Difference(Struct, frozen=True):
    """One change to tell: `values` is empty for somebody removed."""

    op: Op
    key: str
    values: tuple[Any, ...] = ()
    digest: int = 0
    """Of the values; what was delivered is remembered by it."""


class Rejected(Struct, frozen=True):
    """A row that the other side did not take; it is tried again in the next run."""

    key: str
    reason: str


class Run(Struct, frozen=True, omit_defaults=True):
    """What one run did."""

    number: int
    started: int
    ended: int
    added: int = 0
    changed: int = 0
    removed: int = 0
    rejected: tuple[Rejected, ...] = ()
    """The first hundred."""
    refused: int = 0
    """How many rows were rejected in all."""
    without_basis: int = 0
    """People left out because they may not be told of for this purpose."""
    error: str = ""
    """Why the run stopped; it goes on where it stood."""


class ExportView(Struct, frozen=True):
    """An export with how it stands, for people."""

    export: Export
    running: bool
    last: Run | None
    due: int | None
    """When the next run is due (ms UTC); None while it is paused."""
    files: str = ""
    """Folder on the server's disk, of an export to files."""


def is_elsewhere(before: Target, after: Target) -> bool:
    """Whether another place is told from now on, one that knows nothing of what the first was told.

    >>> is_elsewhere(FileTarget(), FileTarget("jsonl")), is_elsewhere(FileTarget(), WebhookTarget("https://crm.example"))
    (False, True)
    """
    if isinstance(before, WebhookTarget) and isinstance(after, WebhookTarget):
        return before.url != after.url
    if isinstance(before, PostgresTarget) and isinstance(after, PostgresTarget):
        return (before.dsn_env, before.table) != (after.dsn_env, after.table)
    return type(before) is not type(after)
