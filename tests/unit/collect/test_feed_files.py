"""Files of feeds as they come: encodings, delimiters, broken lines, packed and hostile ones."""

import datetime as dt
import decimal
import importlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patron.collect.importers.feeds import MAX_LINE, Record, UnreadableFile, of_bytes, open_file


def put(folder: Path, content: bytes, name: str = "stock.csv") -> Path:
    file = folder / name
    file.write_bytes(content)
    return file


def records(file: Path, encoding: str = "") -> list[Record]:
    with open_file(file, encoding=encoding) as found:
        return list(found.rows)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_table_is_read_whatever_its_encoding_and_delimiter(
    tmp_path: Path, encoding: str, delimiter: str
) -> None:
    text = delimiter.join(("store", "näme")) + "\r\n" + delimiter.join(("S1", '"Caffè ""Uno"""')) + "\r\n"
    with open_file(put(tmp_path, text.encode(encoding))) as found:
        assert found.columns == ("store", "näme")
        assert list(found.rows) == [Record(2, {"store": "S1", "näme": 'Caffè "Uno"'})]


def test_an_old_encoding_is_named_with_the_place_before_anything_is_given_out(tmp_path: Path) -> None:
    content = b"store,name\n" + b"S1,x\n" * 400_000 + "S1,Caffè\n".encode("cp1252")
    file = put(tmp_path, content)
    with pytest.raises(UnreadableFile, match=r"no UTF-8 text near byte 2,0.*--encoding cp1252"):
        open_file(file)
    assert records(file, encoding="cp1252")[-1].cells["name"] == "Caffè"
    with pytest.raises(UnreadableFile, match="no text encoding"):
        open_file(file, encoding="hex")


def test_a_broken_line_is_one_reject_and_the_rest_follows(tmp_path: Path) -> None:
    lines = ["store,name", "S1,a", "S2", "S3,a,b", "", f"S4,{'x' * 200_000}", "S5,e"]
    found = records(put(tmp_path, "\n".join(lines).encode()))
    assert [(one.row, one.problem[:26]) for one in found] == [
        (2, ""),
        (3, "has 1 cells, and the first"),
        (4, "has 3 cells, and the first"),
        (6, "cannot be read (field larg"),
        (7, ""),
    ]


def test_an_open_quote_ends_in_a_reject_and_not_in_silence(tmp_path: Path) -> None:
    content = b'store,name\nS1,"open\n' + b"S2,b\n" * 100_000
    found = records(put(tmp_path, content))
    assert any(one.problem for one in found)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "empty"),
        (b"\n \n", "empty"),
        (b"\x1f\x8b\x08", "packed"),
        (b"PK\x03\x04", "spreadsheet"),
        (b"a,b,a\n1,2,3\n", "Two columns"),
        (b",".join(b"%d" % n for n in range(600)), "600 columns"),
        (b"x" * (MAX_LINE + 1), "longer than 1 MiB"),
        (b"PAR1 nothing of the kind", "no Parquet"),
        (b"store\xff\n", "no UTF-8"),
    ],
)
def test_what_is_no_table_is_refused_as_a_whole(tmp_path: Path, content: bytes, problem: str) -> None:
    with pytest.raises(UnreadableFile, match=problem):
        records(put(tmp_path, content))


def test_lines_of_json_are_read_one_by_one() -> None:
    body = b'{"store": "S1", "quantity": 3}\n\n[1]\n{"store"\n{"a": NaN}\n' + b"[" * 100_000 + b"\n"
    body += b'{"x": "' + b"y" * (MAX_LINE + 5) + b'"}\n{"store": "S9"}'
    found = list(of_bytes(body).rows)
    assert [(one.row, one.problem[:12]) for one in found] == [
        (1, ""),
        (3, "is no JSON o"),
        (4, "is no JSON ("),
        (5, "is no JSON ("),
        (6, "is no JSON ("),
        (7, "is longer th"),
        (8, ""),
    ]


def test_parquet_gives_what_json_would(tmp_path: Path) -> None:
    pa, pq = importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    rows = [
        {
            "store": "S1",
            "quantity": 3,
            "day": dt.date(2026, 5, 4),
            "known_at": dt.datetime(2026, 5, 5, 5, tzinfo=dt.UTC),
            "price": decimal.Decimal("1.50"),
            "none": None,
        }
    ] * 5_000
    file = tmp_path / "stock"
    pq.write_table(pa.Table.from_pylist(rows), file)
    with open_file(file) as found:
        assert found.columns == ("store", "quantity", "day", "known_at", "price", "none")
        read = list(found.rows)
    assert len(read) == 5_000
    assert read[-1] == Record(
        5_000,
        {
            "store": "S1",
            "quantity": 3,
            "day": "2026-05-04",
            "known_at": "2026-05-05T05:00:00+00:00",
            "price": "1.50",
            "none": None,
        },
    )


def test_a_parquet_file_that_is_torn_says_so_after_what_could_be_read(tmp_path: Path) -> None:
    pa, pq = importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    file = tmp_path / "stock.parquet"
    pq.write_table(
        pa.table({"store": [f"S{n * 7919 % 100_003}" for n in range(20_000)]}), file, row_group_size=5_000
    )
    content = bytearray(file.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 2_000] = bytes(2_000)
    file.write_bytes(content)
    try:
        read = records(file)
    except UnreadableFile:
        return
    assert read[-1].problem.startswith("this and what follows cannot be read") or len(read) == 20_000


@given(st.binary(max_size=300))
def test_whatever_the_bytes_it_ends_in_records_or_in_a_sentence(body: bytes) -> None:
    try:
        found = list(of_bytes(body).rows)
    except UnreadableFile as error:
        told = str(error)
    else:
        told = "."
        assert all(record.cells or record.problem or record.row for record in found)
    assert told.endswith(".")
