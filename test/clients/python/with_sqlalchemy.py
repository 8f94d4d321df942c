# SPDX-License-Identifier: PostgreSQL
"""SQLAlchemy: types of its own with the distance operators as comparators, declarative models, indexes from metadata, the ORM
and the core, reflection."""
import warnings

import sqlalchemy
from sqlalchemy import Column, Float, Index, Integer, create_engine, func, inspect, select, text
from sqlalchemy.dialects.postgresql import BIT
from sqlalchemy.orm import Session, declarative_base
from sqlalchemy.types import UserDefinedType

import support as s


class VectorType(UserDefinedType):
    """As pgvector's Python package does."""

    column = None

    def __init__(self, dims=None):
        super().__init__()
        self.dims = dims

    def get_col_spec(self, **_):
        name = s.TYPE_OF[self.column]
        return name if self.dims is None else f"{name}({self.dims})"

    def bind_processor(self, dialect):
        return lambda x: None if x is None else s.text(self.column, x)

    def result_processor(self, dialect, coltype):
        return lambda x: None if x is None else s.parse(self.column, x)

    class comparator_factory(UserDefinedType.Comparator):
        def distance(self, metric, other):
            return self.op(s.OPERATOR[metric], return_type=Float)(other)


class Vector(VectorType):
    cache_ok = True
    column = "v"


class HalfVector(VectorType):
    cache_ok = True
    column = "h"


class SparseVector(VectorType):
    cache_ok = True
    column = "s"


class Bits(BIT):
    class comparator_factory(BIT.Comparator):
        def distance(self, metric, other):
            return self.op(s.OPERATOR[metric], return_type=Float)(other)


Base = declarative_base()


class Item(Base):
    # The type of each column is spelled before "s" names a column.
    _types = Vector(s.DIMS), HalfVector(s.DIMS), SparseVector(s.SPARSE_DIMS), Bits(s.BITS)
    __tablename__ = "items"
    id = Column(Integer, primary_key=True, autoincrement=False)
    v, h, s, b = map(Column, _types)


def test():
    print(f"# SQLAlchemy {sqlalchemy.__version__}")
    engine = create_engine("postgresql+psycopg2://", future=True)
    with engine.begin() as connection:
        connection.execute(text("CREATE EXTENSION IF NOT EXISTS vector"))
    Base.metadata.create_all(engine)

    def values(i):
        return {"id": i, **{column: s.value(column, i) for column in "vhsb"}}

    half = s.ROWS // 2
    with Session(engine) as session:
        session.add_all([Item(**values(i)) for i in range(half)])
        session.commit()
        session.execute(Item.__table__.insert(), [values(i) for i in range(half, s.ROWS)])
        session.commit()
    with Session(engine) as session:
        items = session.scalars(select(Item).order_by(Item.id)).all()
        s.same(
            [{name: getattr(item, name) for name in ("id", *"vhsb")} for item in items],
            [values(i) for i in range(s.ROWS)],
            "rows read back",
        )

    def ask(session, column, metric):
        attribute = getattr(Item, column)
        distance = attribute.distance(metric, s.value(column, s.QUERY))
        return session.execute(select(Item.id, distance.label("distance")).order_by(distance).limit(s.NEAREST)).all()

    with Session(engine) as session:
        for column, metric, operator in s.DISTANCES:
            s.nearest(ask(session, column, metric), column, metric, f"{s.TYPE_OF[column]} {operator} without an index")
        near = Item.v.distance("l2", s.dense(s.QUERY)) < 12
        s.same(
            sorted(session.scalars(select(Item.id).where(near))),
            sorted(row for d, row in s.exact("v", "l2") if d < 12),
            "rows within a distance",
        )
        average = session.scalar(select(func.avg(Item.v, type_=Vector())).where(Item.id.in_([3, 5])))
        s.same(average, [(a + b) / 2 for a, b in zip(s.dense(3), s.dense(5))], "avg")

    for method, column, metric in s.INDEXES:
        kind = f"{method} {s.opclass(column, metric)}"
        index = Index(
            "items_index",
            getattr(Item, column),
            postgresql_using=method,
            postgresql_with={"lists": 8} if method == "ivfflat" else {"m": 16, "ef_construction": 64},
            postgresql_ops={column: s.opclass(column, metric)},
        )
        index.create(engine)
        with Session(engine) as session:
            for statement in s.SETTINGS:
                session.execute(text(statement))
            literal = s.text(column, s.value(column, s.QUERY))
            ordered = f"SELECT id FROM items ORDER BY {column} {s.OPERATOR[metric]} '{literal}' LIMIT 10"
            explained = session.connection().exec_driver_sql("EXPLAIN " + ordered.replace("%", "%%"))
            s.uses_index([line for line, in explained], "items_index", f"{kind} is used")
            s.nearest(ask(session, column, metric), column, metric, f"{kind} answers")
            session.rollback()
        with engine.connect() as connection:
            definition = connection.scalar(text("SELECT pg_get_indexdef('items_index'::regclass)"))
            s.check(f"USING {method} ({column}" in definition, f"{kind} in pg_get_indexdef", definition)
        index.drop(engine)
        Item.__table__.indexes.discard(index)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        engine.dialect.ischema_names.update(vector=Vector, halfvec=HalfVector, sparsevec=SparseVector)
        Index("items_v", Item.v, postgresql_using="hnsw", postgresql_ops={"v": "vector_l2_ops"}).create(engine)
        columns = {column["name"]: column["type"] for column in inspect(engine).get_columns("items")}
    s.same(
        [(type(columns[c]).__name__, columns[c].dims) for c in "vhs"],
        [("Vector", 8), ("HalfVector", 8), ("SparseVector", 64)],
        "reflected column types",
    )
    indexes = inspect(engine).get_indexes("items")
    s.same([(i["name"], i["column_names"], i["dialect_options"]["postgresql_using"]) for i in indexes],
           [("items_v", ["v"], "hnsw")], "reflected index")
    engine.dispose()


s.run(test)
