"""Changes to a table of PostgreSQL: one transaction a batch, upserts by person, deletes for those who left.

The table is made when it is not there: `patron_id text primary key`, a `jsonb` column for each field, `changed_at`. A batch
says the same whenever it comes again, so a repeated one changes nothing. psycopg 3 (https://www.psycopg.org/psycopg3/docs/).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from patron.exports.delivery import Undelivered
from patron.model.exports import Difference, PostgresTarget

if TYPE_CHECKING:
    import psycopg

_SECONDS = 15
_CONNECTION_CLASSES = ("08", "53", "57", "40")
"""SQLSTATE classes after which the same batch may go well: connection, resources, operator, rollback."""


class PostgresSender:
    """Writes to one table over one connection."""

    def __init__(self, target: PostgresTarget, fields: Sequence[str], dsn: str) -> None:
        self.batch = target.batch
        self._target = target
        self._columns = columns_of(fields)
        self._dsn = dsn
        self._connection: psycopg.AsyncConnection[Any] | None = None

    async def send(self, batch_id: str, changes: Sequence[Difference]) -> dict[str, str]:
        """Deliver a batch in one transaction."""
        import psycopg

        del batch_id  # upserts by key need none
        try:
            connection = await self._connected()
            async with connection.transaction():
                await self._write(connection, changes)
        except psycopg.Error as error:
            await self.close()
            state = getattr(error, "sqlstate", None) or "08000"
            raise Undelivered(
                f"PostgreSQL did not take it: {str(error).strip()[:300]}",
                again=state[:2] in _CONNECTION_CLASSES,
            ) from error
        return {}

    async def finish(self) -> None:
        """Every batch was committed by itself."""

    async def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    async def _connected(self) -> "psycopg.AsyncConnection[Any]":
        import psycopg
        from psycopg import sql

        if self._connection is None:
            self._connection = await psycopg.AsyncConnection.connect(
                self._dsn, connect_timeout=_SECONDS, autocommit=True
            )
            table = sql.Identifier(*self._target.table.split("."))
            facts = sql.SQL("").join(sql.SQL(", {} jsonb").format(sql.Identifier(c)) for c in self._columns)
            await self._connection.execute(
                sql.SQL(
                    "create table if not exists {} (patron_id text primary key{}, "
                    "changed_at timestamptz not null default now())"
                ).format(table, facts)
            )
            for column in self._columns:
                await self._connection.execute(
                    sql.SQL("alter table {} add column if not exists {} jsonb").format(
                        table, sql.Identifier(column)
                    )
                )
        return self._connection

    async def _write(self, connection: "psycopg.AsyncConnection[Any]", changes: Sequence[Difference]) -> None:
        from psycopg import sql
        from psycopg.types.json import Jsonb

        table = sql.Identifier(*self._target.table.split("."))
        gone = [c.key for c in changes if c.op == "removed"]
        rows = [
            (c.key, *(None if v is None else Jsonb(v) for v in c.values))
            for c in changes
            if c.op != "removed"
        ]
        if gone:
            await connection.execute(
                sql.SQL("delete from {} where patron_id = any(%s)").format(table), (gone,)
            )
        if rows:
            names = [sql.Identifier(c) for c in ("patron_id", *self._columns)]
            updates = [
                *(sql.SQL("{0} = excluded.{0}").format(name) for name in names[1:]),
                sql.SQL("changed_at = now()"),
            ]
            statement = sql.SQL(
                "insert into {} ({}) values ({}) on conflict (patron_id) do update set {}"
            ).format(
                table,
                sql.SQL(", ").join(names),
                sql.SQL(", ").join(sql.Placeholder() for _ in names),
                sql.SQL(", ").join(updates),
            )
            async with connection.cursor() as cursor:
                await cursor.executemany(statement, rows)


def columns_of(fields: Sequence[str]) -> list[str]:
    """Column names of fields: dots become underscores, at most 63 bytes, a number behind those that would be equal.

    >>> columns_of(["traits.city", "traits.a.b", "traits.a_b", "segments"])
    ['traits_city', 'traits_a_b', 'traits_a_b_2', 'segments']
    """
    names: list[str] = []
    for field in fields:
        base = field.replace(".", "_").encode()[:59].decode("utf-8", "ignore")
        name, number = base, 1
        while name in names or name in ("patron_id", "changed_at"):
            number += 1
            name = f"{base}_{number}"
        names.append(name)
    return names
