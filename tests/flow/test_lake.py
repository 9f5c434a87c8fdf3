"""The event lake from outside: events sent over HTTP, read back with SQL, with other engines, and through the command line."""

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.flow.serving import PatronServer, basic, bearer, request, run_patron

FAST = {"PATRON_LAKE_FLUSH_SECONDS": "0.3"}


def _event(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "type": "track",
        "event": "Product Viewed",
        "messageId": f"m{number}",
        "userId": f"u{number % 7}",
        "anonymousId": f"c{number % 7}",
        "timestamp": f"2026-03-{1 + number % 28:02d}T10:00:00Z",
        "properties": {"product_id": "P1", "price": "12.50", "quantity": 2, "note": "it's"},
        **fields,
    }


def _send(patron: PatronServer, key: str, messages: list[dict[str, Any]]) -> None:
    reply = request("POST", f"{patron.url}/v1/batch", json.dumps({"batch": messages}), basic(key))
    assert reply.status == 200, reply


def _query(patron: PatronServer, sql: str, secret: str, **asked: Any) -> Any:
    return request(
        "POST", f"{patron.url}/v1/lake/query", json.dumps({"sql": sql, **asked}), bearer(secret), timeout=120
    )


def _rows(patron: PatronServer, secret: str, sql: str) -> list[list[Any]]:
    reply = _query(patron, sql, secret)
    assert reply.status == 200, reply
    found: list[list[Any]] = reply.json()["rows"]
    return found


def _flush(patron: PatronServer) -> int:
    flush = ("lake", "flush", "--json", "--data", str(patron.data))
    done = run_patron(*flush, check=False)
    if done.returncode and "another one starts" in done.stderr:  # it was killed just then
        done = run_patron(*flush)
    assert done.returncode == 0, done.stderr
    return int(json.loads(done.stdout)["position"])


def test_what_is_sent_is_in_the_lake_and_sql_reads_it(
    server: Callable[..., PatronServer], tmp_path: Path
) -> None:
    patron = server(env=FAST)
    key, secret = patron.write_key("web"), patron.secret("lake")
    _send(patron, key, [_event(n) for n in range(40)])
    _send(
        patron, key, [_event(3), _event(40, userId=None, event="Order Completed", properties={"revenue": 9})]
    )
    position = _flush(patron)
    assert position >= 42
    assert _rows(patron, secret, "SELECT count(*), count(DISTINCT position), sum(price) FROM events") == [
        [41, 41, "500.000000"]
    ]
    # every node of an event is somebody's, and both of a person's nodes are the same person's
    assert _rows(
        patron,
        secret,
        "SELECT count(*), count(DISTINCT person) FROM events JOIN people_now USING (node)",
    ) == [[41, 7]]
    csv = _query(
        patron, "SELECT name, count(*) AS n FROM events GROUP BY ALL ORDER BY n DESC", secret, format="csv"
    )
    assert csv.body.decode() == '"name","n"\n"Product Viewed",40\n"Order Completed",1\n'
    shown = run_patron(
        "lake",
        "query",
        "SELECT note FROM (SELECT properties->>'$.note' AS note FROM events) GROUP BY ALL",
        "--data",
        str(patron.data),
    )
    assert "it's" in shown.stdout
    out = tmp_path / "people.parquet"
    run_patron(
        "lake",
        "query",
        "FROM people_now",
        "--format",
        "parquet",
        "--out",
        str(out),
        "--data",
        str(patron.data),
    )
    assert duckdb.sql(f"SELECT count(*) FROM '{out}'").fetchall() == [(14,)]


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("COPY events TO '/tmp/stolen.csv'", "not_select"),
        ("SELECT 1; SELECT 2", "not_select"),
        ("SELECT * FROM read_csv('/etc/passwd')", "not_allowed"),
        ("SELECT * FROM read_text('/etc/passwd')", "not_allowed"),
        ("SELECT * FROM glob('/*')", "not_allowed"),
        ("SET memory_limit = '90GB'", "not_select"),
        ("ATTACH '/tmp/x.db'", "not_select"),
        ("INSTALL httpfs", "not_select"),
        ("EXPLAIN ANALYZE COPY events TO '/tmp/stolen.csv'", "not_select"),
        ("SELECT nothing FROM events", "bad_sql"),
        ("SELEC 1", "bad_sql"),
        ("", "bad_sql"),
        ("SELECT $1", "bad_sql"),
    ],
)
def test_sql_reads_the_tables_and_nothing_else(lake: tuple[PatronServer, str], sql: str, code: str) -> None:
    patron, secret = lake
    reply = _query(patron, sql, secret)
    assert (reply.status, reply.json()["code"]) == (400, code)
    assert len(reply.json()["message"]) > 20


def test_a_query_without_end_is_stopped_and_the_server_answers_meanwhile(
    lake: tuple[PatronServer, str],
) -> None:
    patron, secret = lake
    began = time.monotonic()
    reply = _query(
        patron,
        "WITH RECURSIVE t AS (SELECT 1 a UNION ALL SELECT a + 1 FROM t) SELECT count(*) FROM t",
        secret,
    )
    assert (reply.status, reply.json()["code"]) == (400, "too_slow")
    assert time.monotonic() - began < 30


def test_the_lake_needs_its_own_scope(lake: tuple[PatronServer, str]) -> None:
    patron, secret = lake
    assert _query(patron, "SELECT 1", patron.secret("profiles:read")).status == 403
    assert request("GET", f"{patron.url}/v1/lake", None, bearer(secret)).status == 200
    assert request("POST", f"{patron.url}/v1/lake/compact", b"{}", bearer(secret)).status == 403


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Any:
    patron = PatronServer(
        tmp_path_factory.mktemp("lake") / "shop", env={**FAST, "PATRON_LAKE_QUERY_SECONDS": "2"}
    )
    patron.init()
    patron.start()
    try:
        _send(patron, patron.write_key("web"), [_event(n) for n in range(10)])
        _flush(patron)
        yield patron, patron.secret("lake")
    finally:
        died = patron.close()
    assert not died, died


def test_a_killed_jobs_process_is_replaced_and_nothing_is_lost_or_doubled(
    server: Callable[..., PatronServer],
) -> None:
    patron = server(env=FAST)
    key, secret = patron.write_key("web"), patron.secret("lake")
    for turn in range(4):
        _send(patron, key, [_event(100 * turn + n) for n in range(25)])
        if turn < 3:
            _flush(patron)
            os.kill(_jobs_pid(patron), signal.SIGKILL)
    _flush(patron)
    assert _rows(patron, secret, "SELECT count(*), count(DISTINCT position) FROM events") == [[100, 100]]
    assert _rows(patron, secret, "SELECT count(DISTINCT node) FROM people_now") == [[14]]


def _jobs_pid(patron: PatronServer) -> int:
    """The jobs process among the children of the server."""
    assert patron.process is not None
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = path.read_text().rpartition(")")[2].split()
            line = (path.parent / "cmdline").read_bytes()
        except OSError:
            continue
        if words[1] == str(patron.process.pid) and b"patron.runtime.jobs" in line:
            return int(path.parent.name)
    raise AssertionError("there is no jobs process")
