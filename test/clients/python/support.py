# SPDX-License-Identifier: PostgreSQL
"""What the Python programs share: the rows, the exact distances, and the checks that they print as TAP.

The rows come from a formula that the programs of every language share, so each computes by itself what the server has to
answer. All values are multiples of 1/8 below 8, exact as float, half and decimal text alike.
"""
import math
import os
import struct
import sys
import traceback

ROWS = 300
DIMS = 8
SPARSE_DIMS = 64
BITS = 64
QUERY = 1000    # the row, not stored, that is asked for
NEAREST = 10

# column, metric, operator: what can be asked of each type.
DISTANCES = [
    (column, metric, operator)
    for column in ("v", "h", "s")
    for metric, operator in (("l2", "<->"), ("ip", "<#>"), ("cosine", "<=>"), ("l1", "<+>"))
] + [("b", "hamming", "<~>"), ("b", "jaccard", "<%>")]

TYPE_OF = {"v": "vector", "h": "halfvec", "s": "sparsevec", "b": "bit"}
OPERATOR = {metric: operator for _, metric, operator in DISTANCES}

# access method, column, metric: every operator class that pgvector has.
INDEXES = [("hnsw", column, metric) for column, metric, _ in DISTANCES] + [
    ("ivfflat", column, metric) for column in ("v", "h") for metric in ("l2", "ip", "cosine")
] + [("ivfflat", "b", "hamming")]


def opclass(column, metric):
    return f"{TYPE_OF[column]}_{metric}_ops"


def options(method):
    return "lists = 8" if method == "ivfflat" else "m = 16, ef_construction = 64"


# With these both methods look at every row, so their answers are exact.
SETTINGS = ["SET enable_seqscan = off", "SET hnsw.ef_search = 400", "SET ivfflat.probes = 100"]

TABLE = f"id int PRIMARY KEY, v vector({DIMS}), h halfvec({DIMS}), s sparsevec({SPARSE_DIMS}), b bit({BITS})"


def scatter(row, column):
    x = (row * 40503 + column * 10007 + 17) % 65521
    x = (x * x + 12345) % 65521
    return (x * x + column) % 65521


def element(row, column):
    return (scatter(row, column) % 127 - 63) / 8


def dense(row):
    return [element(row, column) for column in range(DIMS)]


def sparse(row):
    """{index from 0: value}"""
    return {(row * 7 + k * 11) % SPARSE_DIMS: element(row, k) or 1.0 for k in range(5)}


def bits(row):
    return "".join(str(scatter(row, column) >> 3 & 1) for column in range(BITS))


def value(column, row):
    return {"v": dense, "h": dense, "s": sparse, "b": bits}[column](row)


def text(column, x):
    """What the server reads and prints."""
    if column == "b":
        return x
    if column == "s":
        return "{" + ",".join(f"{i + 1}:{x[i]:g}" for i in sorted(x)) + "}/" + str(SPARSE_DIMS)
    return "[" + ",".join(f"{e:g}" for e in x) + "]"


def distance(metric, a, b):
    if isinstance(a, dict):
        a, b = ([x.get(i, 0.0) for i in range(SPARSE_DIMS)] for x in (a, b))
    if metric == "l2":
        return math.sqrt(sum((x - y) ** 2 for x, y in zip(a, b)))
    if metric == "l1":
        return sum(abs(x - y) for x, y in zip(a, b))
    if metric == "hamming":
        return sum(x != y for x, y in zip(a, b))
    if metric == "jaccard":
        both = sum(x == y == "1" for x, y in zip(a, b))
        return 1 - both / sum("1" in (x, y) for x, y in zip(a, b)) if both else 1
    product = sum(x * y for x, y in zip(a, b))
    if metric == "ip":
        return -product
    return 1 - product / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))


def exact(column, metric, rows=range(ROWS), query=QUERY):
    """[(distance, id)], nearest first"""
    asked = value(column, query)
    return sorted((distance(metric, value(column, row), asked), row) for row in rows)


def close(a, b):
    return abs(a - b) <= 1e-5 * max(1.0, abs(b))


# --- the wire form of the types -----------------------------------------------------------------------------------


def pack(column, x):
    if column == "b":
        return struct.pack(">i", len(x)) + int(x, 2).to_bytes(len(x) // 8, "big")
    if column == "s":
        indices = sorted(x)
        return struct.pack(f">iii{len(x)}i{len(x)}f", SPARSE_DIMS, len(x), 0, *indices, *(x[i] for i in indices))
    return struct.pack(f">hh{len(x)}{'f' if column == 'v' else 'e'}", len(x), 0, *x)


def unpack(column, data):
    data = bytes(data)
    if column == "b":
        length, = struct.unpack_from(">i", data)
        return f"{int.from_bytes(data[4:], 'big'):0{length}b}"
    if column == "s":
        _, count, unused = struct.unpack_from(">iii", data)
        assert unused == 0
        indices = struct.unpack_from(f">{count}i", data, 12)
        return dict(zip(indices, struct.unpack_from(f">{count}f", data, 12 + 4 * count)))
    dims, unused = struct.unpack_from(">hh", data)
    assert unused == 0
    return list(struct.unpack_from(f">{dims}{'f' if column == 'v' else 'e'}", data, 4))


def parse(column, text_):
    if column == "b":
        return text_
    if column == "s":
        entries, dims = text_.strip("{").split("}/")
        assert int(dims) == SPARSE_DIMS
        pairs = (entry.split(":") for entry in entries.split(","))
        return {int(i) - 1: float(x) for i, x in pairs}
    return [float(x) for x in text_.strip("[]").split(",")]


# --- checks -------------------------------------------------------------------------------------------------------

_count = 0
_failed = 0


def check(passed, what, detail=""):
    global _count, _failed
    _count += 1
    if passed:
        print(f"ok {_count} - {what}", flush=True)
    else:
        _failed += 1
        print(f"not ok {_count} - {what}" + (f": {detail}" if detail != "" else ""), flush=True)


def same(got, expected, what):
    check(got == expected, what, f"got {got!r}, expected {expected!r}")


def near(got, expected, what):
    check(close(float(got), expected), what, f"got {got}, expected {expected}")


def nearest(got, column, metric, what, limit=NEAREST, rows=range(ROWS), query=QUERY):
    """Whether got, [(id, distance)], are the nearest rows in their order. Rows of equal distance may stand in any order."""
    expected = exact(column, metric, rows, query)
    by_id = {row: d for d, row in expected}
    wrong = ""
    got = [(int(i), float(d)) for i, d in got]
    if len(got) != min(limit, len(expected)) or len({i for i, _ in got}) != len(got):
        wrong = f"{len(got)} rows"
    for (i, d), (best, _) in zip(got, expected):
        if i not in by_id or not close(d, by_id[i]):
            wrong = wrong or f"row {i} has distance {by_id.get(i)}, not {d}"
        elif not close(d, best):
            wrong = wrong or f"row {i} at {d} where one at {best} is nearer"
    check(not wrong, what, wrong)


def uses_index(plan, name, what):
    """plan: the lines of EXPLAIN."""
    plan = "\n".join(plan)
    check(f"Index Scan using {name} " in plan, what, plan)


def run(test):
    """Calls test() and ends the program: the last line tells the runner that it got to the end."""
    try:
        test()
    except BaseException:
        traceback.print_exc()
        print("Bail out!", flush=True)
        os._exit(2)
    print(f"1..{_count}", flush=True)
    sys.exit(1 if _failed or not _count else 0)
