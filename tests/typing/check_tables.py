"""What mypy knows of what users call; this file is type-checked and never run."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal, assert_type

import msgspec

from trueup.db import Database
from trueup.db.snapshots import Snapshot
from trueup.tables import (
    UNSET,
    ContractDifference,
    Rejected,
    Repository,
    Sql,
    Table,
    Upserted,
    Written,
    check_contract,
    desc,
    gte,
    in_,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    company_id: int
    phone: str
    name: str | None = UNSET
    prefs: Annotated[dict[str, Any], Sql("jsonb")] = UNSET
    id: int = UNSET


class Event(msgspec.Struct, frozen=True):
    id: int
    kind: str


class Clients(Repository[Client]):
    table = Table(
        "public.clients", Client, primary_key=("id",), conflict_key=("company_id", "phone"), tenant="company_id"
    )


def reads(db: Database) -> None:
    clients = Clients(db)

    assert_type(Clients.table, Table[Client])
    assert_type(clients.find_one(company_id=7, phone="1"), Client | None)
    assert_type(clients.find_many(company_id=7, id=gte(3) & in_([1]), order_by=["-name", desc("id")]), list[Client])
    assert_type(clients.find_many({"limit": 3}, limit=3, after={"id": 3}), list[Client])
    assert_type(clients.count(company_id=7), int)
    assert_type(clients.exists(company_id=7), bool)
    with clients.stream(company_id=7) as rows:
        assert_type(next(rows), Client)


def writes(db: Database, client: Client) -> None:
    clients = Clients(db, company_id=7)

    assert_type(clients.insert(client), Client)
    assert_type(clients.upsert(client), Upserted[Client])
    assert_type(clients.upsert({"phone": "1"}).row, Client)
    assert_type(clients.upsert(client).status, Literal["inserted", "updated", "unchanged"])
    assert_type(clients.update({"name": None}, phone="1"), list[Client])
    assert_type(clients.delete(phone="1"), int)
    done = clients.bulk_upsert([client, {"phone": "1"}], on_duplicate="last", partial=True, mode="sync")
    assert_type(done, Written)
    assert_type(done.rejected, tuple[Rejected, ...])
    assert_type(clients.for_tenant(8), Clients)


def other_row_classes(db: Database, snapshot: Snapshot) -> None:
    table = Table("public.events", Event, primary_key=("id",))
    events = Repository(db, table)

    assert_type(table, Table[Event])
    assert_type(events.find_one(id=1), Event | None)
    assert_type(check_contract(snapshot, table), tuple[ContractDifference, ...])


def refused(db: Database) -> None:
    clients = Clients(db)
    clients.insert(Event(1, "x"))  # type: ignore[arg-type]
    clients.find_many(limit="3")  # type: ignore[arg-type]
    clients.bulk_upsert([], on_duplicate="merge")  # type: ignore[arg-type]
    clients.bulk_upsert([], mode="merge")  # type: ignore[arg-type]
