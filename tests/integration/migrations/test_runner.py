from collections.abc import Callable, Sequence

import pytest

from trueup.db.connection import Connection
from trueup.errors import MigrationFailed, Refused, UsageError
from trueup.migrations import Migration, Migrations, migrate_down, migrate_up, status

A = "-- migrate:up\ncreate table a (id int primary key);\n-- migrate:down\ndrop table a;\n"
B = "-- migrate:up\ncreate table b (id int references a);\n-- migrate:down\ndrop table b;\n"
C = "-- migrate:up\ncreate table c (id int);\n-- migrate:down\ndrop table c;\n"

Write = Callable[..., Migrations]
Tables = Callable[[], set[str]]
Applied = Callable[[], list[str]]


def versions(found: Sequence[Migration]) -> list[str]:
    return [migration.version for migration in found]


def states(connection: Connection, migrations: Migrations) -> dict[str, str]:
    return {each.version: each.state for each in status(connection, migrations)}


def test_up_applies_what_is_pending_once(connection: Connection, written: Write, tables: Tables, applied: Applied):
    migrations = written(A, B)

    first, second = migrate_up(connection, migrations), migrate_up(connection, migrations)

    assert versions(first) == applied() == ["001", "002"]
    assert second == ()
    assert tables() == {"a", "b"}


def test_up_stops_at_a_version(connection: Connection, written: Write, tables: Tables):
    migrations = written(A, B, C)

    assert versions(migrate_up(connection, migrations, to="002")) == ["001", "002"]
    assert versions(migrate_up(connection, migrations, to="001")) == []
    assert tables() == {"a", "b"}


def test_up_applies_what_is_older_too(connection: Connection, written: Write, applied: Applied):
    migrations = written(A, B, C)
    migrate_up(connection, migrations)
    connection.execute("drop table b; delete from schema_migrations where version = '002'")

    assert states(connection, migrations) == {"001": "applied", "002": "late", "003": "applied"}
    assert versions(migrate_up(connection, migrations)) == ["002"]
    assert applied() == ["001", "002", "003"]


def test_down_undoes_the_newest(connection: Connection, written: Write, tables: Tables, applied: Applied):
    migrations = written(A, B, C)
    migrate_up(connection, migrations)

    assert versions(migrate_down(connection, migrations)) == ["003"]
    assert tables() == {"a", "b"}
    assert versions(migrate_down(connection, migrations, steps=5)) == ["002", "001"]
    assert tables() == set()
    assert applied() == []
    assert migrate_down(connection, migrations) == ()


def test_down_to_a_version_keeps_it(connection: Connection, written: Write, tables: Tables):
    migrations = written(A, B, C)
    migrate_up(connection, migrations)

    assert versions(migrate_down(connection, migrations, to="001")) == ["003", "002"]
    assert tables() == {"a"}


def test_down_in_a_database_without_a_record_does_nothing(connection: Connection, written: Write):
    assert migrate_down(connection, written(A)) == ()


def test_down_that_can_not_be_done_does_nothing(connection: Connection, written: Write, tables: Tables):
    migrations = written(A, "-- migrate:up\ncreate table b ();\n-- migrate:down\n", C)
    migrate_up(connection, migrations)

    with pytest.raises(MigrationFailed, match=r"002_file\.sql: has no SQL below"):
        migrate_down(connection, migrations, to="001")

    assert tables() == {"a", "b", "c"}


def test_down_below_a_version_without_a_file_is_refused(connection: Connection, written: Write, tables: Tables):
    migrate_up(connection, written(A, B))
    (written().folder / "002_file.sql").unlink()
    migrations = written(A)

    with pytest.raises(Refused, match="version 002 is applied, newer than 001"):
        migrate_down(connection, migrations)

    assert tables() == {"a", "b"}
    assert states(connection, migrations) == {"001": "applied", "002": "missing"}


def test_up_goes_on_beside_a_version_without_a_file(connection: Connection, written: Write, applied: Applied):
    connection.execute("create table schema_migrations (version varchar primary key)")
    connection.execute("insert into schema_migrations values ('002')")

    migrate_up(connection, written(A))

    assert applied() == ["001", "002"]


@pytest.mark.parametrize("run", [migrate_up, migrate_down])
def test_unknown_version_is_a_usage_error(
    connection: Connection, written: Write, tables: Tables, run: Callable[..., object]
):
    with pytest.raises(UsageError, match="holds no migration 009"):
        run(connection, written(A), to="009")

    assert tables() == set()


@pytest.mark.parametrize("steps", [0, -1])
def test_no_steps_is_a_usage_error(connection: Connection, written: Write, steps: int):
    with pytest.raises(UsageError, match="number from 1"):
        migrate_down(connection, written(A), steps=steps)


def test_open_transaction_is_a_usage_error(connection: Connection, written: Write):
    connection.execute("begin")

    with pytest.raises(UsageError, match="outside a transaction"):
        migrate_up(connection, written(A))


def test_status_changes_nothing(connection: Connection, observer: Connection, written: Write):
    connection.execute("set default_transaction_read_only = on")

    assert states(connection, written(A)) == {"001": "pending"}
    assert observer.execute("select to_regclass('schema_migrations')").fetchone() == (None,)


FAILURES = {
    "server names a position": (
        "-- migrate:up\nselect 1;\n\nselect\n  'é', nope\nfrom a;",
        (
            ':5: column "nope" does not exist (SQLSTATE 42703)\n'
            "  4 | select\n"
            "  5 |   'é', nope\n"
            "             ^\n"
            "Nothing of this file was kept: correct the file and run it again."
        ),
    ),
    "server names none": (
        "-- migrate:up\nselect 1;;\n-- again\ncreate table a (\n  id int);\nselect 2;",
        (
            ':4: relation "a" already exists (SQLSTATE 42P07)\n'
            "  4 | create table a (\n"
            "Nothing of this file was kept: correct the file and run it again."
        ),
    ),
    "syntax error at the end": (
        "-- migrate:up\ncreate table x (",
        (
            ":2: syntax error at end of input (SQLSTATE 42601)\n"
            "  2 | create table x (\n"
            "                      ^\n"
            "Nothing of this file was kept: correct the file and run it again."
        ),
    ),
    "needs to be outside a transaction": (
        "-- migrate:up\ncreate index concurrently on a (id);",
        (
            ":2: CREATE INDEX CONCURRENTLY cannot run inside a transaction block (SQLSTATE 25001)\n"
            "  2 | create index concurrently on a (id);\n"
            "Nothing of this file was kept: put transaction:false behind the block's directive."
        ),
    ),
    "value of a row": (
        "-- migrate:up\ninsert into a values (700);\nselect ('x' || id)::int from a;",
        (
            ':3: invalid input syntax for type integer: "…" (SQLSTATE 22P02)\n'
            "  3 | select ('x' || id)::int from a;\n"
            "Nothing of this file was kept: correct the file and run it again."
        ),
    ),
    "value of a row in the detail": (
        "-- migrate:up\ninsert into a values (700);\ninsert into a values (700);",
        (
            ':3: duplicate key value violates unique constraint "a_pkey" (SQLSTATE 23505)\n'
            "  3 | insert into a values (700);\n"
            "Nothing of this file was kept: correct the file and run it again."
        ),
    ),
    "value of a row in SQL made by a function": (
        (
            "-- migrate:up\ninsert into a values (700);\n"
            "do $$ begin execute (select 'select 1 ' || quote_literal(id) || quote_literal(id) from a); end $$;"
        ),
        (
            ':3: syntax error at or near "…" (SQLSTATE 42601)\n'
            "  3 | do $$ begin execute (select 'select 1 ' || quote_literal(id) || quote_literal(id) from a); end $$;\n"
            "Nothing of this file was kept: correct the file and run it again."
        ),
    ),
    "password": (
        "-- migrate:up\ncreate role postgres password 'hunter2';",
        (
            ':2: role "postgres" already exists (SQLSTATE 42710)\n'
            "  2 | create role postgres password '…';\n"
            "Nothing of this file was kept: correct the file and run it again."
        ),
    ),
    "hint": (
        "-- migrate:up\nselect idd from a;",
        (
            ':2: column "idd" does not exist (SQLSTATE 42703)\n'
            "  2 | select idd from a;\n"
            "             ^\n"
            'Hint: Perhaps you meant to reference the column "a.id".\n'
            "Nothing of this file was kept: correct the file and run it again."
        ),
    ),
}


@pytest.mark.parametrize(("text", "message"), FAILURES.values(), ids=FAILURES.keys())
def test_failing_file_says_where_and_what_to_do(
    connection: Connection, written: Write, applied: Applied, text: str, message: str
):
    migrations = written(A, text)

    with pytest.raises(MigrationFailed) as caught:
        migrate_up(connection, migrations)

    assert str(caught.value) == f"{migrations.files[1].file}{message}"
    assert applied() == ["001"]


def test_failing_file_leaves_nothing_of_itself(
    connection: Connection, written: Write, applied: Applied, tables: Tables
):
    migrations = written(A, "-- migrate:up\ncreate table b ();\ninsert into a values (1);\nselect nope;", C)

    with pytest.raises(MigrationFailed, match="nope"):
        migrate_up(connection, migrations)

    assert tables() == {"a"}
    assert applied() == ["001"]
    assert connection.execute("select count(*) from a").fetchone() == (0,)


def test_failing_down_leaves_the_file_applied(connection: Connection, written: Write, applied: Applied, tables: Tables):
    migrations = written(A, "-- migrate:up\ncreate table b ();\n-- migrate:down\ndrop table b;\ndrop table b;")
    migrate_up(connection, migrations)

    with pytest.raises(MigrationFailed, match=r"002_file\.sql:5: table \"b\" does not exist"):
        migrate_down(connection, migrations)

    assert tables() == {"a", "b"}
    assert applied() == ["001", "002"]
