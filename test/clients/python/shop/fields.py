# SPDX-License-Identifier: PostgreSQL
"""What pgvector's Python package gives to a Django project, written anew."""
from django.contrib.postgres.indexes import PostgresIndex
from django.db import models
from django.db.models import F, FloatField, Func, Value

import support as s


class VectorField(models.Field):
    """As pgvector's Python package does."""

    column_kind = "v"

    def __init__(self, *args, dimensions=None, **kwargs):
        self.dimensions = dimensions
        super().__init__(*args, **kwargs)

    def deconstruct(self):
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "dimensions": self.dimensions}

    def db_type(self, connection):
        return f"{s.TYPE_OF[self.column_kind]}({self.dimensions})"

    def from_db_value(self, x, expression, connection):
        return None if x is None else s.parse(self.column_kind, x)

    def get_db_prep_value(self, x, connection, prepared=False):
        return None if x is None else s.text(self.column_kind, x)


class HalfVectorField(VectorField):
    column_kind = "h"


class SparseVectorField(VectorField):
    column_kind = "s"


class BitField(VectorField):
    column_kind = "b"


FIELDS = {"v": VectorField, "h": HalfVectorField, "s": SparseVectorField, "b": BitField}
SIZES = {"v": s.DIMS, "h": s.DIMS, "s": s.SPARSE_DIMS, "b": s.BITS}


class NearestIndex(PostgresIndex):
    """HnswIndex and IvfflatIndex in one: the method is the suffix's."""

    suffix = "near"

    def __init__(self, *expressions, method="hnsw", options="", **kwargs):
        self.method, self.options = method, options
        super().__init__(*expressions, **kwargs)

    def deconstruct(self):
        path, args, kwargs = super().deconstruct()
        return path, args, {**kwargs, "method": self.method, "options": self.options}

    def create_sql(self, model, schema_editor, using="", **kwargs):
        self.check_supported(schema_editor)
        statement = models.Index.create_sql(self, model, schema_editor, using=f" USING {self.method}", **kwargs)
        if self.options:
            statement.parts["extra"] = f" WITH ({self.options})" + statement.parts["extra"]
        return statement


class Distance(Func):
    template = "(%(expressions)s)"
    output_field = FloatField()

    def __init__(self, field, metric, row):
        self.arg_joiner = f" {s.OPERATOR[metric].replace('%', '%%')} "
        super().__init__(F(field), Value(s.value(field, row), output_field=FIELDS[field]()))
