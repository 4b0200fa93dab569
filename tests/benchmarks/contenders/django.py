"""Django's ORM without a project, in autocommit with its connection kept."""

from collections.abc import Sequence
from contextlib import AbstractContextManager

import django
from clients import DATA, KEY, Client, as_mapping
from django.conf import settings

from contenders.splitting import write_good_rows
from trueup.conninfo import ConnInfo

if not settings.configured:
    settings.configure(USE_TZ=True, TIME_ZONE="UTC", DATABASES={"default": {"ENGINE": "django.db.backends.postgresql"}})
    django.setup()

from django.contrib.postgres.fields import ArrayField
from django.db import connections, models, transaction
from django.db.models.functions import Now


class Entity(models.Model):
    id = models.BigAutoField(primary_key=True)
    company_id = models.IntegerField()
    phone = models.TextField()
    name = models.TextField(null=True)
    visits = models.IntegerField()
    spent = models.DecimalField(max_digits=12, decimal_places=2)
    tags = ArrayField(models.TextField())
    prefs = models.JSONField()
    seen_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        app_label = "benchmarks"
        db_table = "clients"
        managed = False


class Django:
    name = "Django"
    distribution = "django"

    def __init__(self, conninfo: ConnInfo) -> None:
        given = conninfo.parameters
        named = {"NAME": "dbname", "USER": "user", "HOST": "host", "PORT": "port"}
        connections["default"].close()
        connections["default"].settings_dict.update({key: given[name] for key, name in named.items()})

    def close(self) -> None:
        connections["default"].close()

    def find_one(self, company_id: int, phone: str) -> Entity:
        return Entity.objects.get(company_id=company_id, phone=phone)

    def find_many(self, company_id: int) -> list[Entity]:
        return list(Entity.objects.filter(company_id=company_id))

    def upsert(self, row: Client) -> Entity:
        data = {name: getattr(row, name) for name in DATA}
        return Entity.objects.update_or_create(company_id=row.company_id, phone=row.phone, defaults=data)[0]

    def two_upserts(self, first: Client, second: Client) -> None:
        with transaction.atomic():
            self.upsert(first)
            self.upsert(second)

    def bulk_upsert(self, rows: Sequence[Client]) -> None:
        Entity.objects.bulk_create(
            [Entity(**as_mapping(row)) for row in rows],
            update_conflicts=True,
            unique_fields=KEY,
            update_fields=(*DATA, "updated_at"),
        )

    write_batch = bulk_upsert

    def savepoint(self) -> AbstractContextManager[object]:
        return transaction.atomic()

    def write_good_rows(self, rows: Sequence[Client]) -> int:
        with transaction.atomic():
            return write_good_rows(self, rows)
