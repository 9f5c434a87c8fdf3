"""The same expressions on Spark give the same rows: in one process, and on a master with two workers on the loopback."""

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import ibis
import pyspark
import pytest
from pyspark.sql import SparkSession

from patron.cli.bench.analytics import QUERIES, ZONE, expression
from patron.cli.bench.by_hand import NOW
from patron.cli.bench.lakes import generate
from patron.rules.calendar import Calendar
from patron.rules.expressions import At, definitions, measures_of, sql_of, standings, unbound
from patron.rules.tree import AnyOf, Computed, Did, Not, Segment, Sequence, Step, Where, Window
from patron.storage.lake.duck import create_views, lake_files

pytestmark = [
    pytest.mark.distributed,
    pytest.mark.slow,
    pytest.mark.xdist_group("spark"),
    pytest.mark.filterwarnings("ignore"),
]
HOME = Path(pyspark.__file__).parent
AT = At(NOW, Calendar(ZONE))
QUICK = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto"
"""The virtual machines live for a minute: they need not be made fast."""
MONTH = Window(days=30)
SEGMENTS = [
    Segment(
        "explorers",
        "Explorers",
        AnyOf(
            (
                Sequence((Step("Product Viewed"), Step("Order Completed")), Window(days=2), MONTH),
                Did("Product Viewed", ">=", 4, "distinct", "product_id", within=Window(days=14)),
                Did("Order Completed", ">", 120.5, "average", "revenue", within=Window(days=60)),
            )
        ),
    ),
    Segment(
        "quiet",
        "Quiet on the web, with a lucky number",
        AnyOf(
            (
                Not(Did("*", within=Window(days=45))),
                Did("*", where=(Where("channel", "=", "web"), Where("properties.n", "<", 3)), within=MONTH),
                Did("Order Completed", where=(Where("weekday", ">=", 6), Where("hour", "<", 9))),
            )
        ),
    ),
]
TRAITS = [
    Computed("average", "Average order", Did("Order Completed", measure="average", property="revenue")),
    Computed("taste", "Taste", Did("*", measure="most_frequent", property="category", within=MONTH)),
    Computed("lines", "Products", Did("Order Completed", measure="distinct", property="product_id")),
    Computed("last", "Days since the last event", Did("*", measure="last")),
    Computed("share", "Orders a view", Did("Order Completed"), Did("Product Viewed")),
]
QUESTIONS = (*QUERIES, "segments", "traits")


def question(name: str) -> ibis.Table:
    if name == "segments":
        return standings(SEGMENTS, unbound(), AT)
    return measures_of(TRAITS, unbound(), AT) if name == "traits" else expression(name)


def plain(value: Any) -> Any:
    """A value as both engines can agree on it: floats to nine digits, decimals without trailing zeros."""
    if isinstance(value, float):
        return f"{value:.9g}"
    return f"{value.normalize():f}" if isinstance(value, Decimal) else value


def in_order(rows: Any) -> list[tuple[Any, ...]]:
    return sorted((tuple(map(plain, row)) for row in rows), key=repr)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("lake")
    generate(made, 50_000, 2_400)
    return made


@pytest.fixture(scope="module")
def wanted(folder: Path) -> dict[str, list[tuple[Any, ...]]]:
    """What DuckDB says."""
    connection = duckdb.connect()
    create_views(connection, lake_files(str(folder)))
    for statement in definitions("duckdb"):
        connection.execute(statement)
    found = {name: in_order(connection.sql(sql_of(question(name))).fetchall()) for name in QUESTIONS}
    assert all(len(rows) > 20 for rows in found.values())
    for place in (1, 2):  # some are in, some are out
        assert {row[place] for row in found["segments"]} == {0, 1}
    return found


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


def session(master: str) -> SparkSession:
    builder = SparkSession.builder.master(master).appName("patron")
    settings = {
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.extraJavaOptions": QUICK,
        "spark.executor.extraJavaOptions": QUICK,
        "spark.executor.memory": "512m",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.session.timeZone": "UTC",
        "spark.log.level": "ERROR",
    }
    for key, value in settings.items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


def daemon(kind: str, *arguments: str) -> "subprocess.Popen[bytes]":
    """A process of a standalone cluster."""
    environment = os.environ | {
        "SPARK_HOME": str(HOME),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_DAEMON_MEMORY": "256m",
        "SPARK_DAEMON_JAVA_OPTS": QUICK,
    }
    return subprocess.Popen(
        [
            *(str(HOME / "bin" / "spark-class"), f"org.apache.spark.deploy.{kind}"),
            *("--host", "127.0.0.1", "--webui-port", str(free_port()), *arguments),
        ],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def listens(port: int) -> bool:
    with socket.socket() as asked:
        return asked.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[str]:
    """A standalone master and two workers, ended with the test."""
    port = free_port()
    running = [daemon("master.Master", "--port", str(port))]
    try:
        deadline = time.monotonic() + 60
        while not listens(port) and time.monotonic() < deadline:
            time.sleep(0.2)
        master = f"spark://127.0.0.1:{port}"
        sizes = ("--cores", "1", "--memory", "768m")
        for number in (1, 2):
            running.append(daemon("worker.Worker", *sizes, "--work-dir", str(tmp_path / str(number)), master))
        yield master
    finally:
        for process in reversed(running):
            process.terminate()
        for process in running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
            process.kill()
            process.wait()


def check(spark: SparkSession, folder: Path, wanted: dict[str, list[tuple[Any, ...]]]) -> None:
    """Each question over the files that the lake lists gives the rows of DuckDB."""
    for statement in definitions("pyspark"):
        spark.sql(statement)
    files = lake_files(str(folder))
    for name in ("events", "people", "members"):
        spark.read.parquet(*files[name]).createOrReplaceTempView(name)
    for name, rows in wanted.items():
        found = in_order(spark.sql(sql_of(question(name), "pyspark")).collect())
        assert found == rows, name


def test_the_same_rows_in_one_process(folder: Path, wanted: dict[str, list[tuple[Any, ...]]]) -> None:
    spark = session("local[2]")
    try:
        check(spark, folder, wanted)
    finally:
        spark.stop()


def test_the_same_rows_of_two_workers(
    cluster: str, folder: Path, wanted: dict[str, list[tuple[Any, ...]]]
) -> None:
    spark = session(cluster)
    try:
        status = spark.sparkContext._jsc.sc().getExecutorMemoryStatus  # type: ignore[union-attr]
        deadline = time.monotonic() + 60
        while status().size() < 3 and time.monotonic() < deadline:
            time.sleep(0.3)
        assert status().size() == 3  # the driver and two workers
        check(spark, folder, wanted)
    finally:
        spark.stop()
