"""Printing: a table for people, JSON with `--json`, one value alone where a script wants it."""

import datetime as dt
import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click

from patron.cli.client import Failed


def emit(value: Any, *, as_json: bool, text: str) -> None:
    """Print `value` as JSON, or `text` for people."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2) if as_json else text)


def table(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Columns aligned by their widest cell.

    >>> print(table(["name", "n"], [["web", 3]]))
    name  n
    web   3
    """
    cells = [[str(c) for c in row] for row in (heads, *rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(heads))]
    return "\n".join(
        "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in cells
    )


def text_of(file: Path) -> str:
    """The text of a file that a command was given. Raises Failed when it is no UTF-8."""
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise Failed(f"{file} is not UTF-8 text; save it as UTF-8.") from error


def write_private(file: Path, content: bytes) -> None:
    """Write a file that holds personal data, readable by its owner only. Raises Failed when it cannot be written."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as out:
            os.fchmod(descriptor, 0o600)
            out.write(content)
    except OSError as error:
        raise Failed(f"{file} cannot be written: {error.strerror}. Choose another with --out.") from error


def write(file: Path, content: str | bytes) -> None:
    """Write a file that somebody asked for, text as UTF-8. Raises Failed when it cannot be written."""
    try:
        file.write_bytes(content.encode() if isinstance(content, str) else content)
    except OSError as error:
        raise Failed(f"{file} cannot be written: {error.strerror}. Choose another place.") from error


def moment(ms: int | None) -> str:
    """A time as `2026-11-21 10:42` UTC, or a dash.

    >>> moment(0), moment(None)
    ('1970-01-01 00:00', '-')
    """
    return "-" if ms is None else dt.datetime.fromtimestamp(ms / 1000, dt.UTC).strftime("%Y-%m-%d %H:%M")
