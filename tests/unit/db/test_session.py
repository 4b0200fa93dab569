"""Which statements change a session: those make their connection leave the pool."""

import pytest

from trueup.db.session import is_changing

CHANGING = [
    "set statement_timeout = 0",
    "  SET search_path TO x",
    "set session characteristics as transaction read only",
    "set role admin",
    "select 1; set timezone = 'UTC'",
    "/* why */ set timezone = 'UTC'",
    "reset all",
    "listen news",
    "prepare p as select 1",
    "select set_config('timezone', 'UTC', false)",
    "select set_config(%s, %s, %s)",
    "select pg_advisory_lock(1)",
    "select pg_try_advisory_lock_shared(1)",
    "create temp table t (id int)",
    "create local temporary table t (id int)",
    "select 1 into temp t",
    "declare c cursor with hold for select 1",
    "do $$ begin end $$",
    "call p()",
]
HARMLESS = [
    "select 1",
    "set local statement_timeout = 0",
    "set transaction isolation level serializable",
    "set constraints all deferred",
    "begin; set local lock_timeout = 5; select pg_current_xact_id()",
    "select set_config('timezone', 'UTC', true)",
    "select set_config(%s, %s, true)",
    "update t\nset a = 1",
    "update t set a = 1 where b = 2",
    "insert into t values (1) on conflict (id) do update set a = 1",
    "insert into t values (1)\non conflict do nothing",
    "select pg_advisory_xact_lock(1)",
    "select pg_try_advisory_xact_lock(1)",
    "create temp table t (id int) on commit drop",
    "create function pg_temp.f() returns int language sql as 'select 1'",
    "declare c cursor for select 1",
    "prepare transaction 'x'",
    "select offset_reset from t",
]


@pytest.mark.parametrize("statement", CHANGING)
def test_change_of_the_session_is_seen(statement: str) -> None:
    assert is_changing(statement)
    assert is_changing(statement.encode())


@pytest.mark.parametrize("statement", HARMLESS)
def test_what_ends_with_its_transaction_is_no_change(statement: str) -> None:
    assert not is_changing(statement)
    assert not is_changing(statement), "the same when it is remembered"
