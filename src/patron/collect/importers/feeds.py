"""Files of reference feeds as records: CSV, JSON lines and Parquet, one record at a time, whatever is wrong with them.

A file that cannot be read at all raises `UnreadableFile` before anything was given out; a single record that cannot comes as a
`Record` with its problem, and the rest follows. Rows are numbered as the file counts them: the header of a CSV is row 1.
"""

import codecs
import csv
import datetime as dt
import decimal
import importlib
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import msgspec
from msgspec import Struct

MAX_LINE = 1 << 20
MAX_COLUMNS = 500
DELIMITERS = ",;\t|"
FORMATS = ("csv", "jsonl", "parquet")
_SLICE = 2_000
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


class UnreadableFile(ValueError):
    """A file that is not what it should be; the message says what to do."""


class Record(Struct, frozen=True):
    """One record: its cells by name, or what kept it from being read."""

    row: int
    cells: dict[str, Any]
    problem: str = ""
    hint: str = ""


class Records(Struct, frozen=True):
    """A file that is open: its columns (empty where every record has its own names), and its records to go through once.

    Use it in a `with`, which closes the file.
    """

    columns: tuple[str, ...]
    rows: Iterator[Record]
    source: Any

    def __enter__(self) -> "Records":
        return self

    def __exit__(self, *_: object) -> None:
        self.source.close()


def open_file(path: Path, kind: str = "", encoding: str = "") -> Records:
    """Open a file for reading, as `kind` (of `FORMATS`) or as it looks.

    `encoding` is that of its text; UTF-8, or what its first bytes say, when left out. The whole text is decoded once before
    anything is given out. Raises UnreadableFile.
    """
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError as error:
        raise UnreadableFile(f"{path.name} cannot be read: {error.strerror}.") from error
    kind = kind or kind_of(head, path.name)
    if kind == "parquet":
        return _parquet(path)
    encoding = encoding or encoding_of(head)
    _decode_once(path, encoding)
    return of_text(path.open("r", encoding=encoding, newline="" if kind == "csv" else None), kind)


def of_bytes(body: bytes, kind: str = "") -> Records:
    r"""The records of a text (CSV or JSON lines) in memory. Raises UnreadableFile.

    >>> [record.cells for record in of_bytes(b"store;quantity\nS1;3\n").rows]
    [{'store': 'S1', 'quantity': '3'}]
    """
    encoding = encoding_of(body[:4])
    try:
        text = body.decode(encoding)
    except (UnicodeDecodeError, LookupError) as error:
        raise UnreadableFile(_no_text(encoding, getattr(error, "start", 0))) from error
    kind = kind or kind_of(body[:4096], "")
    return of_text(io.StringIO(text, newline="" if kind == "csv" else None), kind)


def kind_of(head: bytes, name: str) -> str:
    """What a file is, by its first bytes, else by its name. Raises UnreadableFile for what is packed or binary.

    >>> kind_of(b'{"store": 1}', "x"), kind_of(b"PAR1....", "x"), kind_of(b"store,day", "stock.csv")
    ('jsonl', 'parquet', 'csv')
    """
    if head[:4] == b"PAR1":
        return "parquet"
    for magic, what in (
        (b"\x1f\x8b", "gzip"),
        (b"PK\x03\x04", "zip or a spreadsheet"),
        (b"\x28\xb5\x2f\xfd", "zstd"),
    ):
        if head.startswith(magic):
            raise UnreadableFile(
                f"The file is packed ({what}). Unpack it, or save it as CSV, JSON lines or Parquet."
            )
    start = head.lstrip(b"\xef\xbb\xbf \r\n\t")
    if start.startswith(b"{") or name.lower().endswith((".jsonl", ".ndjson")):
        return "jsonl"
    if not start:
        raise UnreadableFile("The file is empty. A CSV begins with a line of column names.")
    return "csv"


def encoding_of(head: bytes) -> str:
    """The encoding that the first bytes of a text tell, else UTF-8."""
    return next((name for bom, name in _BOMS if head.startswith(bom)), "utf-8")


def _decode_once(path: Path, encoding: str) -> None:
    """Decode the whole file, so that a byte that does not fit is told before half of it is loaded."""
    at = 0
    try:
        decoder = codecs.getincrementaldecoder(encoding)()
        with path.open("rb") as file:
            while part := file.read(1 << 20):
                decoder.decode(part)
                at += len(part)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise UnreadableFile(_no_text(encoding, at + error.start)) from error
    except (LookupError, ValueError) as error:  # a codec of bytes, such as hex, raises any of the two
        raise UnreadableFile(
            f"There is no text encoding `{encoding[:40]}`; for example cp1252 or utf-16."
        ) from error
    except OSError as error:
        raise UnreadableFile(f"{path.name} cannot be read: {error.strerror}.") from error


def _no_text(encoding: str, at: int) -> str:
    return f"The file is no {encoding.upper()} text near byte {at:,}. Save it as UTF-8, or say which it is: --encoding cp1252."


def of_text(file: IO[str], kind: str) -> Records:
    """The records of an open text. Raises UnreadableFile."""
    if kind == "jsonl":
        return Records((), _lines(file), file)
    if kind != "csv":
        raise UnreadableFile(f"`{kind[:20]}` is none of {', '.join(FORMATS)}.")
    try:
        return _csv(file)
    except BaseException:
        file.close()
        raise


# --- CSV ------------------------------------------------------------------------------------------------------------


def _csv(file: IO[str]) -> Records:
    first = file.readline(MAX_LINE)
    if len(first) == MAX_LINE:
        raise UnreadableFile(
            "The first line is longer than 1 MiB: this is no CSV with a line of column names."
        )
    delimiter = delimiter_of(first)
    rows = csv.reader(_joined(first, file), delimiter=delimiter)
    try:
        header = [name.strip() for name in next(rows)]
    except (csv.Error, StopIteration) as error:
        raise UnreadableFile("The first line is no line of column names.") from error
    if len(header) > MAX_COLUMNS:
        raise UnreadableFile(f"The first line has {len(header):,} columns; at most {MAX_COLUMNS} are read.")
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        raise UnreadableFile(f"Two columns are called `{twice[0][:40]}`; rename one in the first line.")
    return Records(tuple(name for name in header if name), _cells(rows, header, delimiter), file)


def delimiter_of(line: str) -> str:
    r"""What separates the cells of a line: comma, semicolon, tab or bar, whichever makes most of them.

    >>> delimiter_of("store;product, long name;quantity")
    ';'
    """
    return max(DELIMITERS, key=lambda sign: (line.count(sign), -DELIMITERS.index(sign)))


def _joined(first: str, file: IO[str]) -> Iterator[str]:
    yield first
    yield from file


def _cells(rows: Iterator[list[str]], header: Sequence[str], delimiter: str) -> Iterator[Record]:
    number, width = 1, len(header)
    while True:
        number += 1
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            hint = 'close every quote, and double a quote inside one: "a ""b"" c"'
            yield Record(number, {}, f"cannot be read ({error})", hint)
            continue
        if not row:
            continue
        if len(row) != width:
            hint = f"quote a cell that holds a `{delimiter}`, and give every row all cells"
            yield Record(number, {}, f"has {len(row)} cells, and the first line names {width}", hint)
            continue
        yield Record(number, {name: cell for name, cell in zip(header, row, strict=True) if name})


# --- JSON lines -----------------------------------------------------------------------------------------------------


def _lines(file: IO[str]) -> Iterator[Record]:
    number = 0
    while line := file.readline(MAX_LINE):
        number += 1
        if len(line) == MAX_LINE and not line.endswith("\n"):
            while (rest := file.readline(MAX_LINE)) and not rest.endswith("\n"):
                pass
            yield Record(number, {}, "is longer than 1 MiB", "write one object a line")
        elif line.strip():
            yield of_json(number, line)


def of_json(number: int, text: str) -> Record:
    """One line of JSON as a record.

    >>> of_json(3, '[1]').problem
    'is no JSON object'
    """
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError) as error:
        return Record(number, {}, f"is no JSON ({error or 'nested too deep'})", "write one object a line")
    if not isinstance(value, dict):
        return Record(number, {}, "is no JSON object", 'write {"store": "S01", ...}')
    return Record(number, value)


# --- Parquet --------------------------------------------------------------------------------------------------------


def _parquet(path: Path) -> Records:
    pa, pq = _arrow()
    try:
        file = pq.ParquetFile(path)
        names = tuple(file.schema_arrow.names)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise UnreadableFile(f"The file is no Parquet that can be read: {_line(error)}.") from error
    if len(names) > MAX_COLUMNS or len(set(names)) < len(names):
        file.close()
        raise UnreadableFile(f"The file has too many columns (at most {MAX_COLUMNS}), or two of one name.")
    return Records(names, _arrow_rows(file, names), file)


def _arrow() -> tuple[Any, Any]:
    """PyArrow, loaded when a Parquet file is read and not before: it is large."""
    return importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")


def _arrow_rows(file: Any, names: Sequence[str]) -> Iterator[Record]:
    pa, number = _arrow()[0], 0
    batches = file.iter_batches(_SLICE)
    while True:
        try:
            batch = next(batches, None)
            rows = [] if batch is None else batch.to_pylist()
        except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
            yield Record(
                number + 1,
                {},
                f"this and what follows cannot be read ({_line(error)})",
                "write the file anew",
            )
            return
        if batch is None:
            return
        for row in rows:
            number += 1
            yield Record(number, {name: plain(row[name]) for name in names})


def plain(cell: Any) -> Any:
    """A cell of a Parquet file as JSON would write it: times and decimals as texts, the rest as it is.

    >>> plain(decimal.Decimal("1.50")), plain(dt.date(2026, 5, 4)), plain(dt.datetime(2026, 5, 4, 10))
    ('1.50', '2026-05-04', '2026-05-04T10:00:00+00:00')
    """
    if isinstance(cell, dt.datetime):
        return (cell if cell.tzinfo else cell.replace(tzinfo=dt.UTC)).isoformat()
    if isinstance(cell, dt.date):
        return cell.isoformat()
    if isinstance(cell, decimal.Decimal):
        return str(cell)
    return cell


def _line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0][:200]
