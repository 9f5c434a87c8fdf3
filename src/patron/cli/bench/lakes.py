"""A seeded lake of any size for the analytic queries: Delta tables as Patron keeps them, people with two devices each."""

from pathlib import Path

import duckdb
from deltalake import convert_to_deltalake

from patron.cli.bench.by_hand import NOW

DAYS = 120
PRODUCTS = 3_000
TABLES = ("events", "people", "members")
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
    NULL::VARCHAR AS traits, NULL::VARCHAR AS consents, NULL::VARCHAR AS home
FROM raw ORDER BY position) TO '{folder}/events/rows.parquet' (FORMAT parquet, COMPRESSION zstd);
COPY (
SELECT CAST(hash(p, 8) >> 1 AS BIGINT) + k AS node, NULL::TIMESTAMPTZ AS since, NULL::TIMESTAMPTZ AS until, 'p_' || substr(md5('p' || p), 1, 16) AS person,
    1 AS position, make_timestamptz(1) AS known
FROM range({nodes}) r(p), range(2) n(k)) TO '{folder}/people/rows.parquet' (FORMAT parquet, COMPRESSION zstd);
COPY (SELECT 'x' AS account, 1::BIGINT AS person_node, 1::BIGINT AS position, make_timestamptz(1) AS known WHERE false)
TO '{folder}/members/rows.parquet' (FORMAT parquet);
"""


def generate(folder: Path, events: int, people: int) -> None:
    """A lake of that size: the same for the same sizes."""
    for name in TABLES:
        (folder / name).mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect(config={"temp_directory": str(folder / "spill")})
    connection.execute("SET TimeZone = 'UTC'; SET preserve_insertion_order = false; SET memory_limit = '2GB'")
    sizes = {"nodes": people, "sessions": events // 7, "events": events, "products": PRODUCTS}
    connection.execute(_GENERATE.format(now=NOW, span=DAYS * 86_400_000, folder=folder, **sizes))
    connection.close()
    for name in TABLES:
        convert_to_deltalake(str(folder / name))
