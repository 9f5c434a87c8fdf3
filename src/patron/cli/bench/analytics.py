"""The analytic queries of the lake against SQL written by hand: CPU seconds of a cold process each, in one run.

Run as ``python -m patron.cli.bench.analytics --events 5000000``. It makes a seeded lake (Parquet), asks each question twice in
processes of their own, as the product's expression and as SQL for DuckDB, compares the rows, and prints a table.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

NOW = 1_790_000_000_000
"""Asked at this moment (ms): 21 September 2026."""
DAYS = 120
PRODUCTS = 3_000
_GENERATE = """
CREATE TABLE sessions AS
SELECT s, hash(s, 1) % {nodes} AS person, {now} - 1 - CAST(hash(s, 2) % {span} AS BIGINT) AS begin,
    1 + hash(s, 3) % 15 AS events, hash(s, 4) % 10 AS kind
FROM range({sessions}) r(s);
CREATE TABLE raw AS
SELECT row_number() OVER (ORDER BY begin + i * 40000, s, i) AS position, s, person, kind, i,
    least(begin + i * 40000 + CAST(hash(s, i, 5) % 60000 AS BIGINT), {now} - 1) AS ms, hash(s, i, 6) AS luck
FROM sessions, range(15) n(i) WHERE i < events;
COPY (
SELECT position, CAST(hash(position, 7) >> 1 AS BIGINT) AS event_id,
    CAST(hash(person, 8) >> 1 AS BIGINT) + CASE WHEN s % 5 = 0 THEN 1 ELSE 0 END AS node,
    CAST(0 AS INTEGER) AS bucket, CAST(make_timestamp(ms * 1000) AS DATE) AS day,
    CAST(make_timestamptz(ms * 1000) AS TIMESTAMPTZ) AS time, CAST(make_timestamptz(ms * 1000 + 500000) AS TIMESTAMPTZ) AS received,
    'track' AS type, CASE WHEN i = 0 THEN 'Page Viewed' WHEN luck % 100 < 30 THEN 'Page Viewed' WHEN luck % 100 < 72 THEN 'Product Viewed'
        WHEN luck % 100 < 86 THEN 'Product Added' WHEN luck % 100 < 93 THEN 'Checkout Started' ELSE 'Order Completed' END AS name,
    CASE WHEN kind < 5 THEN 'web' WHEN kind < 8 THEN 'app' ELSE 'pos' END AS channel, 'shop' AS source,
    NULL::VARCHAR AS store, NULL::VARCHAR AS touchpoint, 'm' || position AS message_id, NULL::VARCHAR AS user_id,
    'a' || person AS anonymous_id, NULL::VARCHAR AS group_id, 'P' || luck % {products} AS product_id,
    ['coffee', 'tea', 'milk', 'bread', 'fruit'][1 + CAST(luck % 5 AS BIGINT)] AS category, NULL::VARCHAR AS order_id, NULL::VARCHAR AS coupon,
    'EUR' AS currency, CAST(CASE WHEN luck % 100 >= 93 THEN (luck % 20000) / 100.0 END AS DECIMAL(18, 6)) AS revenue,
    NULL::DECIMAL(18, 6) AS total, NULL::DECIMAL(18, 6) AS value, NULL::DECIMAL(18, 6) AS price,
    NULL::DECIMAL(18, 6) AS quantity, NULL::DECIMAL(18, 6) AS discount, NULL::DOUBLE AS latitude, NULL::DOUBLE AS longitude,
    CASE WHEN luck % 100 >= 93 THEN list_transform(range(2 + CAST(luck % 4 AS BIGINT)), lambda x: {{'product_id': 'P' ||
        CAST(floor(pow((hash(luck, x) % 1000000) / 1000000.0, 3) * {products}) AS BIGINT), 'category': NULL::VARCHAR,
        'price': NULL::DECIMAL(18, 6), 'quantity': NULL::DECIMAL(18, 6)}}) END AS products,
    '{{"product_id":"P' || luck % {products} || '","n":' || luck % 100 || '}}' AS properties,
    NULL::VARCHAR AS traits, NULL::VARCHAR AS consents
FROM raw ORDER BY position) TO '{folder}/events.parquet' (FORMAT parquet, COMPRESSION zstd);
COPY (
SELECT CAST(hash(p, 8) >> 1 AS BIGINT) + k AS node, NULL::TIMESTAMPTZ AS since, NULL::TIMESTAMPTZ AS until, 'p_' || p AS person,
    1 AS position, make_timestamptz(1) AS known
FROM range({nodes}) r(p), range(2) n(k)) TO '{folder}/people.parquet' (FORMAT parquet, COMPRESSION zstd);
COPY (SELECT 'x' AS account, 1::BIGINT AS person_node, 1::BIGINT AS position, make_timestamptz(1) AS known WHERE false)
TO '{folder}/members.parquet' (FORMAT parquet);
"""
_WHOSE = """
WITH whose AS (SELECT node, person, since, until FROM people QUALIFY position = max(position) OVER (PARTITION BY node)),
e AS (SELECT person, e.* FROM events e JOIN whose w ON e.node = w.node AND (since IS NULL OR time >= since)
    AND (until IS NULL OR time < until) WHERE time < TIMESTAMPTZ '{end}'"""
_BY_HAND = {
    "segment": _WHOSE
    + """ AND name IN ('Order Completed', 'Product Viewed', 'Checkout Started')),
a AS (SELECT person, count(*) FILTER (name = 'Order Completed' AND time >= TIMESTAMPTZ '{d90}') AS orders,
    sum(revenue) FILTER (name = 'Order Completed' AND time >= TIMESTAMPTZ '{d90}') AS spent,
    count(*) FILTER (name = 'Product Viewed' AND category = 'coffee' AND time >= TIMESTAMPTZ '{d30}') AS coffee,
    max(time) FILTER (name = 'Checkout Started') AS checkout
FROM e GROUP BY person)
SELECT person AS subject FROM a WHERE orders >= 2 AND spent >= 100 AND coffee >= 1
    AND NOT (checkout IS NOT NULL AND checkout >= TIMESTAMPTZ '{d7}')""",
    "rfm": _WHOSE
    + """ AND name = 'Order Completed'),
b AS (SELECT person, max(time) AS last, count(*) AS orders, coalesce(sum(revenue), 0) AS revenue FROM e GROUP BY person),
s AS (SELECT ntile(5) OVER (ORDER BY last, person) AS recency, ntile(5) OVER (ORDER BY orders, person) AS frequency,
    ntile(5) OVER (ORDER BY revenue, person) AS monetary FROM b)
SELECT recency, frequency, monetary, count(*) AS people FROM s GROUP BY ALL""",
    "funnel": _WHOSE
    + """ AND time >= TIMESTAMPTZ '{d30}' AND name IN ('Product Viewed', 'Product Added', 'Order Completed')),
r AS (SELECT person, channel, name, time, event_id FROM e),
s1 AS (SELECT *, CASE WHEN name = 'Product Viewed' THEN time END AS b1 FROM r),
s2 AS (SELECT *, CASE WHEN name = 'Product Added' THEN max(b1) OVER w END AS b2 FROM s1
    WINDOW w AS (PARTITION BY person ORDER BY time, event_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)),
v2 AS (SELECT * REPLACE (CASE WHEN time - b2 <= INTERVAL 168 HOURS THEN b2 END AS b2) FROM s2),
s3 AS (SELECT *, CASE WHEN name = 'Order Completed' THEN max(b2) OVER w END AS b3 FROM v2
    WINDOW w AS (PARTITION BY person ORDER BY time, event_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)),
p AS (SELECT person, max(CASE WHEN b3 IS NOT NULL AND time - b3 <= INTERVAL 168 HOURS THEN 3 WHEN b2 IS NOT NULL THEN 2
    WHEN b1 IS NOT NULL THEN 1 ELSE 0 END) AS far, arg_min(channel, time) FILTER (b1 IS NOT NULL) AS channel FROM s3 GROUP BY person),
t2 AS (SELECT *, CASE WHEN name = 'Product Added' THEN max(b1) OVER w END AS b2 FROM s1
    WINDOW w AS (PARTITION BY person, channel ORDER BY time, event_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)),
u2 AS (SELECT * REPLACE (CASE WHEN time - b2 <= INTERVAL 168 HOURS THEN b2 END AS b2) FROM t2),
t3 AS (SELECT *, CASE WHEN name = 'Order Completed' THEN max(b2) OVER w END AS b3 FROM u2
    WINDOW w AS (PARTITION BY person, channel ORDER BY time, event_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)),
q AS (SELECT person, channel, max(CASE WHEN b3 IS NOT NULL AND time - b3 <= INTERVAL 168 HOURS THEN 3 WHEN b2 IS NOT NULL THEN 2
    WHEN b1 IS NOT NULL THEN 1 ELSE 0 END) AS far FROM t3 GROUP BY person, channel),
c AS (SELECT 'entered' AS scope, channel, step, count(*) AS people FROM p, range(1, 4) n(step) WHERE far >= step GROUP BY ALL
    UNION ALL SELECT 'within', channel, step, count(*) FROM q, range(1, 4) n(step) WHERE far >= step GROUP BY ALL)
SELECT * FROM c UNION ALL SELECT 'across', '*', step, CAST(sum(people) AS BIGINT) FROM c WHERE scope = 'entered' GROUP BY step""",
    "sessions": _WHOSE
    + """ AND time >= TIMESTAMPTZ '{d30}'),
l AS (SELECT person, time, event_id, lag(time) OVER w AS before FROM e WINDOW w AS (PARTITION BY person ORDER BY time, event_id)),
n AS (SELECT person, time, sum(CASE WHEN before IS NULL OR time - before > INTERVAL 30 MINUTES THEN 1 ELSE 0 END) OVER
    (PARTITION BY person ORDER BY time, event_id ROWS UNBOUNDED PRECEDING) AS session FROM l),
s AS (SELECT person, session, min(time) AS begin, max(time) AS ended, count(*) AS events FROM n GROUP BY person, session)
SELECT CAST(CAST(date_trunc('hour', begin) AT TIME ZONE 'Europe/Rome' AS DATE) - DATE '1970-01-01' AS BIGINT) AS day,
    count(*) AS sessions, count(DISTINCT person) AS people, CAST(sum(events) AS BIGINT) AS events,
    CAST(sum(epoch_ms(ended) - epoch_ms(begin)) AS BIGINT) AS milliseconds FROM s GROUP BY 1""",
    "paths": _WHOSE
    + """ AND time >= TIMESTAMPTZ '{d30}'),
l AS (SELECT person, name, time, event_id, lag(time) OVER w AS before FROM e WINDOW w AS (PARTITION BY person ORDER BY time, event_id)),
n AS (SELECT person, name, time, event_id, sum(CASE WHEN before IS NULL OR time - before > INTERVAL 30 MINUTES THEN 1 ELSE 0 END) OVER
    (PARTITION BY person ORDER BY time, event_id ROWS UNBOUNDED PRECEDING) AS session FROM l),
d AS (SELECT *, lag(name) OVER (PARTITION BY person, session ORDER BY time, event_id) AS was FROM n),
k AS (SELECT * FROM d WHERE was IS NULL OR was <> name
    QUALIFY row_number() OVER (PARTITION BY person, session ORDER BY time, event_id) <= 4),
p AS (SELECT person, string_agg(name, ' > ' ORDER BY time, event_id) AS path FROM k GROUP BY person, session)
SELECT path, count(*) AS sessions, count(DISTINCT person) AS people FROM p GROUP BY path ORDER BY 2 DESC, 1 LIMIT 50""",
    "pairs": _WHOSE
    + """ AND time >= TIMESTAMPTZ '{d90}' AND name = 'Order Completed'),
l AS (SELECT DISTINCT position, u.product_id AS product FROM e, unnest(products) t(u) WHERE len(products) <= 100 AND u.product_id IS NOT NULL),
o AS (SELECT product, count(*) AS times FROM l GROUP BY product),
p AS (SELECT x.product AS a, y.product AS b, count(*) AS orders FROM l x JOIN l y ON x.position = y.position AND x.product < y.product
    GROUP BY ALL ORDER BY orders DESC, a, b LIMIT 100)
SELECT a, b, orders, x.times AS a_orders, y.times AS b_orders FROM p JOIN o x ON a = x.product JOIN o y ON b = y.product""",
}
QUERIES = tuple(_BY_HAND)


def generate(folder: Path, events: int, people: int) -> None:
    """A lake of that size: the same for the same sizes."""
    connection = duckdb.connect(config={"temp_directory": str(folder / "spill")})
    connection.execute("SET TimeZone = 'UTC'; SET preserve_insertion_order = false; SET memory_limit = '2GB'")
    span = DAYS * 86_400_000
    connection.execute(
        _GENERATE.format(
            nodes=people,
            sessions=events // 7,
            events=events,
            now=NOW,
            span=span,
            products=PRODUCTS,
            folder=folder,
        )
    )
    connection.close()


def expression(query: str) -> Any:
    """The product's expression."""
    from patron import insights  # the parent process needs none of it
    from patron.rules.calendar import Calendar
    from patron.rules.expressions import At, members, unbound
    from patron.rules.tree import AllOf, Did, Not, Segment, Where, Window

    at = At(NOW, Calendar("Europe/Rome"))
    lake = unbound()
    if query == "segment":
        rule = AllOf(
            (
                Did("Order Completed", ">=", 2, within=Window(days=90)),
                Did("Order Completed", ">=", 100, "sum", "revenue", within=Window(days=90)),
                Did(
                    "Product Viewed",
                    where=(Where("properties.category", "=", "coffee"),),
                    within=Window(days=30),
                ),
                Not(Did("Checkout Started", "<", 7, "last")),
            )
        )
        return members(Segment("loyal", "Loyal coffee drinkers", rule), lake, at)
    steps = ("Product Viewed", "Product Added", "Order Completed")
    asked: dict[str, insights.Insight] = {
        "rfm": insights.Rfm(),
        "funnel": insights.Funnel(steps),
        "sessions": insights.Sessions(),
        "paths": insights.Paths(),
        "pairs": insights.Pairs(),
    }
    return asked[query].expression(lake, at)


def by_hand(query: str) -> str:
    """The SQL of an analyst who knows DuckDB, with the same meaning."""
    from datetime import UTC, datetime

    from patron.rules.calendar import Calendar
    from patron.rules.tree import Window

    calendar = Calendar("Europe/Rome")
    ends = {f"d{n}": calendar.since(Window(days=n), NOW) for n in (7, 30, 90)} | {
        "end": (NOW // 3_600_000 + 1) * 3_600_000
    }
    texts = {key: datetime.fromtimestamp((ms or 0) / 1000, UTC).isoformat() for key, ms in ends.items()}
    return _BY_HAND[query].format(**texts)


def run_one(folder: Path, query: str, way: str, memory_mb: int) -> dict[str, Any]:
    """Ask one question in this process."""
    connection = duckdb.connect(
        config={"threads": 2, "memory_limit": f"{memory_mb}MB", "temp_directory": str(folder / "spill")}
    )
    for name in ("events", "people", "members"):
        connection.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet('{folder}/{name}.parquet')")
    started = time.process_time()
    if way == "expression":
        from patron.rules.expressions import definitions, sql_of

        for statement in definitions("duckdb"):
            connection.execute(statement)
        built = time.process_time()
        sql = sql_of(expression(query))
    else:
        connection.execute("SET TimeZone = 'UTC'")
        built = time.process_time()
        sql = by_hand(query)
    asked = time.process_time()
    rows = connection.sql(sql).fetchall()
    ended = time.process_time()
    return {
        "seconds": ended - asked,
        "building": asked - built,
        "importing": built - started,
        "rows": len(rows),
        "digest": hash_of(rows),
        "peak_mb": peak_mb(),
    }


def peak_mb() -> float:
    """Most memory that this process ever held. (`ru_maxrss` starts with that of the process that started this one.)"""
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def hash_of(rows: Sequence[Any]) -> int:
    """The same for the same rows in any order, in any process."""
    import zlib

    return sum(zlib.crc32(repr(tuple(map(str, row))).encode()) for row in rows)


def measure(folder: Path, query: str, way: str, memory_mb: int) -> dict[str, Any]:
    """Ask one question in a process of its own."""
    command = [
        sys.executable,
        "-m",
        "patron.cli.bench.analytics",
        "--one",
        query,
        way,
        "--folder",
        str(folder),
        "--memory",
        str(memory_mb),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not lines:
        raise RuntimeError(f"{query} as {way} failed:\n{done.stderr[-2000:]}")
    return dict(json.loads(lines[-1]))


def main(arguments: Sequence[str] | None = None) -> int:
    """Generate, ask, compare, print. 1 when rows differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=500_000)
    parser.add_argument("--people", type=int, default=0, help="default: 239 for each 5,000 events")
    parser.add_argument("--folder", type=Path, help="keep the lake here, and use it when it is there")
    parser.add_argument("--memory", type=int, default=1024, help="DuckDB's memory limit, MB")
    parser.add_argument("--only", nargs="*", default=QUERIES)
    parser.add_argument("--one", nargs=2, metavar=("QUERY", "WAY"))
    options = parser.parse_args(arguments)
    if options.one:
        print(json.dumps(run_one(options.folder, options.one[0], options.one[1], options.memory)), flush=True)
        return 0
    with tempfile.TemporaryDirectory(prefix="patron-analytics-") as scratch:
        folder = options.folder or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "members.parquet").exists():
            generate(folder, options.events, options.people or options.events * 239 // 5000)
        return report(folder, options.only, options.memory)


def report(folder: Path, queries: Sequence[str], memory_mb: int) -> int:
    """The table: CPU seconds of the expression and of the SQL, ratio, peak memory. 1 when rows differ."""
    differ = 0
    print(
        f"{'query':10}{'expression':>12}{'by hand':>10}{'ratio':>8}{'building':>10}{'peak MB':>9}{'rows':>8}  same rows"
    )
    for query in queries:
        ours, theirs = (measure(folder, query, way, memory_mb) for way in ("expression", "hand"))
        same = (ours["rows"], ours["digest"]) == (theirs["rows"], theirs["digest"])
        differ += not same
        print(
            f"{query:10}{ours['seconds']:12.2f}{theirs['seconds']:10.2f}{ours['seconds'] / theirs['seconds']:8.2f}"
            f"{ours['building']:10.2f}{ours['peak_mb']:9.0f}{ours['rows']:8d}  {'yes' if same else 'NO'}"
        )
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
