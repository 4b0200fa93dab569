"""A contract against live tables that break it in one way each."""

from dataclasses import dataclass
from typing import Any

import pytest
from tests.integration.tables.conftest import Clients, Parts

from trueup.conninfo import ConnInfo
from trueup.db import Connection, snapshot
from trueup.tables import UNSET, Table, check_contract
from trueup.tables.check import ContractDifference, Kind


def found(connection: Connection, table: Table[Any] = Clients.table) -> list[tuple[str, str, str, str]]:
    return [(each.kind, each.object, each.contract, each.catalog) for each in check_contract(connection, table)]


def test_contract_that_holds_has_no_difference(clients: Clients, parts: Parts, observer: Connection):
    assert found(observer) == []
    assert found(observer, Parts.table) == []


def test_contract_is_checked_in_a_snapshot_too(clients: Clients, database: ConnInfo):
    with snapshot(database) as view:
        assert check_contract(view, Clients.table) == ()


ON = "public.clients USING btree"
DROP = "alter table clients drop constraint clients_company_id_phone_key"
BROKEN: dict[str, tuple[str, list[tuple[str, str, str, str]]]] = {
    "no table": ("drop table clients", [("table", "public.clients", "a table", "")]),
    "a view in its place": (
        "drop table clients; create view clients as select 1 as id",
        [("table", "public.clients", "a table", "a relation of kind v")],
    ),
    "no column": ("alter table clients drop column name", [("column", "public.clients.name", "text", "")]),
    "narrower type": (
        "alter table clients alter column phone type varchar(50)",
        [("type", "public.clients.phone", "text", "character varying(50)")],
    ),
    "other precision": (
        "alter table clients alter column spent type numeric(10,2)",
        [("type", "public.clients.spent", "numeric(12,2)", "numeric(10,2)")],
    ),
    "zone lost": (
        "alter table clients alter column seen_at type timestamp",
        [("type", "public.clients.seen_at", "timestamp with time zone", "timestamp without time zone")],
    ),
    "NOT NULL lost": (
        "alter table clients alter column phone drop not null",
        [("nullability", "public.clients.phone", "NOT NULL", "NULL")],
    ),
    "NOT NULL gained": (
        "alter table clients alter column name set not null",
        [("nullability", "public.clients.name", "NULL", "NOT NULL")],
    ),
    "generated": (
        "alter table clients drop column visits, add visits int not null generated always as (1) stored",
        [("generated", "public.clients.visits", "written", "generated always")],
    ),
    "a column more that must be set": (
        "alter table clients add salon text not null",
        [("required", "public.clients.salon", "", "text NOT NULL")],
    ),
    "a column more that need not": ("alter table clients add salon text, add s2 text not null default ''", []),
    "no primary key": (
        "alter table clients drop constraint clients_pkey",
        [("primary key", "public.clients", "(id)", "")],
    ),
    "no unique index (M-10, M-11)": (
        f"{DROP}; create index on clients (company_id, phone)",
        [
            (
                "conflict key",
                "public.clients",
                "a unique index on (company_id, phone)",
                f"CREATE INDEX clients_company_id_phone_idx ON {ON} (company_id, phone)",
            )
        ],
    ),
    "unique index on more": (
        f"{DROP}, add unique (company_id, phone, name)",
        [
            (
                "conflict key",
                "public.clients",
                "a unique index on (company_id, phone)",
                f"CREATE UNIQUE INDEX clients_company_id_phone_name_key ON {ON} (company_id, phone, name)",
            )
        ],
    ),
    "unique index that includes more": (
        f"{DROP}; create unique index on clients (company_id, phone) include (name)",
        [],
    ),
    "columns in another order": (
        f"{DROP}, add unique (phone, company_id); create index on clients (company_id)",
        [],
    ),
    "tenant without an index": (
        f"{DROP}, add unique (phone, company_id)",
        [("tenant", "public.clients.company_id", "an index that begins with it", "")],
    ),
}


@pytest.mark.parametrize(("change", "differences"), BROKEN.values(), ids=BROKEN.keys())
def test_difference_is_found(clients: Clients, observer: Connection, change: str, differences: list[Any]):
    observer.execute(change.encode())

    assert found(observer) == differences


INDEXES = {
    "partial": "create unique index on clients (company_id, phone) where name is not null",
    "expression": "create unique index on clients (company_id, lower(phone))",
    "deferrable": "alter table clients add unique (company_id, phone) deferrable",
}


@pytest.mark.parametrize("index", INDEXES.values(), ids=INDEXES.keys())
def test_index_that_on_conflict_cannot_use_is_none(clients: Clients, observer: Connection, index: str):
    observer.execute(DROP.encode())
    observer.execute(index.encode())

    assert Kind.CONFLICT_KEY in {each.kind for each in check_contract(observer, Clients.table)}
    with pytest.raises(Exception, match=r"42P10|42809|55000"):
        clients.upsert({"company_id": 7, "phone": "1", "name": "x"})


def test_identity_that_is_always_generated_has_to_be_said(observer: Connection):
    @dataclass
    class Ticket:
        id: int = UNSET

    observer.execute("create table tickets (id bigint generated always as identity primary key)")
    said = Table("public.tickets", Ticket, primary_key=("id",), generated=("id",))
    unsaid = Table("public.tickets", Ticket, primary_key=("id",))

    assert found(observer, said) == []
    assert found(observer, unsaid) == [("generated", "public.tickets.id", "written", "generated always")]


def test_every_difference_says_what_it_means():
    for kind in Kind:
        assert ContractDifference(kind=kind, object="x", contract="", catalog="").meaning
