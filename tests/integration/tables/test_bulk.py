"""Many rows: exact counts, nothing lost, no deadlock, nothing written in vain, bad rows set apart."""

import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, make_dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from random import Random
from threading import Barrier, Event
from time import monotonic
from typing import Annotated, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.integration.tables.conftest import Client, Clients, Parts

from trueup.conninfo import ConnInfo
from trueup.db import Connection, Database
from trueup.errors import (
    CheckFailed,
    Conflict,
    Disconnected,
    Duplicate,
    ForeignKeyMissing,
    InvalidData,
    NullNotAllowed,
    SchemaMismatch,
)
from trueup.settings import DatabaseSettings
from trueup.tables import UNSET, DuplicateKeys, Repository, Sql, StatementRefused, Table, Written, payloads
from trueup.tables.ordering import in_order
from trueup.tables.writer import Mode, Part, Writer

Stored = Callable[..., list[tuple[Any, ...]]]
MODES: list[Mode] = ["replace", "sync"]


@pytest.fixture(params=["plain", "partitioned"])
def either(request: pytest.FixtureRequest, clients: Clients, parts: Parts) -> Repository[Any]:
    """Return a repository of a plain table, and of a partitioned one."""
    return clients if request.param == "plain" else parts


def make(repository: Repository[Any], numbers: Any, **values: Any) -> list[Any]:
    return [repository.table.row(phone=f"{i:06}", **values) for i in numbers]


@pytest.mark.parametrize("mode", MODES)
def test_counts_are_exact(either: Repository[Any], mode: Mode):
    either.bulk_upsert(make(either, range(600), name="old"))

    done = either.bulk_upsert(
        [*make(either, range(300, 500), name="new"), *make(either, range(500, 1000), name="old")], mode=mode
    )

    assert done == Written(inserted=400, updated=200, unchanged=100)
    assert either.count(company_id=7, name="new") == 200
    assert either.count(company_id=7) == 1000


@pytest.mark.parametrize("mode", MODES)
def test_nothing_given_is_nothing_written(clients: Clients, mode: Mode):
    assert clients.bulk_upsert(iter([]), mode=mode) == Written(inserted=0, updated=0, unchanged=0)


@pytest.mark.parametrize("mode", MODES)
def test_rows_of_different_shapes_change_only_what_they_say(clients: Clients, stored: Stored, mode: Mode):
    """W-R12: the columns of the first row win, the others are written as NULL over good data."""
    clients.bulk_upsert([Client(phone=str(i), name="old", visits=1) for i in range(5)])

    done = clients.bulk_upsert(
        [
            Client(phone="0", name="new"),
            {"company_id": 7, "phone": "1", "visits": 2},
            Client(phone="2", name=None),
            Client(phone="3"),
            {"company_id": 7, "phone": "9"},
        ],
        mode=mode,
    )

    assert done == Written(inserted=1, updated=3, unchanged=1)
    assert stored("phone, name, visits") == [
        ("0", "new", 1),
        ("1", "old", 2),
        ("2", None, 1),
        ("3", "old", 1),
        ("4", "old", 1),
        ("9", None, 0),
    ]


def test_duplicates_of_a_key_are_an_error_unless_one_is_chosen(clients: Clients, stored: Stored):
    """W-R13: a duplicate key inside one batch aborts it with 21000."""
    rows = [Client(phone="1", name="a"), Client(phone="2"), Client(phone="1", name="b"), Client(phone="1", visits=3)]

    with pytest.raises(DuplicateKeys):
        clients.bulk_upsert(rows)
    assert stored("phone") == []

    done = clients.bulk_upsert(rows, on_duplicate="first")
    assert (done.inserted, done.superseded) == (2, 2)
    assert stored("phone, name, visits") == [("1", "a", 0), ("2", None, 0)]
    done = clients.bulk_upsert(rows, on_duplicate="last")
    assert (done.updated, done.unchanged, done.superseded) == (1, 1, 2)
    assert stored("phone, name, visits") == [("1", "a", 3), ("2", None, 0)]


@pytest.mark.parametrize("mode", MODES)
def test_one_bad_row_of_many_chunks_undoes_all(
    clients: Clients, stored: Stored, mode: Mode, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(payloads, "CHUNK_BYTES", 2000)
    rows = make(clients, range(300))
    rows[250] = replace(rows[250], spent=Decimal(-1))

    with pytest.raises(Exception, match="clients_spent_check"):
        clients.bulk_upsert(rows, mode=mode)

    assert stored("phone") == []


def test_bad_value_is_refused_before_any_sql(clients: Clients, db: Database):
    before = db.statistics()

    with pytest.raises(InvalidData, match=r"public\.clients\.name: the value of row 1 "):
        clients.bulk_upsert([Client(phone="1"), Client(phone="2", name="\0")])

    assert db.statistics() == before


@pytest.mark.parametrize("rows", [None, 7, "abc", {"company_id": 7}, [None], ["x"]])
def test_what_is_no_rows_is_refused(clients: Clients, rows: Any):
    with pytest.raises(StatementRefused):
        clients.bulk_upsert(rows)


@pytest.mark.parametrize("option", [{"on_duplicate": "merge"}, {"mode": "MERGE"}])
def test_unknown_option_is_refused(clients: Clients, option: dict[str, Any]):
    with pytest.raises(StatementRefused, match="is one of"):
        clients.bulk_upsert([], **option)


def wal(observer: Connection) -> int:
    position = observer.execute("select pg_current_wal_insert_lsn() - '0/0'").fetchone()
    assert position
    return int(position[0])


def test_sync_of_unchanged_rows_writes_nothing_and_uses_no_identity(clients: Clients, observer: Connection):
    rows = make(clients, range(2000), name="a", tags=["x"], prefs={"a": [1]}, seen_at=datetime(2024, 1, 1, tzinfo=UTC))
    clients.bulk_upsert(rows)
    clients.bulk_upsert(rows, mode="sync")
    # The catalogs too: who finds old rows of theirs cleans up, and logs that.
    observer.execute("vacuum (freeze, analyze) clients")
    observer.execute("vacuum")
    before, last = wal(observer), observer.execute("select last_value from clients_id_seq").fetchone()

    done = clients.bulk_upsert(rows, mode="sync")

    assert done == Written(inserted=0, updated=0, unchanged=2000)
    assert wal(observer) == before
    assert observer.execute("select last_value from clients_id_seq").fetchone() == last


@pytest.mark.parametrize("mode", MODES)
def test_two_calls_over_the_same_keys_never_deadlock(clients: Clients, database: ConnInfo, mode: Mode):
    """Shuffled keys deadlock two statements in sixty; in the order of the key none."""
    barrier = Barrier(3)

    def work(seed: int) -> None:
        random = Random(seed)
        barrier.wait(10)
        for n in range(8):
            rows = make(mine, range(300), visits=seed * 100 + n)
            random.shuffle(rows)
            mine.bulk_upsert(rows, mode=mode)

    with Database(DatabaseSettings(conninfo=database)) as db, ThreadPoolExecutor(3) as executor:
        mine = Clients(db)
        list(executor.map(work, range(3)))

    assert clients.count(company_id=7) == 300


def test_concurrent_calls_insert_every_key_once(either: Repository[Any], database: ConnInfo):
    barrier = Barrier(3)

    def work(name: str) -> Written:
        barrier.wait(10)
        return mine.bulk_upsert(make(mine, range(500), name=name))

    with Database(DatabaseSettings(conninfo=database)) as db, ThreadPoolExecutor(3) as executor:
        mine = type(either)(db)
        done = list(executor.map(work, "abc"))

    assert sum(each.inserted for each in done) == 500
    assert all(each.inserted + each.updated + each.unchanged == 500 for each in done)
    assert either.count(company_id=7) == 500


@pytest.mark.parametrize(
    ("sqlstate", "times", "is_written"), [("40P01", 1, True), ("40P01", 5, False), ("40001", 1, False)]
)
def test_writer_in_steps_that_lost_a_deadlock_begins_again(
    clients: Clients, db: Database, stored: Stored, sqlstate: str, times: int, is_written: bool
):
    ordered, _ = in_order(clients.table, make(clients, range(4)), {}, "error", reject=lambda bad: None)
    losses = iter(range(times))

    def parts() -> Iterator[Part]:
        yield from payloads.chunks(clients.table, ordered, {}, lambda bad: None)
        if writer.rows and next(losses, None) is not None:
            raise Conflict("a deadlock", sqlstate=sqlstate)

    writer = Writer(db, clients.table, "replace")
    with nullcontext() if is_written else pytest.raises(Conflict):
        writer.write_in_steps(parts)

    assert len(stored("phone")) == (4 if is_written else 0)
    assert not is_written or (writer.rows, writer.inserted) == (4, 4)


def test_100000_rows_take_bounded_memory(clients: Clients):
    """W-R14: 65,535 parameters, 500 rows a call, 100 a batch were the limits."""
    rows = make(clients, range(100_000), name="x" * 50, prefs={})
    tracemalloc.start()

    done = clients.bulk_upsert(rows)

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert done.inserted == 100_000
    assert peak < 100 << 20


# -- chunks: each is made while the server writes the one before -------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    id: int
    email: str
    boss: int | None = UNSET


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    id: int
    title: str
    about: Annotated[Any, Sql("jsonb")]


FACTS = Table("public.facts", Fact, primary_key=("id",))
PEOPLE = Table("public.people", Person, primary_key=("id",))


@pytest.fixture
def people(db: Database, observer: Connection) -> Repository[Person]:
    observer.execute(
        "create table people (id bigint primary key, email text not null unique,"
        " boss bigint references people deferrable initially deferred)"
    )
    return Repository(db, PEOPLE)


def test_bad_value_in_a_late_chunk_undoes_all(clients: Clients, db: Database, stored: Stored):
    rows = make(clients, range(1000), name="x")
    rows[901] = replace(rows[901], name="\0")

    with pytest.raises(InvalidData, match=r"public\.clients\.name: the value of row 901 "):
        clients.bulk_upsert(rows)

    assert stored("phone") == []
    assert db.statistics().discarded == 0


def test_bad_value_in_a_late_chunk_leaves_the_transaction_as_it_was(clients: Clients, db: Database, stored: Stored):
    rows = make(clients, range(1000), name="x")
    rows[901] = replace(rows[901], name="\0")

    with db.transaction():
        clients.upsert(Client(phone="a"))
        with pytest.raises(InvalidData):
            clients.bulk_upsert(rows)
        clients.bulk_upsert(make(clients, range(200)))

    assert len(stored("phone")) == 201


def test_bad_row_in_a_late_chunk_leaves_the_transaction_as_it_was(clients: Clients, db: Database, stored: Stored):
    rows = make(clients, range(1000))
    rows[500] = replace(rows[500], spent=Decimal(-1))

    with db.transaction():
        clients.upsert(Client(phone="a"))
        with pytest.raises(CheckFailed, match="clients_spent_check"):
            clients.bulk_upsert(rows)
        clients.upsert(Client(phone="b"))

    assert stored("phone") == [("a",), ("b",)]


def test_constraint_that_fails_at_the_end_undoes_all_chunks(people: Repository[Person]):
    rows = [Person(id=i, email=str(i), boss=5000 if i == 900 else 0) for i in range(1000)]

    with pytest.raises(ForeignKeyMissing) as refusal:
        people.bulk_upsert(rows)

    assert refusal.value.constraint == "people_boss_fkey"
    assert people.count() == 0
    assert people.bulk_upsert(rows[:900]).inserted == 900


def test_rows_that_lack_a_column_in_a_late_chunk_are_written_with_the_others(clients: Clients, stored: Stored):
    clients.bulk_upsert(make(clients, range(900, 1000), name="old", visits=1))
    rows: list[Any] = make(clients, range(1000), name="new")
    rows[950] = {"company_id": 7, "phone": "000950", "visits": 2}

    done = clients.bulk_upsert(rows)

    assert done == Written(inserted=900, updated=100, unchanged=0)
    assert stored("phone, name, visits")[949:952] == [("000949", "new", 1), ("000950", "old", 2), ("000951", "new", 1)]


def test_json_that_repeats_itself_changes_the_rows_that_exist(db: Database, observer: Connection):
    observer.execute("create table facts (id bigint primary key, title text not null, about jsonb)")
    observer.execute(
        "insert into facts select i, 'old', case when i < 10 then '[1]'::jsonb end from generate_series(0, 999) as i"
    )
    facts = Repository(db, FACTS)
    abouts: list[Any] = [[1], {"a": "b"}, None]

    done = facts.bulk_upsert({"id": i, "about": abouts[i % 3]} for i in range(1000))

    assert done == Written(inserted=0, updated=666, unchanged=334)
    assert [(each.title, each.about) for each in facts.find_many(order_by="id")] == [
        ("old", abouts[i % 3]) for i in range(1000)
    ]


BLOCKED = "select count(*) from pg_locks where not granted"


@pytest.mark.parametrize("known", [5, 500])
def test_chunks_that_need_two_steps_wait_for_nobody_who_waits_for_them(
    either: Repository[Any], observer: Connection, known: int
):
    """One call has inserted a row and wants to change another; the other call has changed that and wants to insert."""
    either.bulk_upsert(make(either, [200, known]))
    name = either.table.identifier.as_string(None)

    def until(is_so: Callable[[], bool]) -> None:
        deadline = monotonic() + 10
        while not is_so():
            assert monotonic() < deadline
            Event().wait(0.005)

    with ThreadPoolExecutor(2) as threads:
        with observer.transaction():
            observer.execute(f"select from {name} where phone = '000200' for update")
            many = threads.submit(either.bulk_upsert, make(either, range(1000), name="many"))
            until(lambda: observer.execute(BLOCKED).fetchone() == (1,))
            few = threads.submit(either.bulk_upsert, make(either, [5, 500], name="few"))
            until(lambda: few.done() or observer.execute(BLOCKED).fetchone() == (2,))
        done = many.result(), few.result()

    assert sum(each.inserted for each in done) == 998
    assert either.count(company_id=7) == 1000


def test_row_that_is_never_written_undoes_what_came_with_it(parts: Parts, observer: Connection):
    """Before 18 a partitioned table needs two steps, which are repeated while rows are missing."""
    observer.execute("create function swallow() returns trigger language plpgsql as 'begin return null; end'")
    observer.execute(
        "create trigger swallow before insert on parted_7 for each row when (new.phone = '000003')"
        " execute function swallow()"
    )
    needs_steps = observer.info.server_version < 180000

    with pytest.raises(Conflict) if needs_steps else nullcontext():
        parts.bulk_upsert(make(parts, range(10), name="a"))

    assert parts.count(company_id=7) == (0 if needs_steps else 9)


class Trap(dict[str, Any]):
    """Interrupts who looks at it for the second time."""

    looks = 0

    def items(self) -> Any:
        self.looks += 1
        if self.looks > 1:
            raise KeyboardInterrupt
        return super().items()


@pytest.mark.parametrize("is_inside", [False, True])
def test_interruption_between_two_chunks_stores_nothing(
    clients: Clients, db: Database, stored: Stored, is_inside: bool
):
    rows: list[Any] = make(clients, range(1000))
    rows[901] = Trap(company_id=7, phone="000901")

    with pytest.raises(KeyboardInterrupt), db.transaction() if is_inside else nullcontext():
        clients.bulk_upsert(rows)

    assert stored("phone") == []
    assert clients.bulk_upsert(make(clients, range(1000))).inserted == 1000
    assert db.statistics().in_use == 0


def test_connection_that_is_lost_between_two_chunks_stores_nothing(
    clients: Clients, observer: Connection, stored: Stored
):
    observer.execute(
        "create function leave() returns trigger language plpgsql as"
        " 'begin perform pg_terminate_backend(pg_backend_pid()); return new; end'"
    )
    observer.execute(
        "create trigger leave before insert on clients for each row when (new.phone = '000500')"
        " execute function leave()"
    )

    with pytest.raises(Disconnected):
        clients.bulk_upsert(make(clients, range(1000)))

    assert stored("phone") == []
    assert clients.bulk_upsert(make(clients, range(499))).inserted == 499


# -- partial -----------------------------------------------------------------------------------------------------------


def test_exactly_the_bad_rows_are_rejected_with_their_reasons(clients: Clients, stored: Stored):
    """W-R34: retrying with smaller batches on partial failure is implemented nowhere."""
    rows: list[Any] = make(clients, range(500), name="ok", spent=Decimal(1), prefs={"likes": []})
    rows[0] = replace(rows[0], spent=Decimal(-1))
    rows[100] = replace(rows[100], name="a\0")
    rows[101] = replace(rows[101], visits=None)
    rows[250] = replace(rows[250], spent=Decimal(10) ** 11)
    rows[251] = replace(rows[251], visits="many")
    rows[499] = replace(rows[499], phone=None)

    done = clients.bulk_upsert(rows, partial=True)

    assert (done.inserted, done.updated, done.unchanged) == (494, 0, 0)
    assert [(r.position, r.key[1], r.sqlstate, r.constraint, r.column) for r in done.rejected] == [
        (0, "000000", "23514", "clients_spent_check", None),
        (100, "000100", "22P05", None, "name"),
        (101, "000101", "23502", None, "visits"),
        (250, "000250", "22003", None, None),
        (251, "000251", "22023", None, "visits"),
        (499, None, "23502", None, "phone"),
    ]
    assert stored("distinct prefs") == [({"likes": []},)]
    assert len(stored("phone")) == 494


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bad=st.sets(st.integers(0, 199), max_size=40), mode=st.sampled_from(MODES))
def test_any_bad_rows_are_found(either: Repository[Any], observer: Connection, bad: set[int], mode: Mode):
    either.delete(company_id=7)
    either.bulk_upsert(make(either, range(50), name="ok"))
    rows = make(either, range(200), name="ok")
    for i in bad:
        rows[i] = replace(rows[i], visits=None)

    done = either.bulk_upsert(rows, partial=True, mode=mode)

    assert [each.position for each in done.rejected] == sorted(bad)
    assert done.unchanged == len(set(range(50)) - bad)
    assert done.inserted == len(set(range(50, 200)) - bad)
    assert either.count(company_id=7) == 50 + done.inserted


def test_rows_that_exclude_each_other_lose_the_later_one(people: Repository[Person]):
    people.insert(Person(id=1, email="taken"))
    rows = [Person(id=i, email=f"{i // 2 * 2 if i in {7, 31} else i}") for i in range(2, 60)]
    rows.append(Person(id=99, email="taken"))

    done = people.bulk_upsert(rows, partial=True)

    assert [(each.key, each.sqlstate, each.constraint) for each in done.rejected] == [
        ((7,), "23505", "people_email_key"),
        ((31,), "23505", "people_email_key"),
        ((99,), "23505", "people_email_key"),
    ]
    assert people.count() == 1 + done.inserted == 57


def test_row_is_not_rejected_for_one_that_comes_with_it(people: Repository[Person], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(payloads, "CHUNK_BYTES", 100)
    bosses = {1: 30, 2: 77, 3: 1, 30: 30, 31: 2, 40: 3}
    rows = [Person(id=i, email=str(i), boss=bosses.get(i)) for i in range(50)]

    done = people.bulk_upsert(rows, partial=True)

    assert [(each.key, each.sqlstate, each.constraint) for each in done.rejected] == [
        ((2,), "23503", "people_boss_fkey"),
        ((31,), "23503", "people_boss_fkey"),
    ]
    assert people.count() == 48


def test_without_the_right_to_temporary_functions_rows_are_split_from_here(
    clients: Clients, observer: Connection, database: ConnInfo
):
    observer.execute("create role plain login")
    try:
        observer.execute("grant all on clients to plain")
        observer.execute(f'revoke temporary on database "{database.parameters["dbname"]}" from public'.encode())
        with Database(DatabaseSettings(conninfo=database.with_parameters(user="plain"))) as db:
            rows = make(clients, range(100))
            for i in (3, 50, 99):
                rows[i] = replace(rows[i], spent=Decimal(-1))

            done = Clients(db).bulk_upsert(rows, partial=True)
    finally:
        observer.execute("drop owned by plain")
        observer.execute("drop role plain")

    assert [(each.position, each.constraint) for each in done.rejected] == [
        (i, "clients_spent_check") for i in (3, 50, 99)
    ]
    assert done.inserted == 97


@pytest.mark.parametrize("columns", [99, 100])
def test_bad_row_is_found_in_a_table_of_more_columns_than_a_function_has_arguments(
    db: Database, observer: Connection, columns: int
):
    names = ["id", *(f"c{i}" for i in range(1, columns))]
    declared = ", ".join(f"{name} bigint not null" for name in names)
    observer.execute(f"create table wide ({declared}, primary key (id), check (c1 >= 0))".encode())
    row = make_dataclass("Row", [(name, int) for name in names], frozen=True, slots=True)
    wide = Repository(db, Table("public.wide", row, primary_key=("id",)))

    done = wide.bulk_upsert([row(*[i if i != 3 else -i] * columns) for i in range(8)], partial=True)

    assert [(each.position, each.constraint) for each in done.rejected] == [(3, "wide_c1_check")]
    assert done.inserted == 7


def test_error_that_no_row_is_to_blame_for_is_raised(clients: Clients, observer: Connection):
    observer.execute("drop table clients")

    with pytest.raises(SchemaMismatch):
        clients.bulk_upsert([Client(phone="1")], partial=True)


def test_partial_call_within_a_transaction_ends_with_it(clients: Clients, db: Database, stored: Stored):
    def work() -> None:
        with db.transaction():
            done = clients.bulk_upsert([Client(phone="1"), Client(phone="2", spent=Decimal(-1))], partial=True)
            assert len(done.rejected) == 1
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()

    assert stored("phone") == []


def test_without_partial_the_constraint_is_the_error(people: Repository[Person]):
    with pytest.raises(Duplicate):
        people.bulk_upsert([Person(id=1, email="a"), Person(id=2, email="a")])
    with pytest.raises(ForeignKeyMissing):
        people.bulk_upsert([Person(id=1, email="a", boss=9)])
    with pytest.raises(NullNotAllowed):
        people.bulk_upsert([{"id": 1, "email": None}])
    assert people.count() == 0
