"""What every repository of the salon can do, on the table of clients: what the earlier base class was tested for."""

import datetime as dt
from typing import Any

import pytest
from tests.repositories.rows import COMPANY, OTHER, client

from ai_admin.clients import Client, Clients
from trueup.db import Connection, Database
from trueup.errors import (
    CheckFailed,
    DatabaseError,
    Duplicate,
    ForeignKeyMissing,
    NullNotAllowed,
    SchemaMismatch,
    TransactionAborted,
)
from trueup.tables import (
    ContractError,
    Repository,
    StatementRefused,
    Table,
    UnknownColumn,
    contains,
    desc,
    gte,
    ilike,
    in_,
    is_null,
    lte,
    ne,
)

DAYS = [dt.date(2031, 1, 1) + dt.timedelta(days=number) for number in range(4)]


@pytest.fixture
def clients(db: Database) -> Clients:
    """Return a repository with four clients: 1 to 4, the last of whom nothing is known of."""
    clients = Clients(db, company_id=COMPANY)
    names = ["[TEST] Анна", "[TEST] Борис", "[TEST] Анна"]
    known = [
        client(yclients_id=n, name=name, visit_count=10 * n, email="test@example.org", last_visit_date=DAYS[n])
        for n, name in enumerate(names, 1)
    ]
    clients.bulk_upsert([*known, client(yclients_id=4, name="[TEST] Ёж", phone=None)])
    return clients


def ids(found: list[Client]) -> list[int]:
    return [each.yclients_id for each in found]


def test_repository_without_a_database_or_table_is_an_error(db: Database) -> None:
    """A1, A2."""
    with pytest.raises(TypeError):
        Clients()  # type: ignore[call-arg]
    with pytest.raises(ContractError):
        Repository[Client](db)
    assert Clients(db).db is db


@pytest.mark.parametrize(
    ("conditions", "found"),
    [
        pytest.param({}, [1, 2, 3, 4], id="A19-A30-everything-of-the-salon"),
        pytest.param({"yclients_id": 2}, [2], id="A20-equality"),
        pytest.param({"email": None}, [4], id="A21-null"),
        pytest.param({"phone": is_null()}, [4], id="B22-null"),
        pytest.param({"visit_count": gte(20)}, [2, 3], id="A22-gte"),
        pytest.param({"last_visit_date": gte(DAYS[2])}, [2, 3], id="B3-gte-on-a-date"),
        pytest.param({"visit_count": lte(20)}, [1, 2, 4], id="A23-B23-lte"),
        pytest.param({"email": ne("test@example.org")}, [4], id="A24-B21-ne-includes-null"),
        pytest.param({"name": ilike("%анна")}, [1, 3], id="A25-B4-ilike"),
        pytest.param({"name": contains("анн")}, [1, 3], id="contains"),
        pytest.param({"yclients_id": in_([3, 1, 99])}, [1, 3], id="A26-B10-in"),
        pytest.param({"visit_count": gte(10) & lte(20)}, [1, 2], id="A28-range-on-one-column"),
        pytest.param(
            {"name": ilike("%анна"), "visit_count": gte(15), "yclients_id": in_([1, 3])}, [3], id="A5-A29-several"
        ),
        pytest.param({"yclients_id": 99}, [], id="A8-B6-nothing"),
    ],
)
def test_conditions_find(clients: Clients, conditions: dict[str, object], found: list[int]) -> None:
    """A7, B5."""
    assert ids(clients.find_many(conditions, order_by="yclients_id")) == found


def test_one_row_or_none_is_found(clients: Clients) -> None:
    """A3, A4, B1, B2."""
    found = clients.find_one(yclients_id=2)

    assert found is not None
    assert (found.name, clients.find_one(yclients_id=99)) == ("[TEST] Борис", None)


@pytest.mark.parametrize(
    ("options", "found"),
    [
        pytest.param({"order_by": "visit_count"}, [4, 1, 2, 3], id="A9-A31-B7-asc"),
        pytest.param({"order_by": "-last_visit_date"}, [3, 2, 1, 4], id="A10-A32-desc-nulls-last"),
        pytest.param({"order_by": "last_visit_date"}, [1, 2, 3, 4], id="asc-nulls-last-too"),
        pytest.param({"order_by": desc("last_visit_date", nulls="first")}, [4, 3, 2, 1], id="nulls-first"),
        pytest.param({"order_by": "yclients_id", "limit": 2}, [1, 2], id="A11-A33-B8-limit"),
        pytest.param({"order_by": "yclients_id", "limit": 2, "offset": 1}, [2, 3], id="A12-A34-B9-limit-offset"),
        pytest.param({"order_by": "yclients_id", "offset": 3}, [4], id="W-R29-offset-alone"),
    ],
)
def test_order_and_pages(clients: Clients, options: dict[str, Any], found: list[int]) -> None:
    assert ids(clients.find_many(**options | {"order_by": [options["order_by"]]})) == found


@pytest.mark.parametrize(
    ("call", "error"),
    [
        pytest.param(lambda each: each.find_many(yclients_id=in_([])), StatementRefused, id="A27-B27-empty-in"),
        pytest.param(lambda each: each.upsert({}), StatementRefused, id="A14-B26-empty-upsert"),
        pytest.param(lambda each: each.find_many({"name; drop table clients": 1}), UnknownColumn, id="A35-A36-name"),
        pytest.param(lambda each: each.find_many(order_by="(select 1)"), UnknownColumn, id="W-R1-order"),
        pytest.param(lambda each: each.find_many(fired=False), UnknownColumn, id="B25-M-2-unknown-column"),
        pytest.param(lambda each: each.update({"name": "x"}), StatementRefused, id="W-R8-update-of-everything"),
        pytest.param(lambda each: each.delete(), StatementRefused, id="delete-of-everything"),
        pytest.param(lambda each: each.find_many(visit_count=[1, 2]), StatementRefused, id="W-R7-list"),
    ],
)
def test_call_that_can_not_be_meant_is_refused_before_it_is_sent(clients: Clients, call: Any, error: type) -> None:
    with pytest.raises(error):
        call(clients)

    assert clients.count() == 4


def test_unknown_table_is_named(db: Database) -> None:
    """A6, B24: a failure of the database reaches the caller as what it is."""
    nowhere = Repository(db, Table("public.nowhere", Client, primary_key=("id",)))

    with pytest.raises(SchemaMismatch, match="nowhere"):
        nowhere.find_many()


@pytest.mark.parametrize(
    ("row", "error", "fact"),
    [
        pytest.param({"yclients_id": 1, "name": "x"}, Duplicate, "clients_yclients_company_unique", id="A37-23505"),
        pytest.param({"yclients_id": 9, "name": None}, NullNotAllowed, ("name",), id="W-R25-23502"),
        pytest.param(
            {"yclients_id": 9, "name": "x", "visit_count": -1}, CheckFailed, "clients_visit_count_check", id="23514"
        ),
    ],
)
def test_errors_have_names_and_facts(
    clients: Clients, row: dict[str, object], error: type[DatabaseError], fact: object
) -> None:
    """A39: and no value of the row."""
    with pytest.raises(error) as caught:
        clients.insert(row)

    assert fact in {caught.value.constraint, caught.value.columns}
    assert caught.value.table == "public.clients"


def test_missing_salon_is_a_missing_foreign_key(db: Database) -> None:
    """A38."""
    with pytest.raises(ForeignKeyMissing) as caught:
        Clients(db, company_id=-404).insert(client())

    assert (caught.value.sqlstate, caught.value.constraint) == ("23503", "clients_company_id_fkey")


def test_upsert_changes_no_key(clients: Clients) -> None:
    """A13, A15: the conflict key is not in what is set, so it needs no value of its own."""
    before = clients.find_one(yclients_id=1)

    done = clients.upsert({"yclients_id": 1})

    assert (done.status, done.row) == ("unchanged", before)


def test_batch_is_one_statement(clients: Clients) -> None:
    """A16: rows that set the same columns; a number of them, one write each."""
    rows = [client(yclients_id=number) for number in (5, 6, 7)]

    assert clients.bulk_upsert(rows).inserted == 3


def test_update_returns_every_row_that_it_changed(clients: Clients) -> None:
    """W-R9."""
    assert sorted(ids(clients.update({"notes": "n"}, name="[TEST] Анна"))) == [1, 3]


# -- transactions ------------------------------------------------------------------------------------------------------


def count(observer: Connection) -> int:
    row = observer.execute("select count(*) from clients").fetchone()
    assert row
    return int(row[0])


def test_committed_rows_are_seen_by_others(committing: Database, observer: Connection) -> None:
    """B18, B20, W-R24: repositories take part in the transaction around them, several of them too."""
    with committing.transaction():
        Clients(committing, company_id=COMPANY).insert(client())
        Clients(committing, company_id=OTHER).insert(client())
        before = count(observer)

    assert (before, count(observer)) == (0, 2)


def test_rows_that_were_rolled_back_are_not(committing: Database, observer: Connection) -> None:
    """B19."""
    clients = Clients(committing, company_id=COMPANY)

    with pytest.raises(CheckFailed), committing.transaction():  # noqa: PT012
        clients.insert(client())
        clients.insert(client(visit_count=-1))

    assert count(observer) == 0


def test_swallowed_error_does_not_commit(committing: Database, observer: Connection) -> None:
    """W-R22: the caller was told of success, and nothing was stored."""
    clients = Clients(committing, company_id=COMPANY)

    with pytest.raises(TransactionAborted), committing.transaction():  # noqa: PT012
        clients.insert(client())
        with pytest.raises(CheckFailed):
            clients.insert(client(visit_count=-1))

    assert count(observer) == 0
