# SPDX-License-Identifier: PostgreSQL
"""What only vecdb has, by psycopg 3: the type int8vec in text and binary, more distances in ivf, averages of sparse vectors."""
import struct

import psycopg

import support as s

# Type int8vec: column "q". Its rows are those of the others times 8.
s.TYPE_OF["q"] = "int8vec"


def value(column, row):
    return [int(8 * x) for x in s.dense(row)] if column == "q" else s.value(column, row)


def wire(x):
    return struct.pack(f">hh{len(x)}b", len(x), 0, *x)


def nearest(got, column, metric, what):
    if column != "q":
        s.nearest(got, column, metric, what)
        return
    # Eight times the rows of "v", in the same order.
    scale = {"l2": 8, "l1": 8, "ip": 64, "cosine": 1}[metric]
    s.nearest([(i, d / scale) for i, d in got], "v", metric, what)


class Int8Vector:
    def __init__(self, x):
        self.x = x


def adapt(connection):
    info = psycopg.types.TypeInfo.fetch(connection, "int8vec")
    info.register(connection)

    class BinaryDumper(psycopg.adapt.Dumper):
        format = psycopg.pq.Format.BINARY
        oid = info.oid

        def dump(self, obj):
            return wire(obj.x)

    class BinaryLoader(psycopg.adapt.Loader):
        format = psycopg.pq.Format.BINARY

        def load(self, data):
            data = bytes(data)
            dims, unused = struct.unpack_from(">hh", data)
            assert unused == 0
            return list(struct.unpack_from(f">{dims}b", data, 4))

    connection.adapters.register_dumper(Int8Vector, BinaryDumper)
    connection.adapters.register_loader(info.oid, BinaryLoader)


def test():
    connection = psycopg.connect(autocommit=True)
    connection.execute("CREATE EXTENSION vecdb")
    version, = connection.execute("SELECT extversion FROM pg_extension WHERE extname = 'vecdb'").fetchone()
    print(f"# vecdb {version}")
    adapt(connection)
    connection.execute(f"CREATE TABLE items ({s.TABLE}, q int8vec({s.DIMS}))")
    half = s.ROWS // 2
    insert = "INSERT INTO items VALUES (%s, %s, %s, %s, %s, %b)"

    def texts(i):
        return [s.text(column, s.value(column, i)) for column in "vhsb"]

    connection.cursor().executemany(insert, [[i, *texts(i), Int8Vector(value("q", i))] for i in range(half)])
    with connection.cursor().copy("COPY items FROM STDIN") as copy:
        for i in range(half, s.ROWS):
            copy.write_row([i, *texts(i), s.text("q", value("q", i))])
    expected = [value("q", i) for i in range(s.ROWS)]
    got = connection.cursor(binary=True).execute("SELECT q FROM items ORDER BY id").fetchall()
    s.same([x for x, in got], expected, "int8vec read back in binary")
    got = connection.execute("SELECT q FROM items ORDER BY id").fetchall()
    s.same([s.parse("v", x) for x, in got], expected, "int8vec read back as text")
    got = connection.execute("SELECT id FROM items WHERE q = %b", [Int8Vector(value("q", 42))]).fetchall()
    s.same(got, [(42,)], "int8vec as a binary parameter")

    def ask(column, metric):
        operator = s.OPERATOR[metric]
        literal = s.text(column, value(column, s.QUERY))
        query = f"SELECT id, {column} {operator} '{literal}' FROM items ORDER BY {column} {operator} '{literal}' LIMIT 10"
        return connection.execute(query).fetchall(), [line for line, in connection.execute("EXPLAIN " + query)]

    dense = ("l2", "ip", "cosine", "l1")
    for metric in dense:
        nearest(ask("q", metric)[0], "q", metric, f"int8vec {s.OPERATOR[metric]} without an index")
    for statement in s.SETTINGS:
        connection.execute(statement)
    # Every operator class of the two methods, by the catalogue: a new one is tested, or tells that it is not.
    classes = connection.execute(
        "SELECT amname, opcname FROM pg_opclass JOIN pg_am a ON a.oid = opcmethod WHERE amname IN ('hnsw', 'ivf') ORDER BY 1, 2"
    ).fetchall()
    columns = {name: column for column, name in s.TYPE_OF.items()}
    wanted = {("hnsw", s.opclass(column, metric)) for _, column, metric in s.INDEXES}
    wanted |= {("ivf", s.opclass(column, metric)) for column in "vh" for metric in dense}
    wanted |= {(method, s.opclass("q", metric)) for method in ("hnsw", "ivf") for metric in dense}
    wanted |= {("ivf", s.opclass("s", metric)) for metric in ("l2", "ip", "cosine")}
    wanted |= {("ivf", s.opclass("b", metric)) for metric in ("hamming", "jaccard")}
    s.same(sorted(wanted - set(classes)), [], "every class is there")
    for method, name in classes:
        kind_of, metric, _ = name.split("_")
        column = columns[kind_of]
        kind = f"{method} {s.opclass(column, metric)}"
        options = "lists = 8" if method == "ivf" else s.options(method)
        connection.execute(
            f"CREATE INDEX items_index ON items USING {method} ({column} {s.opclass(column, metric)}) WITH ({options})"
        )
        got, plan = ask(column, metric)
        s.uses_index(plan, "items_index", f"{kind} is used")
        nearest(got, column, metric, f"{kind} answers")
        connection.execute("DROP INDEX items_index")

    # Sums of sparse vectors; multiples of 1/8, so they are exact.
    total = [sum(s.sparse(i).get(k, 0.0) for i in range(20)) for k in range(s.SPARSE_DIMS)]
    average, summed = connection.execute("SELECT avg(s)::vector::real[], sum(s)::vector::real[] FROM items WHERE id < 20").fetchone()
    s.same(summed, total, "sum of sparse vectors")
    s.check(all(s.close(a, t / 20) for a, t in zip(average, total)), "avg of sparse vectors", average)
    quantized, = connection.execute("SELECT vecdb.quantize_int8(v, 8)::real[] FROM items WHERE id = 7").fetchone()
    s.same(quantized, value("q", 7), "quantize_int8")
    quantized, = connection.execute("SELECT vecdb.quantize_int8('[100,-100,0.3]'::vector, 2)::real[]").fetchone()
    s.same(quantized, [127, -128, 1], "quantize_int8 cuts to the range")
    for literal, state in (("[1,300]", "22003"), ("[1,x]", "22P02")):
        try:
            connection.execute(f"SELECT '{literal}'::int8vec")
            s.check(False, f"int8vec {literal} is refused")
        except psycopg.DataError as error:
            s.same(error.sqlstate, state, f"int8vec {literal} is refused")
    connection.close()


s.run(test)
