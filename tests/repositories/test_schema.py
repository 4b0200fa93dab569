"""The migrations: up, down and up again, and what they refuse to touch; and what the schema must not have again."""

from collections.abc import Iterator

import psycopg
import pytest
from tests.integration.migrations.test_dbmate import dbmate_up
from tests.repositories.rows import COMPANY

from trueup.conninfo import ConnInfo
from trueup.db import Connection, connect, snapshot
from trueup.errors import MigrationFailed
from trueup.migrations import Migrations, migrate_down, migrate_up
from trueup.parity.schema import Catalog, Difference, catalog, diff
from trueup.servers import EmbeddedServer
from trueup.testing.rewind import Baseline


@pytest.fixture
def connection(empty: ConnInfo) -> Iterator[Connection]:
    connection = connect(empty)
    yield connection
    connection.close()


def structure(conninfo: ConnInfo) -> Catalog:
    with snapshot(conninfo) as held:
        return catalog(held)


def changes(before: Catalog, after: Catalog) -> list[Difference]:
    return [each for each in diff(before, after) if "schema_migrations" not in each.object]


def test_every_migration_can_be_undone_and_done_again(
    empty: ConnInfo, connection: Connection, migrations: Migrations
) -> None:
    done = structure(empty)
    for migration in migrations.files:
        before = done
        migrate_up(connection, migrations, to=migration.version)
        done = structure(empty)
        migrate_down(connection, migrations)
        undone = structure(empty)
        migrate_up(connection, migrations, to=migration.version)

        assert changes(before, done), migration.name
        assert changes(before, undone) == [], migration.name
    assert diff(done, structure(empty)) == ()


def test_nothing_is_left_when_all_is_undone(connection: Connection, migrations: Migrations) -> None:
    migrate_up(connection, migrations)
    migrate_down(connection, migrations, steps=len(migrations.files))

    left = "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'S')"
    functions = "select count(*) from pg_proc where pronamespace = 'public'::regnamespace"
    assert connection.execute(left).fetchall() == [("schema_migrations",)]
    assert connection.execute(functions).fetchone() == (0,)


def test_dbmate_builds_the_same(server: EmbeddedServer, empty: ConnInfo, template: str, migrations: Migrations) -> None:
    dbmate_up(empty, migrations.folder)

    server.drop_database("by_us")
    assert diff(structure(server.create_database("by_us", template=template)), structure(empty)) == ()


# -- unique keys -------------------------------------------------------------------------------------------------------

BEFORE_KEYS = "20261123060500"
TWICE = {
    "clients": "insert into clients (company_id, yclients_id, name)"
    " select -7, n % 2, 'x' from generate_series(1, 4) as n",
    "services": "insert into services (company_id, yclients_id, title) select -7, 5, 'x' from generate_series(1, 2)",
    "staff": "insert into staff (company_id, yclients_id, name) select -7, 5, 'x' from generate_series(1, 2)",
    "staff_schedules": "insert into staff_schedules (company_id, yclients_staff_id, date)"
    " select -7, 5, '2031-05-12' from generate_series(1, 2)",
    "bookings": "insert into bookings (company_id, yclients_record_id, staff_id, datetime, duration)"
    " select -7, 5, n, now(), 60 from generate_series(1, 2) as n",
    "dialog_contexts": "insert into dialog_contexts (company_id, user_id) select -7, 'u' from generate_series(1, 2)",
    "booking_notifications": "insert into booking_notifications"
    " (company_id, yclients_record_id, phone, notification_type, notification_date)"
    " select -7, 5, '+70001230022', 'a', '2031-05-12' from generate_series(1, 2)",
    "appointments_cache": "insert into appointments_cache (company_id, yclients_record_id)"
    " select -7, 5 from generate_series(1, 2)",
    "webhook_events": "insert into webhook_events (company_id, event_id, event_type, payload)"
    " select -7, 'e', 'a', '{}' from generate_series(1, 2)",
}
KEY_MESSAGES = {
    "clients": "clients: 2 keys (company_id, yclients_id) are not unique: (-7,0) 2 times; (-7,1) 2 times",
    "staff_schedules": "1 keys (company_id, yclients_staff_id, date) are not unique: (-7,5,2031-05-12) 2 times",
    "dialog_contexts": "1 keys (company_id, user_id) are not unique: (-7,u) 2 times",
}


@pytest.fixture(scope="module")
def keyless(server: EmbeddedServer, migrations: Migrations) -> Iterator[Baseline]:
    """Return the state of a database before its keys."""
    server.drop_database("keyless")
    conninfo = server.create_database("keyless")
    with connect(conninfo) as connection:
        migrate_up(connection, migrations, to=BEFORE_KEYS)
        connection.execute("insert into companies (company_id, title) values (-7, 'x')")
    with Baseline.take(conninfo) as baseline:
        yield baseline


@pytest.fixture
def before_keys(server: EmbeddedServer, keyless: Baseline) -> Iterator[Connection]:
    """Return a connection to a database whose tables have no keys; its structure must stay as it is."""
    with connect(server.conninfo("keyless")) as connection:
        yield connection
    outcome = keyless.rewind()
    assert outcome, outcome


@pytest.mark.parametrize("table", TWICE)
def test_duplicates_are_named_before_anything_is_changed(
    before_keys: Connection, migrations: Migrations, table: str
) -> None:
    """M-5: adding a unique constraint to a table with duplicates."""
    before_keys.execute(TWICE[table].encode())

    with pytest.raises(MigrationFailed) as caught:
        migrate_up(before_keys, migrations)

    assert KEY_MESSAGES.get(table, f"{table}: 1 keys") in str(caught.value)
    assert "Merge or delete these rows" in str(caught.value)


def test_failed_migration_leaves_the_structure_as_it_was(
    server: EmbeddedServer, before_keys: Connection, migrations: Migrations
) -> None:
    before_keys.execute(TWICE["webhook_events"].encode())
    before = structure(server.conninfo("keyless"))

    with pytest.raises(MigrationFailed):
        migrate_up(before_keys, migrations)

    assert diff(before, structure(server.conninfo("keyless"))) == ()


def test_many_duplicates_are_counted_and_the_first_named(before_keys: Connection, migrations: Migrations) -> None:
    before_keys.execute(
        "insert into clients (company_id, yclients_id, name) select -7, n / 2, 'x' from generate_series(2, 101) as n"
    )

    with pytest.raises(MigrationFailed) as caught:
        migrate_up(before_keys, migrations)

    assert "50 keys" in str(caught.value)
    assert str(caught.value).count("2 times") == 20


def test_nobody_writes_between_the_check_and_the_constraint(database: ConnInfo, observer: Connection) -> None:
    with connect(database) as connection, connection.transaction():
        connection.execute("select require_unique('clients', 'company_id', 'yclients_id')")
        observer.execute("set lock_timeout = '50ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            observer.execute("insert into clients (company_id, yclients_id, name) values (-7, 1, 'x')")
        assert observer.execute("select count(*) from clients").fetchone() == (0,)


def test_null_is_no_duplicate_of_null(connection: Connection, migrations: Migrations) -> None:
    migrate_up(connection, migrations, to=BEFORE_KEYS)
    connection.execute("create table loose (a bigint, b bigint)")
    connection.execute("insert into loose values (1, null), (1, null)")

    connection.execute("select require_unique('loose', 'a', 'b')")


def test_duplicates_that_are_gone_are_no_obstacle(connection: Connection, migrations: Migrations) -> None:
    migrate_up(connection, migrations, to=BEFORE_KEYS)
    connection.execute("insert into companies (company_id, title) values (-7, 'x')")
    connection.execute(TWICE["services"].encode())
    with pytest.raises(MigrationFailed):
        migrate_up(connection, migrations)

    connection.execute("delete from services where id = (select max(id) from services)")

    assert migrate_up(connection, migrations)[0].name == "conflict_keys"


# -- what must not come back -------------------------------------------------------------------------------------------

COLUMNS = """
    select relname || '.' || attname
    from pg_attribute
    join pg_class on pg_class.oid = attrelid
    where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and attnum > 0 and not attisdropped
      and relname <> 'schema_migrations' and not relispartition and {condition}
    order by 1
"""
EXTERNAL = (
    r"attname ~ '(^|_)(company|yclients|salon|staff|record|category|service|client)(_yclients|_record|_staff)?_ids?$'"
)
BAD = {
    "M-17 external ids of four bytes": f"{EXTERNAL} and atttypid in ('int4'::regtype, 'int4[]'::regtype)",
    "M-18 ids that are texts": f"{EXTERNAL} and atttypid = 'text'::regtype and relname !~ '^whatsapp_'",
    "M-19 tenants that may be NULL": "attname = 'company_id' and not attnotnull and relname <> 'marketplace_events'",
    "M-15 instants without a zone": "atttypid = 'timestamp'::regtype",
    "M-14 texts that are cut": "atttypid in ('varchar'::regtype, 'varchar[]'::regtype, 'bpchar'::regtype)",
    "M-13 structures that are texts": "attname ~ '(data|messages|hours|history|preferences|metadata|payload)$'"
    " and atttypid <> 'jsonb'::regtype",
    "M-20 lists without a default": "typcategory(atttypid) = 'A' and not atthasdef",
}


@pytest.mark.parametrize("drift", BAD)
def test_drift_is_repaired(observer: Connection, drift: str) -> None:
    condition = BAD[drift].replace("typcategory(atttypid)", "(select typcategory from pg_type where oid = atttypid)")

    assert observer.execute(COLUMNS.format(condition=condition).encode()).fetchall() == []


def test_no_index_repeats_another(observer: Connection) -> None:
    """1.1: unique and plain on the same column; two identical partial ones; a name that outlived its column."""
    query = """
        select longer.indexrelid::regclass, shorter.indexrelid::regclass
        from pg_index as longer
        join pg_index as shorter
            on shorter.indrelid = longer.indrelid and shorter.indexrelid <> longer.indexrelid
        join pg_class on pg_class.oid = longer.indrelid and relnamespace = 'public'::regnamespace
        where longer.indpred is null and shorter.indpred is null and shorter.indexprs is null
          and not shorter.indisunique and not shorter.indisexclusion
          and (longer.indkey::text || ' ') like (shorter.indkey::text || ' %')
    """

    assert observer.execute(query).fetchall() == []


def test_foreign_keys_are_served_by_an_index(observer: Connection) -> None:
    query = """
        select conrelid::regclass, conname
        from pg_constraint
        where contype = 'f' and connamespace = 'public'::regnamespace
          and not exists (
              select from pg_index where indrelid = conrelid and indkey[0] = conkey[1] and indpred is null
          )
    """

    assert observer.execute(query).fetchall() == []


def test_every_check_can_be_false(observer: Connection) -> None:
    """1.3: a list with NULL in it is never false."""
    query = "select conname, pg_get_constraintdef(oid) from pg_constraint where contype = 'c'"
    checks = dict(observer.execute(query).fetchall())

    assert len(checks) > 20
    assert [name for name, text in checks.items() if "NULL::" in text or "NULL," in text] == []


def test_no_trigger_writes_updated_at(observer: Connection) -> None:
    """1.3: it changed the time of rows that were only copied. The contracts' `touch` is the one rule."""
    query = """
        select tgrelid::regclass::text, prosrc
        from pg_trigger
        join pg_proc on pg_proc.oid = tgfoid
        where not tgisinternal
    """

    triggers = observer.execute(query).fetchall()

    assert [table for table, _ in triggers] == ["bookings"]
    assert not any("updated_at" in source for _, source in triggers)


def test_copied_row_keeps_its_time(observer: Connection) -> None:
    observer.execute(
        "insert into clients (company_id, yclients_id, name, updated_at) values (%s, 1, 'x', '2020-01-01Z')"
        " on conflict (company_id, yclients_id) do nothing",
        [COMPANY],
    )
    observer.execute("update clients set name = 'y', updated_at = '2020-01-02Z'")

    assert observer.execute("select updated_at = '2020-01-02Z' from clients").fetchone() == (True,)


def test_no_extension_is_needed(observer: Connection) -> None:
    assert observer.execute("select extname from pg_extension").fetchall() == [("plpgsql",)]
