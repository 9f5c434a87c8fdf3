"""The same expressions on Spark give the same rows: in one process, and on a master with two workers on the loopback."""

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ibis
import pyarrow.parquet as pq
import pyspark
import pytest
from pyspark.sql import SparkSession

from patron.cli.bench.analytics import QUERIES, expression
from patron.cli.bench.lakes import generate
from patron.rules.expressions import definitions, sql_of
from tests.property.rules import lake as lakes

pytestmark = [
    pytest.mark.distributed,
    pytest.mark.slow,
    pytest.mark.xdist_group("spark"),
    pytest.mark.filterwarnings("ignore"),
]
HOME = Path(pyspark.__file__).parent


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("lake")
    generate(made, 20_000, 1_000)
    return made


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


def session(master: str) -> SparkSession:
    builder = SparkSession.builder.master(master).appName("patron")
    settings = {
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": "4",
        "spark.sql.session.timeZone": "UTC",
        "spark.executor.memory": "512m",
        "spark.log.level": "ERROR",
        "spark.ui.showConsoleProgress": "false",
    }
    for key, value in settings.items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """A standalone master and two workers."""
    port = free_port()
    master = f"spark://127.0.0.1:{port}"
    environment = os.environ | {
        "SPARK_HOME": str(HOME),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_DAEMON_MEMORY": "256m",
    }
    launch = [str(HOME / "bin" / "spark-class")]
    common: dict[str, Any] = {
        "env": environment,
        "stdout": subprocess.DEVNULL,
        "stderr": subprocess.DEVNULL,
        "start_new_session": True,
    }
    commands = [
        [
            "org.apache.spark.deploy.master.Master",
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
            "--webui-port",
            str(free_port()),
        ]
    ]
    commands += [
        [
            "org.apache.spark.deploy.worker.Worker",
            "--host",
            "127.0.0.1",
            "--cores",
            "1",
            "--memory",
            "768m",
            "--webui-port",
            str(free_port()),
            master,
        ]
        for _ in range(2)
    ]
    running = []
    try:
        for command in commands:
            running.append(subprocess.Popen(launch + command, **common))
            time.sleep(3)
        yield master
    finally:
        for process in reversed(running):
            process.terminate()
        for process in running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
            process.kill()


def ready(spark: SparkSession, folder: Path) -> SparkSession:
    for statement in definitions("pyspark"):
        spark.sql(statement)
    for name in ("events", "people", "members"):
        spark.read.parquet(f"{folder}/{name}.parquet").createOrReplaceTempView(name)
    return spark


def rows_of(spark: SparkSession, question: ibis.Table) -> list[tuple[str, ...]]:
    return sorted(tuple(map(str, row)) for row in spark.sql(sql_of(question, "pyspark")).collect())


def wanted(folder: Path, question: ibis.Table) -> list[tuple[str, ...]]:
    held = lakes.session()
    for name in ("events", "people", "members"):
        lakes.fill(held, **{name: pq.read_table(folder / f"{name}.parquet")})
    return sorted(tuple(map(str, row)) for row in held.sql(sql_of(question)).fetchall())


def test_the_same_rows_in_one_process(folder: Path) -> None:
    spark = ready(session("local[2]"), folder)
    try:
        for query in QUERIES:
            question = expression(query)
            assert rows_of(spark, question) == wanted(folder, question), query
    finally:
        spark.stop()


def test_the_same_rows_of_two_workers(cluster: str, folder: Path) -> None:
    spark = ready(session(cluster), folder)
    try:
        deadline = time.monotonic() + 60
        while (
            spark.sparkContext._jsc.sc().getExecutorMemoryStatus().size() < 3 and time.monotonic() < deadline
        ):  # type: ignore[union-attr]
            time.sleep(0.5)
        assert spark.sparkContext._jsc.sc().getExecutorMemoryStatus().size() == 3  # type: ignore[union-attr]
        for query in QUERIES:
            question = expression(query)
            assert rows_of(spark, question) == wanted(folder, question), query
    finally:
        spark.stop()
