"""Other engines read the lake: DuckDB and Spark by its file list, Polars as Delta; all agree."""

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from patron.storage.lake.compaction import compact
from patron.storage.lake.duck import create_views, held, lake_files
from patron.storage.lake.schema import SCHEMAS
from patron.storage.lake.table import LakeTable

DAY = dt.date(2026, 3, 1)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A lake of which a part was merged and a part was not; files that are no part of it lie there too."""
    folder = tmp_path_factory.mktemp("lake")
    table = LakeTable.open(str(folder), "events")
    plain: dict[str, Any] = dict.fromkeys(SCHEMAS["events"].names)
    for part in range(6):
        day = DAY + dt.timedelta(days=part // 2)
        time = dt.datetime.combine(day, dt.time(23, 30), dt.UTC)
        rows = [
            plain
            | {
                "position": 10 * part + n + 1,
                "node": n - 5,
                "bucket": (n - 5) & 1023,
                "day": day,
                "time": time,
                "received": time,
                "name": "Order Completed",
                "revenue": "12.500000",
                "products": [{"product_id": "P1", "category": None, "price": "1.25", "quantity": "2"}],
                "properties": '{"revenue":"12.5"}',
            }
            for n in range(10)
        ]
        schema = SCHEMAS["events"]
        for row in rows:
            row["revenue"] = Decimal(row["revenue"])
            row["products"][0] |= {k: Decimal(row["products"][0][k]) for k in ("price", "quantity")}
        table.append(pa.Table.from_pylist(rows, schema=schema), 10 * part + 10)
    compact(table, DAY + dt.timedelta(days=2), lambda _: None)
    assert len(list((folder / "events").glob("*.parquet"))) > len(table.files())
    return str(folder)


EXPECTED = (60, 60, 750.0, 60)
SQL = "count(*), count(DISTINCT position), CAST(sum(revenue) AS DOUBLE), CAST(count(DISTINCT (node, position)) AS BIGINT)"


def test_duckdb_reads_the_file_list(lake: str) -> None:
    files = lake_files(lake)["events"]
    assert duckdb.sql(f"SELECT {SQL} FROM read_parquet({files})").fetchall() == [EXPECTED]
    with duckdb.connect() as connection:
        create_views(connection, lake_files(lake))
        assert connection.sql(f"SELECT {SQL} FROM events").fetchall() == [EXPECTED]
        assert connection.sql(
            "SELECT sum(p.price * p.quantity) FROM (SELECT unnest(products) AS p FROM events)"
        ).fetchall() == [(Decimal("150.000000000000"),)]


def test_polars_reads_the_delta_table_and_the_file_list(lake: str) -> None:
    import polars as pl

    for frame in (pl.scan_delta(f"{lake}/events"), pl.scan_parquet(lake_files(lake)["events"])):
        found = frame.select(
            pl.len(), pl.col("position").n_unique().alias("p"), pl.col("revenue").sum()
        ).collect()
        assert (found[0, 0], found[0, 1], float(found[0, 2])) == (60, 60, 750.0)


@pytest.mark.slow
@pytest.mark.xdist_group("spark")
@pytest.mark.filterwarnings("ignore")
def test_spark_reads_the_file_list(lake: str) -> None:
    from pyspark.sql import SparkSession

    spark = (
        SparkSession.builder.master("local[1]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.sql.session.timeZone", "UTC")
        .getOrCreate()
    )
    try:
        spark.read.parquet(*lake_files(lake)["events"]).createOrReplaceTempView("events")
        row = spark.sql(
            "SELECT count(*), count(DISTINCT position), CAST(sum(revenue) AS DOUBLE), count(DISTINCT node, position), "
            "max(time) FROM events"
        ).collect()[0]
        assert tuple(row)[:4] == EXPECTED
        assert row[4].isoformat() == "2026-03-03T23:30:00"
    finally:
        spark.stop()


def test_the_list_names_only_what_counts(lake: str) -> None:
    (events,) = (t for t in held(lake) if t.table == "events")
    assert events.rows == 60
    assert (events.oldest, events.newest) == ("2026-03-01", "2026-03-03")
    assert all(Path(path).exists() for path in events.files)
    assert lake_files(lake)["people"] == []
