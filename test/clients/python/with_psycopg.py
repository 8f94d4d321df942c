# SPDX-License-Identifier: PostgreSQL
"""psycopg 3: adapters of its own for each type in text and binary, COPY in binary, prepared statements, server-side
cursors, pipeline, transactions, errors."""
import psycopg
from psycopg.adapt import Dumper, Loader
from psycopg.pq import Format
from psycopg.types import TypeInfo

import support as s


class Value:
    column = None

    def __init__(self, x):
        self.x = x


def adapt(connection, column):
    """As pgvector's Python package does: the class of a type, sent and read in both formats. Returns the class."""
    info = TypeInfo.fetch(connection, s.TYPE_OF[column])
    info.register(connection)
    kind = type(info.name, (Value,), {"column": column})

    class BinaryDumper(Dumper):
        format = Format.BINARY
        oid = info.oid

        def dump(self, obj):
            return s.pack(column, obj.x)

    class TextDumper(Dumper):
        format = Format.TEXT
        oid = info.oid

        def dump(self, obj):
            return s.text(column, obj.x).encode()

    class BinaryLoader(Loader):
        format = Format.BINARY

        def load(self, data):
            return s.unpack(column, data)

    class TextLoader(Loader):
        format = Format.TEXT

        def load(self, data):
            return s.parse(column, bytes(data).decode())

    for dumper in (TextDumper, BinaryDumper):
        connection.adapters.register_dumper(kind, dumper)
    for loader in (TextLoader, BinaryLoader):
        connection.adapters.register_loader(info.oid, loader)
    return kind


def test():
    connection = psycopg.connect(autocommit=True)
    print(f"# psycopg {psycopg.__version__}")
    connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
    connection.execute(f"CREATE TABLE items ({s.TABLE})")
    kinds = {column: adapt(connection, column) for column in s.TYPE_OF}
    columns = list(kinds)

    def row(i):
        return [kinds[column](s.value(column, i)) for column in columns]

    # A third of the rows by each way in.
    third = s.ROWS // 3
    with connection.transaction():
        cursor = connection.cursor()
        cursor.executemany("INSERT INTO items VALUES (%s, %t, %t, %t, %t)", [[i] + row(i) for i in range(third)])
        s.same(cursor.rowcount, third, "rows inserted with text parameters")
    with connection.pipeline():
        for i in range(third, 2 * third):
            connection.execute("INSERT INTO items VALUES (%s, %b, %b, %b, %b)", [i] + row(i))
    with connection.cursor().copy("COPY items FROM STDIN (FORMAT BINARY)") as copy:
        copy.set_types(["int4", "vector", "halfvec", "sparsevec", "bit"])
        for i in range(2 * third, s.ROWS):
            copy.write_row([i] + row(i))
    s.same(connection.execute("SELECT count(*) FROM items").fetchone()[0], s.ROWS, "rows by the three ways in")

    expected = [(i, *(s.value(column, i) for column in columns)) for i in range(s.ROWS)]
    for binary in (False, True):
        form = "binary" if binary else "text"
        cursor = connection.cursor(binary=binary)
        s.same(cursor.execute("SELECT * FROM items ORDER BY id").fetchall(), expected, f"rows read back as {form}")
    with connection.cursor().copy("COPY (SELECT * FROM items ORDER BY id) TO STDOUT (FORMAT BINARY)") as copy:
        copy.set_types(["int4", "vector", "halfvec", "sparsevec", "bit"])
        s.same(list(copy.rows()), expected, "rows read back by COPY in binary")
    with connection.transaction(), connection.cursor(name="all_items", binary=True) as cursor:
        cursor.itersize = 50
        cursor.execute("SELECT * FROM items ORDER BY id")
        s.same(list(cursor), expected, "rows read back by a server-side cursor")

    def ask(column, operator, **how):
        operator = operator.replace("%", "%%")
        query = f"SELECT id, {column} {operator} %b FROM items ORDER BY {column} {operator} %b LIMIT {s.NEAREST}"
        asked = kinds[column](s.value(column, s.QUERY))
        return connection.execute(query, [asked, asked], **how).fetchall()

    for column, metric, operator in s.DISTANCES:
        s.nearest(ask(column, operator), column, metric, f"{s.TYPE_OF[column]} {operator} without an index")

    for statement in s.SETTINGS:
        connection.execute(statement)
    for method, column, metric in s.INDEXES:
        operator = s.OPERATOR[metric]
        kind = f"{method} {s.opclass(column, metric)}"
        connection.execute(
            f"CREATE INDEX items_index ON items USING {method} ({column} {s.opclass(column, metric)})"
            f" WITH ({s.options(method)})"
        )
        literal = s.text(column, s.value(column, s.QUERY))
        plan = connection.execute(f"EXPLAIN SELECT id FROM items ORDER BY {column} {operator} '{literal}' LIMIT 10")
        s.uses_index([line for line, in plan], "items_index", f"{kind} is used")
        s.nearest(ask(column, operator), column, metric, f"{kind} answers")
        s.nearest(ask(column, operator, prepare=True), column, metric, f"{kind} answers a prepared statement")
        connection.execute("DROP INDEX items_index")

    # Through an index that rows come to and go from.
    connection.execute("CREATE INDEX items_index ON items USING hnsw (v vector_l2_ops)")
    with connection.transaction():
        connection.execute("INSERT INTO items (id, v) VALUES (%s, %b)", [s.QUERY, kinds["v"](s.dense(s.QUERY))])
        got = ask("v", "<->")
        s.nearest(got, "v", "l2", "a row of this transaction is found", rows=[*range(s.ROWS), s.QUERY])
        try:
            with connection.transaction():
                connection.execute("INSERT INTO items (id, v) VALUES (-1, '[1,2]')")
        except psycopg.errors.DataException as error:
            s.same(
                (error.sqlstate, error.diag.message_primary),
                ("22000", f"expected {s.DIMS} dimensions, not 2"),
                "a vector too short is refused, the transaction goes on from its savepoint",
            )
        raise psycopg.Rollback()
    s.nearest(ask("v", "<->"), "v", "l2", "it is gone after ROLLBACK")
    connection.execute("DELETE FROM items WHERE id % 2 = 0")
    s.nearest(ask("v", "<->"), "v", "l2", "deleted rows are not found", rows=range(1, s.ROWS, 2))
    connection.execute("UPDATE items SET v = %b WHERE id = 1", [kinds["v"](s.dense(s.QUERY))])
    s.same([i for i, d in ask("v", "<->") if d == 0], [1], "an updated row is found by its new value")

    average = connection.execute("SELECT avg(v), sum(h) FROM items WHERE id IN (3, 5)").fetchone()
    three, five = s.dense(3), s.dense(5)
    s.same(average, ([(a + b) / 2 for a, b in zip(three, five)], [a + b for a, b in zip(three, five)]), "avg and sum")
    got = connection.execute("SELECT %b::vector::real[], '[1,2]'::vector::halfvec", [kinds["v"](three)]).fetchone()
    s.same(got, (three, [1, 2]), "casts to an array and between the types")
    connection.close()


s.run(test)
