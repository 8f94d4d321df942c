# SPDX-License-Identifier: PostgreSQL
"""asyncpg: binary codecs for every parameter and result (it has no text protocol of its own), prepared statements, binary
COPY of records, cursors, transactions."""
import asyncio

import asyncpg

import support as s


class Vector:
    """An element of an array: asyncpg takes a list for one dimension more."""

    def __init__(self, x):
        self.x = x


async def connect():
    connection = await asyncpg.connect()
    await connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
    for column in "vhs":
        await connection.set_type_codec(
            s.TYPE_OF[column],
            schema="public",
            format="binary",
            encoder=lambda x, column=column: s.pack(column, x.x if isinstance(x, Vector) else x),
            decoder=lambda data, column=column: s.unpack(column, data),
        )
    return connection


def bit(text):
    return asyncpg.BitString(text)


def stored(column, row):
    x = s.value(column, row)
    return bit(x) if column == "b" else x


async def main():
    connection = await connect()
    print(f"# asyncpg {asyncpg.__version__}")
    await connection.execute(f"CREATE TABLE items ({s.TABLE})")
    expected = [(i, *(stored(column, i) for column in "vhsb")) for i in range(s.ROWS)]
    half = s.ROWS // 2
    await connection.executemany("INSERT INTO items VALUES ($1, $2, $3, $4, $5)", expected[:half])
    s.same(await connection.copy_records_to_table("items", records=expected[half:]), f"COPY {s.ROWS - half}", "COPY")
    rows = await connection.fetch("SELECT * FROM items ORDER BY id")
    s.same([tuple(row) for row in rows], expected, "rows read back")
    async with connection.transaction():
        rows = [tuple(row) async for row in connection.cursor("SELECT * FROM items ORDER BY id", prefetch=33)]
        s.same(rows, expected, "rows read back by a cursor")
    rows = await connection.fetchval("SELECT array_agg(s ORDER BY id) FROM items WHERE id < 3")
    s.same(rows, [s.sparse(i) for i in range(3)], "an array of sparse vectors")
    rows = await connection.fetchval("SELECT $1::vector[]", [Vector(s.dense(1)), Vector(s.dense(2))])
    s.same(rows, [s.dense(1), s.dense(2)], "an array as a parameter")

    async def statement(column, operator):
        return await connection.prepare(
            f"SELECT id, {column} {operator} $1 FROM items ORDER BY {column} {operator} $1 LIMIT {s.NEAREST}"
        )

    for column, metric, operator in s.DISTANCES:
        got = await (await statement(column, operator)).fetch(stored(column, s.QUERY))
        s.nearest(got, column, metric, f"{s.TYPE_OF[column]} {operator} without an index")
    await connection.execute("; ".join(s.SETTINGS))
    for method, column, metric in s.INDEXES:
        kind = f"{method} {s.opclass(column, metric)}"
        await connection.execute(
            f"CREATE INDEX items_index ON items USING {method} ({column} {s.opclass(column, metric)})"
            f" WITH ({s.options(method)})"
        )
        prepared = await statement(column, s.OPERATOR[metric])
        plan = await connection.fetch(
            f"EXPLAIN SELECT id FROM items ORDER BY {column} {s.OPERATOR[metric]} $1 LIMIT 10",
            stored(column, s.QUERY),
        )
        s.uses_index([line for line, in plan], "items_index", f"{kind} is used")
        # From the sixth time on the server may take one plan for all values.
        for query in range(s.QUERY, s.QUERY + 8):
            got = await prepared.fetch(stored(column, query))
            s.nearest(got, column, metric, f"{kind} answers query {query - s.QUERY}", query=query)
        await connection.execute("DROP INDEX items_index")

    await connection.execute("CREATE INDEX items_index ON items USING hnsw (v vector_cosine_ops)")
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute("INSERT INTO items (id, v) VALUES ($1, $2)", s.QUERY, s.dense(s.QUERY))
    prepared = await statement("v", "<=>")
    got = await prepared.fetch(s.dense(s.QUERY))
    s.nearest(got, "v", "cosine", "a row of this transaction is found", rows=[*range(s.ROWS), s.QUERY])
    await transaction.rollback()
    s.nearest(await prepared.fetch(s.dense(s.QUERY)), "v", "cosine", "it is gone after ROLLBACK")
    others = await asyncio.gather(*(connect() for _ in range(3)))
    ask = f"SELECT id, v <=> $1 FROM items ORDER BY v <=> $1 LIMIT {s.NEAREST}"
    answers = await asyncio.gather(*(other.fetch(ask, s.dense(s.QUERY + i)) for i, other in enumerate(others)))
    for i, got in enumerate(answers):
        s.nearest(got, "v", "cosine", f"connection {i} of three at once", query=s.QUERY + i)
    try:
        await connection.execute("INSERT INTO items (id, v) VALUES (-1, $1)", [1.0, 2.0])
        s.check(False, "a vector too short is refused")
    except asyncpg.DataError as error:
        s.same((error.sqlstate, error.message), ("22000", "expected 8 dimensions, not 2"),
               "a vector too short is refused")
    try:
        # NaN can be sent in binary as it can in text.
        await connection.execute("INSERT INTO items (id, v) VALUES (-1, $1)", [float("nan")] * 8)
        s.check(False, "NaN is refused")
    except asyncpg.DataError as error:
        s.same((error.sqlstate, error.message), ("22000", "NaN not allowed in vector"), "NaN is refused")
    for other in (*others, connection):
        await other.close()


s.run(lambda: asyncio.run(main()))
