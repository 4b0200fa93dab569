"""Single rows: what is written, what is returned, and what an observer finds."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from threading import Barrier, Event
from time import monotonic
from typing import Any

import pytest
from tests.integration.tables.conftest import Client, Clients, Part, Parts

from trueup.conninfo import ConnInfo
from trueup.db import Connection, Database, connect
from trueup.errors import CheckFailed, Conflict, Duplicate, NullNotAllowed
from trueup.settings import DatabaseSettings
from trueup.tables import (
    UNSET,
    ContractError,
    Repository,
    StatementRefused,
    Table,
    TenantMissing,
    eq,
    gte,
    in_,
    is_not_null,
    ne,
)

Stored = Callable[..., list[tuple[Any, ...]]]


def test_insert_returns_the_row_with_its_defaults(clients: Clients):
    row = clients.insert(Client(phone="1", tags=['a,"b', "c"]))

    assert row == clients.find_one(company_id=7, phone="1")
    assert (row.visits, row.tags, row.name) == (0, ['a,"b', "c"], None)
    assert row.created_at == row.updated_at


def test_insert_of_a_key_that_is_taken_is_a_duplicate(clients: Clients):
    clients.insert(Client(phone="1"))

    with pytest.raises(Duplicate) as refusal:
        clients.insert(Client(phone="1"))

    assert refusal.value.constraint == "clients_company_id_phone_key"


def test_insert_of_nothing_takes_every_default(db: Database, observer: Connection):
    @dataclass
    class Ticket:
        id: int = UNSET
        note: str = UNSET

    observer.execute("create table tickets (id bigserial primary key, note text not null default 'new')")
    tickets = Repository(db, Table("public.tickets", Ticket, primary_key=("id",)))

    assert tickets.insert({}) == Ticket(1, "new")


def test_update_returns_every_row_it_changed(clients: Clients, stored: Stored):
    """W-R9: update returns only the first row and no count."""
    clients.bulk_upsert([Client(phone=str(i)) for i in range(3)])

    changed = clients.update({"name": "x", "visits": 2}, company_id=7, phone=in_(["0", "2"]))

    assert sorted(row.phone for row in changed) == ["0", "2"]
    assert all(row.updated_at > row.created_at for row in changed)
    assert stored("phone, name, visits") == [("0", "x", 2), ("1", None, 0), ("2", "x", 2)]


@pytest.mark.parametrize("call", ["update", "delete"])
def test_update_and_delete_of_everything_are_refused(clients: Clients, stored: Stored, call: str):
    """W-R8: update with empty filters updates the whole table."""
    clients.insert(Client(phone="1"))
    arguments = [{"name": "x"}] if call == "update" else []
    bound = clients.for_tenant(7)

    for repository in (clients, bound):
        with pytest.raises(StatementRefused, match="would reach every row"):
            getattr(repository, call)(*arguments)

    assert stored("phone, name") == [("1", None)]


CHANGES = {
    "nothing": {},
    "only UNSET": {"name": UNSET},
    "what is touched": {"updated_at": None},
    "the tenant": {"company_id": 8},
}


@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES.keys())
def test_update_that_means_nothing_is_refused(clients: Clients, changes: dict[str, Any]):
    with pytest.raises(StatementRefused):
        clients.update(changes, company_id=7, phone="1")


def test_delete_returns_how_many(clients: Clients, stored: Stored):
    clients.bulk_upsert([Client(phone=str(i)) for i in range(3)])

    assert clients.delete(company_id=7, phone=in_(["0", "2", "9"])) == 2
    assert stored("phone") == [("1",)]


# -- upsert ------------------------------------------------------------------------------------------------------------


@pytest.fixture(params=["plain", "partitioned"])
def either(request: pytest.FixtureRequest, clients: Clients, parts: Parts) -> Repository[Any]:
    """Return a repository of a plain table, and of a partitioned one."""
    return clients if request.param == "plain" else parts


def test_upsert_tells_what_it_did(either: Repository[Any]):
    make = either.table.row

    done = [
        either.upsert(make(phone="1", name="a")),
        either.upsert(make(phone="1", name="a")),
        either.upsert(make(phone="1", name="b")),
        either.upsert(make(phone="1", name=None)),
        either.upsert(make(phone="1")),
        either.upsert(make(phone="2")),
    ]

    assert [each.status for each in done] == ["inserted", "unchanged", "updated", "updated", "unchanged", "inserted"]
    assert [each.row.name for each in done] == ["a", "a", "b", None, None, None]
    assert either.count(company_id=7) == 2


def test_unset_leaves_a_column_alone_and_none_makes_it_null(either: Repository[Any]):
    make = either.table.row
    either.upsert(make(phone="1", name="a", visits=3))

    assert either.upsert(make(phone="1", visits=4)).row.name == "a"
    assert either.upsert(make(phone="1", name=None)).row.visits == 4
    assert either.find_one(company_id=7, phone="1").name is None


def test_key_alone_does_nothing_and_returns_the_row(either: Repository[Any], observer: Connection):
    """W-R10: data that holds only the conflict columns is a syntax error."""
    first = either.upsert({"company_id": 7, "phone": "1"})
    before = observer.execute(f"select xmin::text from {either.table.name}".encode()).fetchall()

    second = either.upsert({"company_id": 7, "phone": "1"})

    assert (first.status, second.status) == ("inserted", "unchanged")
    assert first.row == second.row
    assert observer.execute(f"select xmin::text from {either.table.name}".encode()).fetchall() == before


def test_unchanged_row_is_not_written(clients: Clients, stored: Stored):
    row = clients.upsert(Client(phone="1", name="a", prefs={"a": [1]}, tags=["x"])).row
    before = stored("phone, xmin::text, updated_at")

    assert clients.upsert(row).status == "unchanged"
    assert stored("phone, xmin::text, updated_at") == before


def test_row_that_was_read_can_be_changed_and_written_back(clients: Clients):
    """W-R: data with updated_at in it is assigned twice: 42601."""
    row = clients.upsert(Client(phone="1", name="a")).row

    done = clients.upsert(replace(row, name="b"))

    assert done.status == "updated"
    assert (done.row.id, done.row.created_at) == (row.id, row.created_at)
    assert done.row.updated_at > row.updated_at


def test_upsert_of_a_row_that_exists_needs_no_required_column(db: Database, observer: Connection):
    @dataclass
    class Person:
        id: int
        name: str
        note: str | None = UNSET

    observer.execute("create table people (id bigint primary key, name text not null, note text)")
    people = Repository(db, Table("public.people", Person, primary_key=("id",)))
    people.insert(Person(1, "Ann"))

    done = [people.upsert({"id": 1, "note": "x"}) for _ in range(2)]

    assert [(each.status, each.row) for each in done] == [
        ("updated", Person(1, "Ann", "x")),
        ("unchanged", Person(1, "Ann", "x")),
    ]
    assert people.upsert({"id": 1}).status == "unchanged"
    with pytest.raises(NullNotAllowed):
        people.upsert({"id": 2, "note": "x"})
    assert people.bulk_upsert([{"id": 1, "note": "y"}]).updated == 1


@pytest.mark.parametrize(
    "row", [{"company_id": 7}, {"company_id": 7, "phone": None}, {"company_id": 7, "phone": UNSET}]
)
def test_key_that_is_not_complete_is_refused(clients: Clients, row: dict[str, Any]):
    with pytest.raises(StatementRefused, match="part of the conflict key"):
        clients.upsert(row)


@pytest.mark.parametrize("row", [None, [], "x", object()])
def test_upsert_of_no_row_is_refused(clients: Clients, row: Any):
    """W-R11: upsert(null) throws from its own error handler."""
    with pytest.raises(StatementRefused, match="a row is a Client or a mapping"):
        clients.upsert(row)


def test_failed_upsert_names_its_constraint_and_no_value(clients: Clients):
    """W-R25: the mapping of errors drops constraint, table and column."""
    with pytest.raises(CheckFailed) as refusal:
        clients.upsert({"company_id": 7, "phone": "+7secret", "name": "secret)=(secret)", "spent": -1})

    assert (refusal.value.constraint, refusal.value.columns) == ("clients_spent_check", ())
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize("threads", [6])
def test_concurrent_upserts_of_fresh_keys_insert_each_once(either: Repository[Any], database: ConnInfo, threads: int):
    """SELECT and then INSERT loses this race; so does MERGE, and one statement of CTEs returns no row."""
    make, keys = either.table.row, [str(i) for i in range(40)]
    barrier = Barrier(threads)

    def work(name: str) -> list[str]:
        barrier.wait(10)
        return [mine.upsert(make(phone=key, name=name)).status for key in keys]

    with Database(DatabaseSettings(conninfo=database, max_connections=threads)) as db:
        mine = type(either)(db)
        with ThreadPoolExecutor(threads) as executor:
            done = [status for statuses in executor.map(work, "abcdef") for status in statuses]

    assert done.count("inserted") == len(keys)
    assert len(done) == threads * len(keys)
    assert either.count(company_id=7) == len(keys)


@pytest.mark.parametrize("writes", ["delete", "upsert"])
def test_upsert_holds_against_rows_that_vanish(either: Repository[Any], database: ConnInfo, writes: str):
    make = either.table.row
    with Database(DatabaseSettings(conninfo=database, max_connections=4)) as db:
        mine = type(either)(db)

        def vanish() -> None:
            for _ in range(100):
                mine.delete(company_id=7, phone="1") if writes == "delete" else mine.upsert(make(phone="1", name="x"))

        def appear(name: str) -> list[str | None]:
            return [mine.upsert(make(phone="1", name=name)).row.name for _ in range(60)]

        with ThreadPoolExecutor(3) as executor:
            gone = executor.submit(vanish)
            rows = list(executor.map(appear, ["a", "b"]))
            gone.result()

    assert {name for names in rows for name in names} <= {"a", "b", "x"}


@dataclass
class Optional:
    id: int
    name: str = UNSET
    note: str | None = UNSET


@dataclass
class Required:
    id: int
    name: str
    note: str | None = UNSET


def until_blocked(observer: Connection) -> None:
    """Wait until a statement of the database waits for a lock."""
    query = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    deadline, pause = monotonic() + 10, Event()
    while observer.execute(query).fetchone() == (0,):
        assert monotonic() < deadline
        pause.wait(0.005)


WRITES: dict[str, Callable[[Repository[Any], Any], object]] = {
    "upsert": lambda repository, row: repository.upsert(row),
    "bulk_upsert": lambda repository, row: repository.bulk_upsert([row]),
    "sync": lambda repository, row: repository.bulk_upsert([row], mode="sync"),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
@pytest.mark.parametrize("row", [Optional, Required])
def test_row_that_another_inserts_meanwhile_is_updated(
    db: Database, observer: Connection, database: ConnInfo, write: Callable[..., object], row: type[Any]
):
    """A statement of CTEs finds no row in its snapshot and inserts none: the write is lost."""
    observer.execute("create table people (id bigint primary key, name text not null default 'new', note text)")
    people = Repository(db, Table("public.people", row, primary_key=("id",)))

    with connect(database) as other, ThreadPoolExecutor(1) as executor:
        other.execute("begin")
        other.execute("insert into people values (1, 'theirs', 'theirs')")
        ours = executor.submit(write, people, {"id": 1, "note": "ours"})
        until_blocked(observer)
        other.execute("commit")
        ours.result(10)

    assert observer.execute("select name, note from people").fetchall() == [("theirs", "ours")]


@pytest.mark.parametrize("row", [{"id": 1, "name": "x"}, {"id": 1, "note": "x"}, {"id": 1}])
def test_row_that_a_trigger_swallows_is_a_conflict_and_no_endless_loop(
    db: Database, observer: Connection, row: dict[str, Any]
):
    observer.execute("create table people (id bigint primary key, name text not null, note text)")
    observer.execute("create function swallow() returns trigger language plpgsql as 'begin return null; end'")
    observer.execute("create trigger swallow before insert on people for each row execute function swallow()")
    people = Repository(db, Table("public.people", Required, primary_key=("id",)))

    with pytest.raises(Conflict, match="a trigger or a policy hides it"):
        people.upsert(row)
    if "name" not in row:
        with pytest.raises(Conflict, match="a trigger or a policy hides them"):
            people.bulk_upsert([row])


# -- tenants -----------------------------------------------------------------------------------------------------------


CALLS: dict[str, Callable[[Clients], Any]] = {
    "find_one": lambda c: c.find_one(phone="1"),
    "find_many": lambda c: c.find_many(name="x"),
    "find_many of None": lambda c: c.find_many(company_id=None),
    "find_many of a range": lambda c: c.find_many(company_id=in_([7]) and None),
    "count": lambda c: c.count(),
    "exists": lambda c: c.exists(),
    "update": lambda c: c.update({"name": "x"}, phone="1"),
    "delete": lambda c: c.delete(phone="1"),
    "insert": lambda c: c.insert({"phone": "1"}),
    "upsert": lambda c: c.upsert({"phone": "1"}),
    "upsert of None": lambda c: c.upsert({"phone": "1", "company_id": None}),
    "bulk_upsert": lambda c: c.bulk_upsert([{"phone": "1"}]),
    "stream": lambda c: c.stream().__enter__(),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_no_statement_runs_without_its_tenant(clients: Clients, stored: Stored, call: Callable[[Clients], Any]):
    """findByPhone, findByRecordId, deleteOlderThan and others ran over all companies; a missing id became IS NULL."""
    clients.insert(Client(phone="1"))

    with pytest.raises(TenantMissing):
        call(clients)

    assert stored("phone, name") == [("1", None)]


def test_bound_repository_sees_and_writes_its_tenant_alone(clients: Clients, stored: Stored):
    clients.bulk_upsert([Client(company_id=company, phone="1", name="old") for company in (7, 8)])
    seven = Clients(clients.db, company_id=7)

    assert [row.company_id for row in seven.find_many()] == [7]
    assert seven.count() == 1
    assert seven.update({"name": "new"}, phone="1")[0].company_id == 7
    assert seven.upsert({"phone": "2"}).row.company_id == 7
    assert seven.bulk_upsert([{"phone": "3"}, {"phone": "1", "name": "new"}]).inserted == 1
    assert seven.insert({"phone": "4"}).company_id == 7
    with seven.stream() as rows:
        assert {row.company_id for row in rows} == {7}
    assert seven.delete(phone="2") == 1
    assert stored("company_id, phone, name") == [(7, "1", "new"), (7, "3", None), (7, "4", None), (8, "1", "old")]


def test_bound_repository_refuses_another_tenant(clients: Clients):
    seven = clients.for_tenant(7)

    for call in (
        lambda: seven.find_many(company_id=8),
        lambda: seven.find_many(company_id=in_([7, 8])),
        lambda: seven.upsert(Client(company_id=8, phone="1")),
        lambda: seven.bulk_upsert([Client(company_id=8, phone="1")]),
    ):
        with pytest.raises(TenantMissing, match="bound to one company_id"):
            call()
    assert seven.find_many(company_id=7) == []


@pytest.mark.parametrize("tenant", [{"company_id": None}, {"company_id": "7"}, {"salon_id": 7}, {"id": 7}])
def test_repository_is_bound_by_its_tenant_column_alone(clients: Clients, tenant: dict[str, object]):
    with pytest.raises(StatementRefused):
        Clients(clients.db, **tenant)


def test_upsert_whose_key_lacks_the_tenant_is_refused(db: Database):
    @dataclass
    class Message:
        id: int
        company_id: int

    messages = Repository(db, Table("public.messages", Message, primary_key=("id",), tenant="company_id"))

    for call in (messages.upsert, lambda row: messages.bulk_upsert([row])):
        with pytest.raises(StatementRefused, match="another tenant"):
            call(Message(1, 7))


def test_repositories_join_the_transaction_of_their_thread(clients: Clients, db: Database, stored: Stored):
    """W-R24: domain methods can't run on a transaction's client."""

    def work() -> None:
        with db.transaction():
            clients.upsert(Client(phone="1"))
            clients.bulk_upsert([Client(phone="2")])
            counts.append(clients.count(company_id=7))
            raise ZeroDivisionError

    counts: list[int] = []
    with pytest.raises(ZeroDivisionError):
        work()

    assert counts == [2]
    assert stored("phone") == []


def test_tenant_may_be_picked_by_an_operator_that_names_it(clients: Clients):
    clients.bulk_upsert([Client(company_id=company, phone="1") for company in (7, 8, 9)])

    assert clients.count(company_id=eq(7)) == 1
    assert clients.count(company_id=in_([7, 9])) == 2
    assert clients.count(company_id=gte(8) & in_([7, 9])) == 1
    for condition in (gte(7), ne(7), is_not_null(), eq(None)):
        with pytest.raises(TenantMissing):
            clients.count(company_id=condition)


def test_repository_shows_its_table_and_hides_its_tenant(clients: Clients):
    assert repr(clients) == "Clients(public.clients)"
    assert repr(clients.for_tenant(7)) == "Clients(public.clients, bound to one company_id)"


def test_table_without_tenants_has_none_to_bind(db: Database):
    people = Repository(db, Table("public.people", Required, primary_key=("id",)))

    with pytest.raises(StatementRefused, match="no tenant column"):
        people.for_tenant(7)
    with pytest.raises(StatementRefused, match="no tenant column"):
        Repository(db, people.table, company_id=7)


def test_repository_without_a_contract_says_so(db: Database):
    class Orphans(Repository[Client]):
        pass

    with pytest.raises(ContractError, match="Orphans declares no table"):
        Orphans(db)


def test_repository_methods_have_one_signature():
    """W-R33: subclasses override methods of the base with other signatures."""
    assert [name for name in vars(Clients) if callable(getattr(Clients, name)) and not name.startswith("__")] == []
    assert Part(phone="1").company_id == 7
    assert Parts.table.key == ("company_id", "phone")
