"""What a clean-up deletes, and what it leaves alone whatever the database does."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Annotated
from uuid import UUID

import pytest
from tests.integration.tables.markers.conftest import BOOKINGS, CLIENTS, ROOMS, TABLES, Client, Room

from trueup.errors import PermissionMissing, RowsHidden, SchemaMismatch, UsageError
from trueup.tables import Begins, CleanUpRefused, Ends, Equals, Repository, Sql, Table
from trueup.tables.markers import clean, record


@pytest.fixture
def populated(make):
    """Return a client that tests made, with a second one who knows it, a booking, and a room."""
    first = make(CLIENTS, phone="+70000000001")
    make(CLIENTS, phone="+70000000002", referrer_id=first.id)
    make(BOOKINGS, client_id=first.id, slot=1)
    make(ROOMS, is_test=True)
    return first


WHOLE = {"public.bookings": 1, "public.clients": 2, "public.rooms": 1}


def refused(db, tables=TABLES, **options):
    with pytest.raises(CleanUpRefused) as caught:
        clean(db, tables, **options)
    return {(each.table, each.rows): each.reason for each in caught.value.objections}


def test_everything_that_tests_made_goes_and_nothing_else(db, populated, observer, counted):
    """W-T7: all tables, not three of sixteen. W-T11: nothing stays behind."""
    observer.execute("insert into clients (phone) values ('+49'), ('+700'); insert into rooms default values")

    done = clean(db, TABLES)

    assert done.tables == WHOLE
    assert (done.rows, done.dry_run) == (4, False)
    assert observer.execute("select phone from clients order by 1").fetchall() == [("+49",), ("+700",)]
    assert (counted("bookings"), counted("rooms"), counted("trueup.made")) == (0, 1, 0)


def test_dry_run_reports_what_the_run_deletes_and_changes_nothing(db, populated, counted):
    before = [counted(table) for table in ("clients", "bookings", "rooms", "trueup.made")]

    dry, again = clean(db, TABLES, dry_run=True), clean(db, TABLES, dry_run=True)

    assert dry.dry_run
    assert [counted(table) for table in ("clients", "bookings", "rooms", "trueup.made")] == before
    assert dry.tables == again.tables == clean(db, TABLES).tables == WHOLE


def test_second_clean_up_finds_nothing(db, populated):
    clean(db, TABLES)

    assert clean(db, TABLES).rows == 0


@pytest.mark.parametrize("dry_run", [False, True])
def test_marker_that_matches_more_than_tests_made_is_refused(db, populated, observer, counted, dry_run):
    """W-T2: a range or a prefix that real rows have as well deletes none of them. W-T4: nor a real person's row."""
    observer.execute("insert into clients (phone) values ('+70009999999')")

    objections = refused(db, dry_run=dry_run)

    assert objections == {("public.clients", 1): "1 row with the marker, and no test made it"}
    assert (counted("clients"), counted("bookings")) == (3, 1)


def test_marker_alone_deletes_nothing(db, observer, counted):
    """W-T2: a database in which no test has ever made a row has no journal, or an empty one."""
    observer.execute("insert into rooms (is_test) values (true), (true)")
    assert refused(db) == {("public.rooms", 2): "2 rows with the marker, and no test made them"}

    observer.execute("drop schema trueup cascade")

    assert refused(db) == {("public.rooms", 2): "2 rows with the marker, and no test made them"}
    assert counted("rooms") == 2


def test_journal_alone_deletes_nothing(db, populated, observer, counted):
    """A key in the journal may have become somebody else's row."""
    observer.execute("update clients set phone = '+49' where referrer_id is not null")

    assert refused(db) == {("public.clients", 1): "1 row made by tests, without the marker now"}
    assert counted("clients") == 2


def test_refusal_tells_no_value_of_a_row(db, observer):
    observer.execute("insert into clients (phone) values ('+70009999999')")

    with pytest.raises(CleanUpRefused, match=r"nothing was deleted: public\.clients: 1 row") as caught:
        clean(db, TABLES)

    assert "9999" not in str(caught.value)


def test_row_that_the_code_under_test_wrote_goes_with_the_row_it_points_to(db, populated, observer, counted):
    """W-T5: rows written through the normal code path, which no factory made, are found."""
    observer.execute("insert into bookings values (%s, 2), (%s, 3)", [populated.id, populated.id])

    assert clean(db, TABLES).tables["public.bookings"] == 3
    assert counted("bookings") == 0


@pytest.mark.parametrize("action", ["no action", "restrict", "cascade", "set null", "set default"])
def test_row_of_somebody_else_that_hangs_on_ours_is_refused(db, populated, observer, counted, action):
    observer.execute(
        "create table visits (id int primary key, client_id bigint default 0 references clients"
        f" on delete {action}); insert into visits values (1, {populated.id}), (2, {populated.id}), (3, null)"
    )

    objections = refused(db)

    reason = "2 rows that are no test data point to test data of public.clients (visits_client_id_fkey)"
    assert objections == {("public.visits", 2): reason}
    assert (counted("visits where client_id is not null"), counted("clients")) == (2, 2)


def test_real_row_of_the_same_table_that_hangs_on_ours_is_refused(db, populated, observer):
    observer.execute("insert into clients (phone, referrer_id) values ('+49', %s)", [populated.id])

    assert list(refused(db)) == [("public.clients", 1)]


def test_limit_is_kept(db, populated, counted):
    assert clean(db, TABLES, dry_run=True, max_delete=4).rows == 4
    for limit in (3, 2, 0):
        assert "more than" in next(iter(refused(db, max_delete=limit).values()))
    assert counted("clients") == 2

    with pytest.raises(UsageError, match="-1"):
        clean(db, TABLES, max_delete=-1)


def test_tables_that_point_to_each_other_go_together(db, make, observer, counted):
    observer.execute(
        "alter table rooms add column client_id bigint references clients on delete restrict;"
        "alter table clients add column room_id uuid references rooms on delete restrict"
    )
    client, room = make(CLIENTS, phone="+70001"), make(ROOMS, is_test=True)
    observer.execute("update clients set room_id = %s", [room.id])
    observer.execute("update rooms set client_id = %s", [client.id])

    assert clean(db, TABLES).rows == 2
    assert (counted("clients"), counted("rooms")) == (0, 0)


def trigger(timing, body):
    return (
        f"create function act() returns trigger language plpgsql as $$ begin {body} end $$;"
        f"create trigger acting {timing} delete on clients for each row execute function act()"
    )


KEEP = "if old.referrer_id is null then return null; end if; return old;"
DELETE_OTHERS = "delete from rooms where not is_test; return old;"


@pytest.mark.parametrize("dry_run", [False, True])
@pytest.mark.parametrize(
    ("script", "objections"),
    [
        (trigger("before", KEEP), {("public.clients", 1): "a trigger or a rule kept 1 row"}),
        (
            "create rule quiet as on delete to rooms do instead nothing",
            {("public.rooms", 1): "a trigger or a rule kept"},
        ),
        (trigger("after", DELETE_OTHERS), {("public.rooms", 2): "lost 2 rows that nobody asked for"}),
    ],
    ids=["keeps", "rule", "deletes others"],
)
def test_trigger_that_changes_what_is_deleted_is_refused(db, populated, observer, counted, script, objections, dry_run):
    observer.execute("insert into rooms default values; insert into rooms default values")
    observer.execute("alter table bookings drop constraint bookings_client_id_fkey")
    observer.execute("alter table clients drop constraint clients_referrer_id_fkey")
    observer.execute(script)

    found = refused(db, dry_run=dry_run)

    assert found.keys() == objections.keys()
    assert all(said in found[key] for key, said in objections.items())
    assert (counted("clients"), counted("rooms"), counted("trueup.made")) == (2, 3, 4)


def test_trigger_that_counts_is_no_objection(db, populated, observer):
    observer.execute("create table log (n int)")
    observer.execute(trigger("after", "insert into log values (1); return null;"))

    assert clean(db, TABLES).rows == 4


def test_constraint_that_waits_for_commit_is_checked_in_a_dry_run_too(db, populated, observer):
    observer.execute(
        "create function no() returns trigger language plpgsql as $$ begin raise sqlstate 'P0001'; end $$;"
        "create constraint trigger late after delete on rooms initially deferred for each row execute function no()"
    )

    for dry_run in (True, False):
        with pytest.raises(Exception, match="P0001"):
            clean(db, TABLES, dry_run=dry_run)


def test_partitions_are_their_table(db, observer, make, counted):
    observer.execute(
        "drop table bookings; create table bookings (client_id bigint not null references clients, slot integer,"
        " note varchar(20), primary key (client_id, slot)) partition by range (slot);"
        "create table early partition of bookings for values from (0) to (10);"
        "create table late partition of bookings for values from (10) to (20) partition by list (client_id);"
        "create table later partition of late default;"
        "create table bills (id int primary key, client_id bigint, slot int,"
        " foreign key (client_id, slot) references bookings on delete cascade)"
    )
    client = make(CLIENTS, phone="+70001")
    make(BOOKINGS, client_id=client.id, slot=1)
    make(BOOKINGS, client_id=client.id, slot=11)
    observer.execute("insert into bills values (1, %s, 11)", [client.id])
    assert list(refused(db)) == [("public.bills", 1)]

    observer.execute("delete from bills")

    assert clean(db, TABLES).tables == {"public.bookings": 2, "public.clients": 1, "public.rooms": 0}
    assert counted("bookings") == 0


def test_partition_with_a_contract_of_its_own_is_held_against_the_whole(db, observer, make):
    observer.execute(
        "create table events (id bigint primary key, kind text not null) partition by range (id);"
        "create table events_1 partition of events for values from (0) to (10);"
        "create table notes (event_id bigint references events on delete cascade)"
    )

    @dataclass(frozen=True, slots=True)
    class Event:
        id: int
        kind: str

    table = Table("public.events_1", Event, primary_key=("id",), marker=Equals("kind", "test"))
    make(table, id=1, kind="test")
    observer.execute("insert into notes values (1)")
    assert list(refused(db, [table])) == [("public.notes", 1)]

    observer.execute("delete from notes")

    assert clean(db, [table]).tables == {"public.events_1": 1}


def test_row_that_points_to_a_partition_hangs_on_the_whole_table(db, observer, make):
    observer.execute(
        "create table events (id bigint primary key, kind text not null) partition by range (id);"
        "create table events_1 partition of events for values from (0) to (10);"
        "create table notes (event_id bigint references events_1 on delete cascade) partition by list (event_id);"
        "create table notes_1 partition of notes for values in (1)"
    )

    @dataclass(frozen=True, slots=True)
    class Event:
        id: int
        kind: str

    table = Table("public.events", Event, primary_key=("id",), marker=Equals("kind", "test"))
    make(table, id=1, kind="test")
    observer.execute("insert into notes values (1)")

    with pytest.raises(CleanUpRefused) as caught:
        clean(db, [table])

    ((table_name, number, reason),) = [(each.table, each.rows, each.reason) for each in caught.value.objections]
    assert (table_name, number) == ("public.notes", 1)
    assert "points to test data of public.events" in reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Odd:
    moment: datetime
    day: date
    span: timedelta
    amount: Decimal
    share: float
    token: UUID
    name: str
    code: Annotated[str, Sql("varchar(30)")]
    flag: bool
    small: Annotated[int, Sql("smallint")]
    photo: bytes


ODD_KEY = ("moment", "day", "span", "amount", "share", "token", "name", "flag", "small", "photo")
ODD = Table('public.Odd "one"', Odd, primary_key=ODD_KEY, marker=Ends("code", r"100%_\'"))


def test_keys_and_names_of_every_kind_are_exact(db, observer, make):
    observer.execute(
        'create table "Odd ""one""" (moment timestamptz, day date, span interval, amount numeric, share float8,'
        " token uuid, name text, code varchar(30), flag bool, small smallint, photo bytea, primary key"
        " (moment, day, span, amount, share, token, name, flag, small, photo))"
    )
    database = observer.info.dbname
    observer.execute(
        f"alter database {database} set timezone = 'Asia/Kathmandu';"
        f"alter database {database} set datestyle = 'German, DMY';"
        f"alter database {database} set bytea_output = 'escape'; alter database {database} set extra_float_digits = 0"
    )
    values = {
        "moment": datetime(2026, 3, 4, 5, 6, 7, 89, tzinfo=UTC),
        "day": date(2026, 2, 3),
        "span": timedelta(days=-1, seconds=3, microseconds=7),
        "amount": Decimal("1.10"),
        "share": 0.1 + 0.2,
        "token": UUID(int=7),
        "name": "a,\"b\\{}' NULL é🙂",
        "code": r"x100%_\'",
        "flag": True,
        "small": -5,
        "photo": b"\0\xff\\",
    }
    make(ODD, **values)
    observer.execute(
        'insert into "Odd ""one""" select moment, day, span, amount, share, token, name, \'100\', flag, 6, photo'
        ' from "Odd ""one"""'
    )

    assert clean(db, [ODD]).rows == 1
    assert observer.execute('select small from "Odd ""one"""').fetchall() == [(6,)]


def test_row_that_is_gone_is_forgotten(db, populated, observer, counted):
    """An entry must not outlive its row: the key may be given to somebody else."""
    observer.execute("delete from rooms")

    clean(db, TABLES)

    assert counted("trueup.made") == 0


def test_rows_of_one_run_go_and_those_of_another_stay(db, observer, counted):
    """A test cleans up behind itself while others run, whatever else there is."""
    with db.transaction() as transaction:
        for run in ("one", "two"):
            row = Repository(db, CLIENTS).insert(Client(phone=f"+7000{run}"))
            record(transaction.connection, CLIENTS, [row], run=run)
    observer.execute("insert into bookings select id, 1 from clients; insert into rooms (is_test) values (true)")

    done = clean(db, TABLES, run="one")

    assert done.tables == {"public.bookings": 1, "public.clients": 1, "public.rooms": 0}
    assert observer.execute("select phone, run from clients join trueup.made on key[1] = id::text").fetchall() == [
        ("+7000two", "two")
    ]
    observer.execute("update clients set phone = '+49'")
    assert "disagree" in refused(db, run="two")["public.clients", 1]


def test_row_and_entry_are_stored_together_or_not_at_all(db, observer, counted):
    with suppress(ZeroDivisionError), db.transaction() as transaction:
        row = Repository(db, ROOMS).insert(Room(is_test=True))
        record(transaction.connection, ROOMS, [row], run="7f3a")
        raise ZeroDivisionError

    assert (counted("rooms"), counted("trueup.made")) == (0, 0)


def test_entry_outside_a_transaction_is_refused(observer):
    row = Client(phone="+70001", id=1)

    with pytest.raises(UsageError, match=r"db\.transaction"):
        record(observer, CLIENTS, [row], run="7f3a")


def test_hidden_rows_are_no_absent_rows(db, populated, observer, login, counted):
    observer.execute("alter table clients enable row level security")

    with login() as limited, pytest.raises(RowsHidden, match="BYPASSRLS"):
        clean(limited, TABLES)

    assert counted("clients") == 2


@pytest.mark.parametrize("missing", ["delete on rooms", "select on clients", "update on bookings"])
def test_missing_permission_deletes_nothing(db, populated, observer, login, counted, missing):
    with login() as limited:
        observer.execute(f"revoke {missing} from {limited.settings.conninfo.parameters['user']}")
        for dry_run in (True, False):
            with pytest.raises(PermissionMissing):
                clean(limited, TABLES, dry_run=dry_run)

    assert (counted("clients"), counted("bookings"), counted("rooms")) == (2, 1, 1)


def test_role_with_the_privileges_that_the_page_lists_can_clean_up(populated, login):
    with login() as limited:
        assert clean(limited, TABLES).rows == 4


def test_table_that_is_not_there_is_named(db, observer):
    observer.execute("drop table bookings")

    with pytest.raises(SchemaMismatch, match="bookings"):
        clean(db, TABLES)


def test_marker_of_another_table_is_known_by_its_contract(db, observer):
    table = Table("public.bookings", BOOKINGS.row, primary_key=("client_id", "slot"), marker=Begins("note", "test"))

    with pytest.raises(UsageError, match=r"follows public\.clients"):
        clean(db, [BOOKINGS])
    assert clean(db, [table]).rows == 0
