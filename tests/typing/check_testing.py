"""What mypy knows of the factories and markers that users call; this file is type-checked and never run."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, assert_type

from factory.declarations import Trait
from factory.faker import Faker

from trueup.db import Database
from trueup.tables import UNSET, Begins, Repository, Table
from trueup.tables.markers import Cleaned, TableStats, clean, stats
from trueup.testing import Factory, Make, Unique, factory


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    phone: str
    name: str | None = UNSET
    id: int = UNSET


class Clients(Repository[Client]):
    table = Table("public.clients", Client, primary_key=("id",), marker=Begins("phone", "+7000"))


CLIENT = factory(Clients, phone=Unique("+7000{n:07}"), name=Faker("name"), vip=Trait(name="Ann"))


def makes(make: Make) -> None:
    assert_type(CLIENT, Factory[Client])
    assert_type(factory(Clients.table, "guest"), Factory[Client])
    assert_type(make(CLIENT, name="Ann"), Client)
    assert_type(make.batch(CLIENT, 3), list[Client])
    assert_type(make.batch("client", 3), list[Any])
    assert_type(make.client(vip=True), Any)
    assert_type(make.made, tuple[Any, ...])


def cleans(db: Database) -> None:
    done = clean(db, [Clients.table], dry_run=True, max_delete=3)

    assert_type(done, Cleaned)
    assert_type(done.tables, Mapping[str, int])
    assert_type(stats(db, [Clients.table]), tuple[TableStats, ...])


def refused(make: Make, db: Database) -> None:
    make(Clients)  # type: ignore[arg-type]
    make.batch(CLIENT, "3")  # type: ignore[call-overload]
    clean(db, [Client])  # type: ignore[list-item]
