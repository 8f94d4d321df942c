# SPDX-License-Identifier: PostgreSQL
from django.contrib.postgres.operations import CreateExtension
from django.db import migrations, models

from shop.fields import BitField, HalfVectorField, SparseVectorField, VectorField


class Migration(migrations.Migration):
    initial = True
    operations = [
        CreateExtension("vector"),
        migrations.CreateModel(
            "Item",
            [
                ("id", models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("v", VectorField(dimensions=8)),
                ("h", HalfVectorField(dimensions=8)),
                ("s", SparseVectorField(dimensions=64)),
                ("b", BitField(dimensions=64)),
            ],
            options={"db_table": "items"},
        ),
    ]
