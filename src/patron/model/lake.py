"""The tables of the event lake as analysts and every query see them: names and types, one place for all.

Types are written as Ibis writes them. Times are UTC. `node` is the keyed hash of a node's key (signed), the same hash that the
log's index uses; personal columns carry no statistics in any file.
"""

BUCKETS = 1024
"""`bucket` is `node & (BUCKETS - 1)`: whoever looks for one node reads the files and row groups of its bucket."""

EVENTS: dict[str, str] = {
    "position": "int64",  # of the message in the log: the row's id, once in the table
    "event_id": "int64",  # stable hash of source and message id; orders events of the same time
    "node": "int64",
    "bucket": "int32",  # of the node; one person's events lie in few files
    "day": "date",  # of `received`, UTC
    "time": "timestamp('UTC', 6)",
    "received": "timestamp('UTC', 6)",
    "type": "string",
    "name": "string",
    "channel": "string",
    "source": "string",
    "store": "string",
    "touchpoint": "string",
    "message_id": "string",
    "user_id": "string",
    "anonymous_id": "string",
    "group_id": "string",
    "product_id": "string",
    "category": "string",
    "order_id": "string",
    "coupon": "string",
    "currency": "string",
    "revenue": "decimal(18, 6)",  # numbers as `rules.values.number_of` reads them
    "total": "decimal(18, 6)",
    "value": "decimal(18, 6)",
    "price": "decimal(18, 6)",
    "quantity": "decimal(18, 6)",
    "discount": "decimal(18, 6)",
    "latitude": "float64",
    "longitude": "float64",
    "products": "array<struct<product_id: string, category: string, price: decimal(18, 6), quantity: decimal(18, 6)>>",
    "properties": "string",  # JSON, whole
    "traits": "string",  # JSON: what the profile takes of this event
    "consents": "string",  # JSON: [[purpose, channel, granted], ...]
    "home": "string",  # id of the household whose home it tells
    "envelope": "string",  # JSON: what replay needs beside the other columns (docs/decisions/0011)
}
"""Accepted events, each once. Texts stand in their typed column when they are texts, else only in `properties`."""

PEOPLE: dict[str, str] = {
    "node": "int64",
    "since": "timestamp('UTC', 6)",  # the node's events from this time (a device cut at a time), else the beginning
    "until": "timestamp('UTC', 6)",  # to before this time, else null
    "person": "string",
    "position": "int64",  # log position at which this became true
    "known": "timestamp('UTC', 6)",  # and its time
}
"""Whose a node is. The row with the greatest position stands; earlier ones say who it was believed to be."""

MEMBERS: dict[str, str] = {
    "account": "string",
    "person_node": "int64",
    "position": "int64",
    "known": "timestamp('UTC', 6)",
}
"""Nodes of the people of an account (group calls)."""

DECISIONS: dict[str, str] = {
    "position": "int64",
    "time": "timestamp('UTC', 6)",
    "day": "date",
    "id": "string",
    "node": "int64",
    "channel": "string",
    "placement": "string",
    "action": "string",
    "would": "string",
    "propensity": "float64",
    "treated": "boolean",
    "holdout": "float64",
    "catalogue": "string",
}
"""Decisions made, one a row."""

PROFILES: dict[str, str] = {
    "person": "string",  # as they were called then: who has their nodes today stands in `people`
    "taken": "timestamp('UTC', 6)",  # when the round began: once in an interval for whoever changed since the last
    "day": "date",  # of `taken`, UTC
    "position": "int64",  # log position up to which everything is in it
    "nodes": "array<int64>",  # of all identifiers
    "first_seen": "timestamp('UTC', 6)",
    "last_seen": "timestamp('UTC', 6)",
    "events": "int64",
    "orders": "int64",
    "segments": "array<string>",  # ids of the segments they were in, sorted
    "profile": "string",  # JSON, as the profile API gives it: identifiers, traits, computed, consents, totals, channels
}
"""Snapshots of profiles: a row for each person who changed, once in an interval."""

PERSONAL = frozenset(
    {
        "node",
        "person_node",
        "person",
        "nodes",
        "profile",
        "message_id",
        "user_id",
        "anonymous_id",
        "group_id",
        "account",
    }
    | {
        "first_seen",
        "last_seen",
        "events",
        "orders",
        "segments",
        "order_id",
        "latitude",
        "longitude",
        "products",
        "properties",
        "traits",
        "consents",
        "home",
        "envelope",
        "event_id",
    }
)
"""Columns that tell of a person: never in statistics of files or in the table's log."""

TABLES: dict[str, dict[str, str]] = {
    "events": EVENTS,
    "people": PEOPLE,
    "members": MEMBERS,
    "decisions": DECISIONS,
    "profiles": PROFILES,
}
