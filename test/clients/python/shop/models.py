# SPDX-License-Identifier: PostgreSQL
from django.db import models

from support import BITS, DIMS, SPARSE_DIMS

from .fields import BitField, HalfVectorField, SparseVectorField, VectorField


class Item(models.Model):
    v = VectorField(dimensions=DIMS)
    h = HalfVectorField(dimensions=DIMS)
    s = SparseVectorField(dimensions=SPARSE_DIMS)
    b = BitField(dimensions=BITS)

    class Meta:
        db_table = "items"
