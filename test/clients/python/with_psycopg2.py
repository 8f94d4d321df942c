# SPDX-License-Identifier: PostgreSQL
"""psycopg2: literals composed by the client, casters for results, execute_values, COPY as text, named cursors."""
import io

import psycopg2
import psycopg2.extensions
import psycopg2.extras

import support as s


class Value:
    def __init__(self, column, x):
        self.column, self.x = column, x

    def __conform__(self, protocol):
        return psycopg2.extensions.QuotedString(s.text(self.column, self.x))


def register(cursor):
    cursor.execute("SELECT typname, oid, typarray FROM pg_type WHERE typname IN ('vector', 'halfvec', 'sparsevec')")
    column_of = {name: column for column, name in s.TYPE_OF.items()}
    for name, oid, array in cursor.fetchall():
        column = column_of[name]
        caster = psycopg2.extensions.new_type(
            (oid,), name, lambda text, cur, column=column: None if text is None else s.parse(column, text)
        )
        psycopg2.extensions.register_type(caster)
        psycopg2.extensions.register_type(psycopg2.extensions.new_array_type((array,), name + "[]", caster))


def test():
    connection = psycopg2.connect("")
    print(f"# psycopg2 {psycopg2.__version__}")
    cursor = connection.cursor()
    cursor.execute("CREATE EXTENSION IF NOT EXISTS vector")
    register(cursor)
    cursor.execute(f"CREATE TABLE items ({s.TABLE})")

    def row(i):
        return (i, *(Value(column, s.value(column, i)) for column in "vhsb"))

    half = s.ROWS // 2
    psycopg2.extras.execute_values(cursor, "INSERT INTO items VALUES %s", [row(i) for i in range(half)])
    lines = "".join(
        "\t".join([str(i)] + [s.text(column, s.value(column, i)) for column in "vhsb"]) + "\n"
        for i in range(half, s.ROWS)
    )
    cursor.copy_expert("COPY items FROM STDIN", io.StringIO(lines))
    connection.commit()

    expected = [(i, *(s.value(column, i) for column in "vhsb")) for i in range(s.ROWS)]
    cursor.execute("SELECT * FROM items ORDER BY id")
    s.same(cursor.fetchall(), expected, "rows read back")
    with connection.cursor("some_items") as named:
        named.itersize = 64
        named.execute("SELECT * FROM items ORDER BY id")
        s.same(list(named), expected, "rows read back by a named cursor")
    copied = io.StringIO()
    cursor.copy_expert("COPY (SELECT * FROM items ORDER BY id) TO STDOUT", copied)
    s.same("".join(copied.getvalue().splitlines(True)[half:]), lines, "rows read back by COPY")
    cursor.execute("SELECT array_agg(v ORDER BY id) FROM items WHERE id < 3")
    s.same(cursor.fetchone()[0], [s.dense(i) for i in range(3)], "an array of vectors")
    cursor.execute("SELECT attnum, atttypmod, format_type(atttypid, atttypmod) FROM pg_attribute"
                   " WHERE attrelid = 'items'::regclass AND attname IN ('v', 'h', 's') ORDER BY 1")
    s.same(
        [row[1:] for row in cursor.fetchall()],
        [(8, "vector(8)"), (8, "halfvec(8)"), (64, "sparsevec(64)")],
        "dimensions stand in the type modifier",
    )

    def ask(column, operator):
        asked = Value(column, s.value(column, s.QUERY))
        operator = operator.replace("%", "%%")
        cursor.execute(
            f"SELECT id, {column} {operator} %(asked)s AS distance FROM items ORDER BY distance LIMIT {s.NEAREST}",
            {"asked": asked},
        )
        return cursor.fetchall()

    for column, metric, operator in s.DISTANCES:
        s.nearest(ask(column, operator), column, metric, f"{s.TYPE_OF[column]} {operator} without an index")
    for statement in s.SETTINGS:
        cursor.execute(statement)
    connection.commit()
    for method, column, metric in s.INDEXES:
        kind = f"{method} {s.opclass(column, metric)}"
        cursor.execute(
            f"CREATE INDEX items_index ON items USING {method} ({column} {s.opclass(column, metric)})"
            f" WITH ({s.options(method)})"
        )
        literal = s.text(column, s.value(column, s.QUERY))
        cursor.execute(f"EXPLAIN SELECT id FROM items ORDER BY {column} {s.OPERATOR[metric]} '{literal}' LIMIT 10")
        s.uses_index([line for line, in cursor.fetchall()], "items_index", f"{kind} is used")
        s.nearest(ask(column, s.OPERATOR[metric]), column, metric, f"{kind} answers")
        # The index goes with its transaction.
        connection.rollback()

    # Expression indexes of pgvector's manual, asked as it says: by the index, then in exact order.
    asked = Value("v", s.dense(s.QUERY))
    cursor.execute("CREATE INDEX items_index ON items USING hnsw ((v::halfvec(8)) halfvec_l2_ops)")
    cursor.execute("SELECT id, v::halfvec(8) <-> %s AS distance FROM items ORDER BY 2 LIMIT 10", [asked])
    s.nearest(cursor.fetchall(), "v", "l2", "an index on a cast to halfvec")
    cursor.execute("EXPLAIN SELECT id FROM items ORDER BY v::halfvec(8) <-> %s LIMIT 10", [asked])
    s.uses_index([line for line, in cursor.fetchall()], "items_index", "the index on a cast is used")
    connection.rollback()
    cursor.execute("CREATE INDEX items_index ON items USING hnsw ((binary_quantize(v)::bit(8)) bit_hamming_ops)")
    inner = "SELECT id, v FROM items ORDER BY binary_quantize(v)::bit(8) <~> binary_quantize(%(v)s::vector) LIMIT 300"
    cursor.execute(f"SELECT id, v <=> %(v)s AS distance FROM ({inner}) i ORDER BY 2 LIMIT 10", {"v": asked})
    s.nearest(cursor.fetchall(), "v", "cosine", "an index on binary_quantize, ordered again outside")
    cursor.execute(f"EXPLAIN {inner}", {"v": asked})
    s.uses_index([line for line, in cursor.fetchall()], "items_index", "the index on binary_quantize is used")
    connection.rollback()

    for statement, code, message in (
        ("SELECT '[1,2'::vector", "22P02", 'invalid input syntax for type vector: "[1,2"'),
        ("SELECT '[1,2]'::vector <-> '[1,2,3]'", "22000", "different vector dimensions 2 and 3"),
        ("INSERT INTO items (id, h) VALUES (-1, '[1]')", "22000", "expected 8 dimensions, not 1"),
        ("CREATE TABLE bad (v vector(0))", "22023", "dimensions for type vector must be at least 1"),
    ):
        try:
            cursor.execute(statement)
            s.check(False, f"{code} from {statement}")
        except psycopg2.Error as error:
            s.same((error.pgcode, error.diag.message_primary), (code, message), f"{code} from {statement}")
        connection.rollback()
    connection.close()


s.run(test)
