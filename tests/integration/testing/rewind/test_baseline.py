"""What tests do to a database, and whether it comes back or says that it can't."""

import pytest
from tests.integration.testing.rewind.conftest import Run, content, mark_of

from trueup.conninfo import ConnInfo
from trueup.testing.rewind import Baseline, NotRewound, Rewound

CHANGES = {
    "insert": "insert into companies (title) values ('new')",
    "insert_with_key": "insert into clients (id, company_id, phone) values (1000, 1, 'new')",
    "insert_of_a_chain": (
        "with c as (insert into companies (title) values ('new') returning id),"
        " d as (insert into clients (company_id) select id from c returning company_id)"
        " insert into staff (company_id) select company_id from d"
    ),
    "new_child_of_an_old_row": "insert into staff (company_id, best_client_id) values (1, 1)",
    "update": "update clients set phone = phone || '!' where id = 7",
    "update_that_puts_back": "update clients set score = 0; update clients set score = id + 0.1",
    "update_of_a_key": "update clients set id = id + 100 where id = 20",
    "update_of_a_referenced_key": (
        "update clients set company_id = 2 where company_id = 1; update companies set id = default where id = 1"
    ),
    "update_of_all": "update clients set prefs = '{}', tags = null, score = 'NaN'",
    "delete_that_cascades": "update clients set favourite_id = null; delete from staff; delete from companies",
    "delete_and_insert_again": "delete from notes where body = 'same'; insert into notes values ('same'), ('same')",
    "delete_one_of_twins": "delete from notes where ctid = (select min(ctid) from notes where body = 'same')",
    "trigger": "update notes set body = 'fired'",
    "truncate": "truncate notes",
    "truncate_all": "truncate companies, clients, staff, bookings, parents restart identity cascade",
    "truncate_of_what_was_empty": "insert into log (what) values ('x'); truncate log",
    "truncate_and_fill": "truncate notes; insert into notes values ('same'), ('same'), ('other'), (null)",
    "copy_freeze": "begin; truncate notes; insert into notes values ('x'); commit; vacuum (freeze) notes",
    "rolled_back": "begin; insert into notes values ('gone'); delete from parents; rollback",
    "subtransactions": (
        "begin; insert into notes values ('a'); savepoint s; delete from notes; rollback to s; savepoint t;"
        " insert into notes values ('b'); release t; commit"
    ),
    "move_between_partitions": "update bookings set starts_at = starts_at + interval '1 year' where note <> ''",
    "partition": "insert into bookings (starts_at) values ('2025-02-02'); delete from bookings_2026",
    "inheritance": "delete from only parents; insert into children values ('p', 'y'); update parents set note = 'z'",
    "no_columns": "insert into flags default values; insert into flags default values",
    "no_columns_gone": "truncate flags",
    "odd_names": ('delete from "Odd ""name""" where "Ünïcode" = $$ü$$; insert into "Odd ""name""" values ($$$$, null)'),
    "row_security": "update secrets set body = 'seen'; insert into secrets values ('you', 'too')",
    "unlogged": "delete from scratch where n = 1",
    "identity_always": "insert into companies overriding system value values (500, 'x', 'bad')",
    "sequence": "select nextval('tickets')",
    "sequence_set": "select setval('tickets', 7000, false)",
    "sequence_not_called": "select setval('untouched', 1000, false)",
    "sequence_first_use": "select nextval('untouched')",
    "temporary_table": "create temporary table t as select * from clients; create temporary sequence s",
    "temporary_only": "create temporary table t (n int) on commit drop",
    "ddl_rolled_back": "begin; create table t (n int); alter table notes add n int; rollback",
    "created_and_dropped": "create table t (n int); drop table t",
    "vacuum_full": "vacuum full notes",
    "vacuum_freeze": "delete from parents; vacuum (freeze, analyze)",
    "analyze": "insert into notes select n::text from generate_series(1, 999) n; analyze",
    "listen": "listen something; notify something",
    "session": "set work_mem = '1MB'; select pg_advisory_lock(1); prepare p as select 1",
    "prepared_and_finished": "begin; rollback",
    "nothing": "select count(*) from clients",
    "large_value": "insert into notes select repeat('x', 3000000)",
    "many_rows": "insert into scratch select generate_series(1, 20000)",
}


def of_database(statement: str) -> str:
    """Return what runs a statement that has to name the database, as `%I`."""
    return f"do $$ begin execute format('{statement}', current_database()); end $$"


ANSWERED = {
    "create_table": ("create table t (n int)", "table public.t"),
    "create_index": ("create index i on notes (body)", "index public.i"),
    "add_column": ("alter table notes add n int", "column n of table public.notes"),
    "drop_column": ("alter table notes drop body", "pg_attribute"),
    "drop_table": ("drop table notes", "structure"),
    "drop_index": ("alter table companies drop constraint companies_title_key", "structure"),
    "rename": ("alter table notes rename to remarks", "structure"),
    "default": ("alter table notes alter body set default 'x'", "structure"),
    "not_null": ("alter table companies alter title drop not null", "structure"),
    "comment": ("comment on table notes is 'x'", "table public.notes"),
    "comment_on_column": ("comment on column notes.body is 'x'", "column body"),
    "comment_on_database": (of_database("comment on database %I is ''x''"), "structure"),
    "grant": ("grant select on notes to public", "table public.notes"),
    "grant_on_column": ("grant select (body) on notes to public", "column body"),
    "grant_on_schema": ("grant create on schema public to public", "schema public"),
    "function": ("create function f() returns int language sql as 'select 1'", "function public.f()"),
    "function_replaced": (
        "create or replace function log_change() returns trigger language plpgsql as 'begin return null; end'",
        "function public.log_change()",
    ),
    "trigger_disabled": ("alter table notes disable trigger logged", "trigger logged"),
    "policy": ("create policy p on secrets", "policy p"),
    "row_security_off": ("alter table secrets disable row level security", "table public.secrets"),
    "view": ("create or replace view phones as select phone, 1 as n from clients", "view public.phones"),
    "enum": ("alter type mood add value 'so so'", "pg_enum"),
    "domain": ("create domain d as int", "type public.d"),
    "schema": ("create schema s", "schema s"),
    "statistics": ("create statistics st on company_id, phone from clients", "pg_statistic_ext"),
    "default_privileges": ("alter default privileges grant select on tables to public", "pg_default_acl"),
    "publication": ("create publication p for table notes", "publication p"),
    "event_trigger": (
        "create event trigger t on ddl_command_end execute function ended()",
        "pg_event_trigger",
    ),
    "sequence_restart": ("alter sequence tickets restart", "sequence public.tickets"),
    "refresh_to_the_same": ("refresh materialized view titles", "structure"),
    "sequence_altered": ("alter sequence tickets increment 8", "structure"),
    "database_setting": (of_database("alter database %I set work_mem = ''1MB''"), "pg_db_role_setting"),
    "database_limit": (of_database("alter database %I connection limit 50"), "pg_database"),
    "set_unlogged": ("alter table notes set unlogged", "table public.notes"),
    "storage": ("alter table notes set (fillfactor = 50)", "table public.notes"),
    "clustered": ("alter table clients cluster on clients_pkey", "pg_index"),
    "large_object": ("select lo_create(0)", "pg_largeobject"),
    "large_object_written": ("select lo_from_bytea(0, 'x')", "pg_largeobject"),
    "built_in_function": ("revoke execute on function pg_sleep(double precision) from public", "built-in"),
    "built_in_comment": ("comment on function now() is null", "built-in"),
    "built_in_table": ("revoke select on pg_settings from public", "pg_settings"),
    "refresh_with_others": ("insert into companies (title) values ('new'); refresh materialized view titles", "titles"),
    "refresh_concurrently": (
        "insert into companies (title) values ('new'); refresh materialized view concurrently titles",
        "the materialised view public.titles was refreshed",
    ),
    "truncate_and_drop": ("truncate notes; drop policy nobody on secrets", "structure"),
    "guarded_table": ("insert into guarded values (2)", "guarded"),
    "partition_detached": ("alter table bookings detach partition bookings_2026", "structure"),
    "owner": ("alter table notes owner to pg_monitor", "table public.notes"),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_change_is_undone(filled: ConnInfo, baseline: Baseline, run: Run, change: str) -> None:
    """W-T7, W-T13: what a test leaves can't reach the next one, whatever the table."""
    before, mark = content(filled), mark_of(filled)

    run(*change.split(";") if "vacuum" in change or "cluster" in change else [change])
    outcome = baseline.rewind()

    assert isinstance(outcome, Rewound)
    assert content(filled) == before
    assert mark_of(filled) == mark
    assert baseline.rewind() == Rewound()


@pytest.mark.parametrize(("change", "said"), ANSWERED.values(), ids=ANSWERED.keys())
def test_change_of_structure_is_answered(baseline: Baseline, run: Run, change: str, said: str) -> None:
    run(change)

    outcome = baseline.rewind()

    assert isinstance(outcome, NotRewound)
    assert said in outcome.reason
    assert not outcome.is_server_wide
