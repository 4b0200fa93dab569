"""Time that passes for what is stored."""

from datetime import timedelta
from typing import Any

import pytest
from psycopg.errors import CheckViolation

from trueup.conninfo import ConnInfo
from trueup.db import Connection, connect
from trueup.errors import PermissionMissing
from trueup.testing.faults import Clock, age_rows

MONTH = timedelta(days=30)


@pytest.fixture
def connection(database: ConnInfo) -> Any:
    connection = connect(database)
    yield connection
    connection.close()


@pytest.mark.parametrize(
    ("kind", "before", "after"),
    [
        ("timestamptz", "2026-03-29 12:00:00.000001+00", "2026-02-27 12:00:00.000001+00"),
        ("timestamp", "2026-03-29 12:00:00", "2026-02-27 12:00:00"),
        ("date", "2026-03-29", "2026-02-27"),
        ("tstzrange", '["2026-03-29 00:00:00+00","2026-03-30 00:00:00+00")', None),
        ("tsrange", '("2026-03-29 00:00:00","2026-03-30 00:00:00"]', '("2026-02-27 00:00:00","2026-02-28 00:00:00"]'),
        ("daterange", "[2026-03-29,2026-03-31)", "[2026-02-27,2026-03-01)"),
        ("tstzrange", '["2026-03-29 00:00:00+00",)', '["2026-02-27 00:00:00+00",)'),
        ("daterange", "empty", "empty"),
        ("timestamptz", "infinity", "infinity"),
        ("date", "-infinity", "-infinity"),
        ("text", "2026-03-29", "2026-03-29"),
    ],
)
def test_what_is_stored_becomes_older(connection: Connection, kind: str, before: str, after: str | None) -> None:
    """Also over a change to summer time: a day has 24 hours."""
    connection.execute("set timezone = 'Europe/Berlin'")
    connection.execute(f"create table t (id int, x {kind}, other int default 7)".encode())
    connection.execute("insert into t values (1, %s), (2, null)", [before])

    age_rows(connection, MONTH)

    connection.execute("set timezone = 'UTC'")
    wanted = after or '["2026-02-27 00:00:00+00","2026-02-28 00:00:00+00")'
    assert connection.execute("select x::text, other from t order by id").fetchall() == [(wanted, 7), (None, 7)]


def test_a_part_of_a_day_moves_no_date(connection: Connection) -> None:
    connection.execute("create table t (x timestamp, y date)")
    connection.execute("insert into t values ('2026-03-29 12:00', '2026-03-29')")

    age_rows(connection, timedelta(hours=23))

    assert connection.execute("select x::text, y::text from t").fetchone() == ("2026-03-28 13:00:00", "2026-03-29")


def test_rule_by_age_finds_what_has_become_old(database: ConnInfo, connection: Connection) -> None:
    """As a clean-up job, or a token that expires, would see it."""
    connection.execute('create schema "Old ""x"""')
    connection.execute('create table "Old ""x"""."Sessions" (id int, "At" timestamptz default now())')
    connection.execute('insert into "Old ""x"""."Sessions" values (1)')
    count = 'select count(*) from "Old ""x"""."Sessions" where "At" < now() - interval \'29 days\''

    before = connection.execute(count).fetchone()
    rows = Clock(database).advance(MONTH)

    assert (before, rows, connection.execute(count).fetchone()) == ((0,), 1, (1,))


def test_no_trigger_fires_and_no_key_is_missed(connection: Connection) -> None:
    connection.execute(
        """
        create table parents (at timestamptz primary key);
        create table children (at timestamptz references parents, touched int default 0);
        create function touch() returns trigger language plpgsql as 'begin new.touched := 1; return new; end';
        create trigger touch before update on children for each row execute function touch();
        insert into parents values ('2026-03-29');
        insert into children values ('2026-03-29');
        """
    )

    age_rows(connection, MONTH)

    query = "select touched from children join parents using (at)"
    assert connection.execute(query).fetchall() == [(0,)]
    assert connection.execute("show session_replication_role").fetchone() == ("origin",)
    assert connection.execute("show timezone").fetchone() == ("UTC",)


def test_rows_a_day_apart_do_not_meet_on_the_way(connection: Connection) -> None:
    connection.execute("create table t (day date primary key, span tsrange, exclude using gist (span with &&))")
    connection.execute(
        "insert into t select date '2026-01-01' + n, tsrange(date '2026-01-01' + n, date '2026-01-02' + n)"
        " from generate_series(99, 0, -1) n"
    )

    rows = age_rows(connection, timedelta(days=1))

    assert rows == 100
    assert connection.execute("select min(day)::text, max(day)::text, max(upper(span))::text from t").fetchone() == (
        "2025-12-31",
        "2026-04-09",
        "2026-04-10 00:00:00",
    )


def test_partitions_children_domains_and_generated_columns(connection: Connection) -> None:
    connection.execute(
        """
        create domain moment as timestamp;
        create table events (at moment, day date generated always as (at::timestamp::date) stored);
        create table special (n int) inherits (events);
        create table parted (at timestamp) partition by range (at);
        create table early partition of parted for values from ('2026-02-01') to ('2026-03-01');
        create table late partition of parted for values from ('2026-03-01') to ('2026-04-01');
        insert into events values ('2026-03-29'); insert into special values ('2026-03-29');
        insert into parted values ('2026-03-29');
        """
    )

    rows = age_rows(connection, MONTH)

    assert rows == 3
    query = "select at::text, day::text, tableoid::regclass::text from events order by 3"
    assert connection.execute(query).fetchall() == [
        ("2026-02-27 00:00:00", "2026-02-27", "events"),
        ("2026-02-27 00:00:00", "2026-02-27", "special"),
    ]
    assert connection.execute("select tableoid::regclass::text from parted").fetchall() == [("early",)]


def test_constraint_that_has_no_room_is_told_and_nothing_moved(connection: Connection) -> None:
    connection.execute("create table a (at date); insert into a values ('2026-03-29')")
    connection.execute("create table b (at date check (at >= '2026-03-29')); insert into b values ('2026-03-29')")

    with pytest.raises(CheckViolation):
        age_rows(connection, MONTH)

    assert connection.execute("select at::text from a").fetchall() == [("2026-03-29",)]
    assert connection.execute("show session_replication_role").fetchone() == ("origin",)


def test_time_passes_inside_a_transaction_of_the_test(connection: Connection) -> None:
    connection.execute("create table t (at date); insert into t values ('2026-03-29')")
    connection.execute("begin")

    age_rows(connection, MONTH)

    assert connection.execute("select at::text, current_setting('session_replication_role') from t").fetchone() == (
        "2026-02-27",
        "origin",
    )
    connection.execute("rollback")
    assert connection.execute("select at::text from t").fetchone() == ("2026-03-29",)


def test_who_may_not_silence_triggers_can_not_let_time_pass(database: ConnInfo, connection: Connection) -> None:
    connection.execute("create role plain login")
    try:
        with (
            connect(database.with_parameters(user="plain")) as plain,
            pytest.raises(PermissionMissing, match="only a superuser"),
        ):
            age_rows(plain, MONTH)
    finally:
        connection.execute("drop role plain")
