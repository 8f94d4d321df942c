# SPDX-License-Identifier: PostgreSQL
"""Django: model fields and index classes of its own, migrations that create the extension, the table and the indexes, the ORM
with distance expressions, inspectdb."""
import io
import os

import django
from django.conf import settings

import support as s

settings.configure(
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": os.environ["PGDATABASE"],
            "USER": os.environ["PGUSER"],
            "PASSWORD": os.environ.get("PGPASSWORD", ""),
            "HOST": os.environ["PGHOST"],
            "PORT": os.environ["PGPORT"],
        }
    },
    INSTALLED_APPS=["shop"],
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    USE_TZ=True,
)

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection, migrations, transaction  # noqa: E402
from django.db.migrations.loader import MigrationLoader  # noqa: E402
from django.db.models import Avg  # noqa: E402
from django.db.utils import DataError  # noqa: E402

from shop.fields import Distance, NearestIndex, VectorField  # noqa: E402
from shop.models import Item  # noqa: E402


def index(method, column, metric):
    return NearestIndex(
        fields=[column], name="items_index", opclasses=[s.opclass(column, metric)], method=method,
        options=s.options(method),
    )


def test():
    print(f"# Django {django.get_version()}")
    call_command("migrate", verbosity=0)
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
    state = MigrationLoader(connection).project_state()

    def item(i):
        return Item(id=i, **{column: s.value(column, i) for column in "vhsb"})

    Item.objects.bulk_create([item(i) for i in range(1, s.ROWS)], batch_size=100)
    item(0).save(force_insert=True)
    got = [(row.id, row.v, row.h, row.s, row.b) for row in Item.objects.order_by("id")]
    s.same(got, [(i, *(s.value(column, i) for column in "vhsb")) for i in range(s.ROWS)], "rows read back")

    def ask(column, metric):
        distance = Distance(column, metric, s.QUERY)
        return Item.objects.annotate(distance=distance).order_by("distance").values_list("id", "distance")[:s.NEAREST]

    for column, metric, operator in s.DISTANCES:
        s.nearest(ask(column, metric), column, metric, f"{s.TYPE_OF[column]} {operator} without an index")
    within = Item.objects.alias(d=Distance("v", "l2", s.QUERY)).filter(d__lt=12).values_list("id", flat=True)
    s.same(sorted(within), sorted(row for d, row in s.exact("v", "l2") if d < 12), "rows within a distance")
    average = Item.objects.filter(id__in=[3, 5]).aggregate(a=Avg("v", output_field=VectorField()))["a"]
    s.same(average, [(a + b) / 2 for a, b in zip(s.dense(3), s.dense(5))], "avg")

    with connection.cursor() as cursor:
        for statement in s.SETTINGS:
            cursor.execute(statement)
    for method, column, metric in s.INDEXES:
        kind = f"{method} {s.opclass(column, metric)}"
        before = state.clone()
        add = migrations.AddIndex("item", index(method, column, metric))
        after = before.clone()
        add.state_forwards("shop", after)
        with connection.schema_editor() as editor:
            add.database_forwards("shop", editor, before, after)
        literal = s.text(column, s.value(column, s.QUERY))
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN SELECT id FROM items ORDER BY {column} {s.OPERATOR[metric]} '{literal}' LIMIT 10")
            s.uses_index([line for line, in cursor.fetchall()], "items_index", f"{kind} is used")
        s.nearest(ask(column, metric), column, metric, f"{kind} answers")
        with connection.schema_editor() as editor:
            add.database_backwards("shop", editor, after, before)

    try:
        with transaction.atomic():
            Item(id=1000, v=[1, 2], h=s.dense(1), s=s.sparse(1), b=s.bits(1)).save(force_insert=True)
        s.check(False, "a vector too short is refused")
    except DataError as error:
        s.same(str(error).strip(), "expected 8 dimensions, not 2", "a vector too short is refused")
    output = io.StringIO()
    call_command("inspectdb", "items", stdout=output)
    s.check("class Items(models.Model)" in output.getvalue(), "inspectdb reads the table", output.getvalue())


s.run(test)
