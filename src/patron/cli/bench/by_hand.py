"""The analytic queries as SQL written by hand for DuckDB: the rival of the product's expressions, with the same meaning.

Whoever finds a quicker way to write one of them should do so here: the expressions must keep up with it.
"""

from datetime import UTC, datetime

from patron.rules.calendar import Calendar
from patron.rules.tree import Window

NOW = 1_790_000_000_000
"""Asked at this moment (ms): 21 September 2026."""
_WHOSE = """
WITH whose AS (SELECT node, person, since, until FROM people QUALIFY position = max(position) OVER (PARTITION BY node)),
e AS (SELECT person, epoch_ms(time) AS ms, e.* FROM events e JOIN whose w ON e.node = w.node AND (since IS NULL OR time >= since)
    AND (until IS NULL OR time < until) WHERE time < TIMESTAMPTZ '{end}'"""
_BY_HAND = {
    "segment": _WHOSE
    + """ AND (name = 'Checkout Started' OR (name = 'Order Completed' AND time >= TIMESTAMPTZ '{d90}')
        OR (name = 'Product Viewed' AND category = 'coffee' AND time >= TIMESTAMPTZ '{d30}'))),
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
r AS MATERIALIZED (SELECT person, channel, name, ms, event_id, CASE WHEN name = 'Product Viewed' THEN ms END AS b1 FROM e),
v AS MATERIALIZED (SELECT person, channel, min(b1) AS first FROM r WHERE b1 IS NOT NULL GROUP BY person, channel),
s2 AS (SELECT person, name, ms, event_id, CASE WHEN name = 'Product Added' AND ms - max(b1) OVER w <= 604800000
    THEN max(b1) OVER w END AS b2 FROM r
    WINDOW w AS (PARTITION BY person ORDER BY ms, event_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)),
s3 AS (SELECT person, CASE WHEN name = 'Order Completed' AND ms - max(b2) OVER w <= 604800000 THEN 3
    WHEN b2 IS NOT NULL THEN 2 END AS far FROM s2 WHERE b2 IS NOT NULL OR name = 'Order Completed'
    WINDOW w AS (PARTITION BY person ORDER BY ms, event_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)),
p AS (SELECT channel, coalesce(far, 1) AS far FROM (SELECT person, arg_min(channel, (first, channel)) AS channel FROM v
    GROUP BY person) LEFT JOIN (SELECT person, max(far) AS far FROM s3 GROUP BY person) USING (person)),
t2 AS (SELECT person, channel, name, ms, event_id, CASE WHEN name = 'Product Added' AND ms - max(b1) OVER w <= 604800000
    THEN max(b1) OVER w END AS b2 FROM r
    WINDOW w AS (PARTITION BY person, channel ORDER BY ms, event_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)),
t3 AS (SELECT person, channel, CASE WHEN name = 'Order Completed' AND ms - max(b2) OVER w <= 604800000 THEN 3
    WHEN b2 IS NOT NULL THEN 2 END AS far FROM t2 WHERE b2 IS NOT NULL OR name = 'Order Completed'
    WINDOW w AS (PARTITION BY person, channel ORDER BY ms, event_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)),
q AS (SELECT channel, coalesce(far, 1) AS far FROM v LEFT JOIN (SELECT person, channel, max(far) AS far FROM t3
    GROUP BY person, channel) USING (person, channel)),
c AS (SELECT 'entered' AS scope, channel, step, count(*) AS people FROM p, range(1, 4) n(step) WHERE far >= step GROUP BY ALL
    UNION ALL SELECT 'within', channel, step, count(*) FROM q, range(1, 4) n(step) WHERE far >= step GROUP BY ALL)
SELECT * FROM c UNION ALL SELECT 'across', '*', step, CAST(sum(people) AS BIGINT) FROM c WHERE scope = 'entered' GROUP BY step""",
    "sessions": _WHOSE
    + """ AND time >= TIMESTAMPTZ '{d30}'),
l AS (SELECT person, ms, row_number() OVER w AS place, coalesce(ms - lag(ms) OVER w > 1800000, true) AS begins,
    coalesce(lead(ms) OVER w - ms > 1800000, true) AS ends FROM e WINDOW w AS (PARTITION BY person ORDER BY ms, event_id)),
s AS (SELECT person, ms, place, begins, CASE WHEN ends THEN ms ELSE lead(ms) OVER w END AS ended,
    CASE WHEN ends THEN place ELSE lead(place) OVER w END AS last FROM l WHERE begins OR ends
    WINDOW w AS (PARTITION BY person ORDER BY place))
SELECT CAST(CAST(make_timestamptz(ms // 3600000 * 3600000000) AT TIME ZONE 'Europe/Rome' AS DATE) - DATE '1970-01-01' AS BIGINT) AS day,
    count(*) AS sessions, count(DISTINCT person) AS people, CAST(sum(last - place + 1) AS BIGINT) AS events,
    CAST(sum(ended - ms) AS BIGINT) AS milliseconds FROM s WHERE begins GROUP BY 1""",
    "paths": _WHOSE
    + """ AND time >= TIMESTAMPTZ '{d30}'),
l AS (SELECT person, ms, event_id, name, lag(name) OVER w AS was, coalesce(ms - lag(ms) OVER w > 1800000, true) AS begins
    FROM e WINDOW w AS (PARTITION BY person ORDER BY ms, event_id)),
k AS (SELECT person, ms, event_id, name, begins, CASE WHEN NOT begins THEN name END AS going FROM l WHERE begins OR was <> name),
n AS (SELECT person, name, begins, lead(going, 1) OVER w AS n1, lead(going, 2) OVER w AS n2, lead(going, 3) OVER w AS n3
    FROM k WINDOW w AS (PARTITION BY person ORDER BY ms, event_id)),
p AS (SELECT person, name || coalesce(' > ' || n1 || coalesce(' > ' || n2 || coalesce(' > ' || n3, ''), ''), '') AS path FROM n WHERE begins)
SELECT path, count(*) AS sessions, count(DISTINCT person) AS people FROM p GROUP BY path ORDER BY 2 DESC, 1 LIMIT 50""",
    "pairs": _WHOSE
    + """ AND time >= TIMESTAMPTZ '{d90}' AND name = 'Order Completed'),
l AS (SELECT DISTINCT position, product FROM (SELECT position, unnest(products).product_id AS product FROM e
    WHERE len(products) <= 100) WHERE product IS NOT NULL),
o AS (SELECT product, count(*) AS times FROM l GROUP BY product),
p AS (SELECT x.product AS a, y.product AS b, count(*) AS orders FROM l x JOIN l y ON x.position = y.position AND x.product < y.product
    GROUP BY ALL ORDER BY orders DESC, a, b LIMIT 100)
SELECT a, b, orders, x.times AS a_orders, y.times AS b_orders FROM p JOIN o x ON a = x.product JOIN o y ON b = y.product""",
}
QUERIES = tuple(_BY_HAND)


def by_hand(query: str) -> str:
    """The SQL of an analyst who knows DuckDB, with the same meaning."""
    calendar = Calendar("Europe/Rome")
    ends = {f"d{n}": calendar.since(Window(days=n), NOW) for n in (7, 30, 90)} | {
        "end": (NOW // 3_600_000 + 1) * 3_600_000
    }
    texts = {key: datetime.fromtimestamp((ms or 0) / 1000, UTC).isoformat() for key, ms in ends.items()}
    return _BY_HAND[query].format(**texts)
