"""Objects and settings beside tables: each kind missing, extra and changed, on real servers."""
# ruff: noqa: E501 - tables of statements are read by the row

import pytest

from trueup.parity.schema import diff

TABLE = "create table t (a int primary key, b text); "
TRIGGER_FUNCTION = "create function f() returns trigger language plpgsql as 'begin return new; end'; "
EVENT_FUNCTION = "create function f() returns event_trigger language plpgsql as 'begin end'; "
SERVER = "create foreign data wrapper w; create server s foreign data wrapper w; "
ENUM = "create type e as enum ('a'); "
TRANSFORM = ENUM + "create function f(internal) returns internal language internal immutable as 'byteain'; "

OBJECTS = {
    "function": ("", "create function f() returns int language sql return 1", "function", "public.f()"),
    "function of many arguments": (ENUM, "create function f(a int, b e[], variadic c text[] default '{}') returns setof e language sql as 'select null::e'", "function", "public.f(integer,public.e[],pg_catalog.text[])"),
    "procedure": ("", "create procedure f() language sql begin atomic select 1; end", "procedure", "public.f()"),
    "aggregate": ("", "create aggregate f(int) (sfunc = int4pl, stype = int)", "aggregate", "public.f(integer)"),
    "trigger": (TABLE + TRIGGER_FUNCTION, "create trigger g before insert on t for each row execute function f()", "trigger", "g on public.t"),
    "trigger of a view": (TRIGGER_FUNCTION + "create view v as select 1 as a; ", "create trigger g instead of insert on v for each row execute function f()", "trigger", "g on public.v"),
    "rule": (TABLE, "create rule r as on insert to t do nothing", "rule", "r on public.t"),
    "policy": (TABLE, "create policy p on t for select using (a > 0)", "policy", "p on public.t"),
    "event trigger": (EVENT_FUNCTION, "create event trigger g on ddl_command_start execute function f()", "event trigger", "g"),
    "publication": (TABLE, "create publication p for table t", "publication", "p"),
    "foreign data wrapper": ("", "create foreign data wrapper w", "foreign-data wrapper", "w"),
    "foreign server": ("create foreign data wrapper w; ", "create server s foreign data wrapper w", "server", "s"),
    "user mapping": (SERVER, "create user mapping for current_user server s", "user mapping", "postgres on server s"),
    "cast": (ENUM, "create cast (int as e) with inout", "cast", "(integer AS public.e)"),
    "operator": ("", "create operator === (leftarg = int, rightarg = int, function = int4eq)", "operator", "public.===(integer,integer)"),
    "operator family": ("", "create operator family o using btree", "operator family", "public.o USING btree"),
    "base type": ("", "create type b", "type", "public.b"),
    "collation": ("", 'create collation c from "C"', "collation", "public.c"),
    "conversion": ("", "create conversion c for 'LATIN1' to 'UTF8' from iso8859_1_to_utf8", "conversion", "public.c"),
    "text search configuration": ("", "create text search configuration c (copy = simple)", "text search configuration", "public.c"),
    "text search dictionary": ("", "create text search dictionary d (template = simple)", "text search dictionary", "public.d"),
    "text search parser": ("", "create text search parser p (start = prsd_start, gettoken = prsd_nexttoken, end = prsd_end, lextypes = prsd_lextype)", "text search parser", "public.p"),
    "text search template": ("", "create text search template x (lexize = dsimple_lexize)", "text search template", "public.x"),
    "extended statistics": (TABLE, "create statistics s on a, b from t", "statistics object", "public.s"),
    "language": ("", "create language l handler plpgsql_call_handler", "language", "l"),
    "access method": ("", "create access method m type table handler heap_tableam_handler", "access method", "m"),
    "transform": (TRANSFORM, "create transform for e language plpgsql (from sql with function f(internal))", "transform", "for public.e language plpgsql"),
}  # fmt: skip


@pytest.mark.parametrize(("base", "added", "kind", "identity"), OBJECTS.values(), ids=OBJECTS)
def test_object_on_one_side_is_one_difference(read, base, added, kind, identity):
    without, with_it = read(base or "select"), read(base + added)

    [missing], [extra] = diff(with_it, without), diff(without, with_it)
    assert (missing.kind, missing.object, missing.change, missing.target) == (kind, identity, "missing", None)
    assert (extra.kind, extra.object, extra.change, extra.source) == (kind, identity, "extra", None)
    assert missing.meaning
    assert missing.remedy
    assert extra.remedy.startswith("drop ")
    assert diff(with_it, with_it) == ()


FUNCTION = "create function f({arguments}) returns {result} language sql {rest} as '{body}'"


def function(arguments="a int", result="int", rest="", body="select 1"):
    return FUNCTION.format(arguments=arguments, result=result, rest=rest, body=body)


TRIGGER = TABLE + TRIGGER_FUNCTION + "create trigger g before insert on t for each row execute function f(); "
CHANGED = {
    "body": (function(), function(body="select 2"), "function", "public.f(integer)", "body"),
    "volatility": (function(), function(rest="stable"), "function", "public.f(integer)", "volatility"),
    "strictness": (function(), function(rest="strict"), "function", "public.f(integer)", "strictness"),
    "security definer": (function(), function(rest="security definer"), "function", "public.f(integer)", "security"),
    "settings": (function(), function(rest="set work_mem to '1MB'"), "function", "public.f(integer)", "settings"),
    "parallel": (function(), function(rest="parallel safe"), "function", "public.f(integer)", "parallel"),
    "cost": (function(), function(rest="cost 7"), "function", "public.f(integer)", "cost"),
    "transforms": (TRANSFORM + "create transform for e language plpgsql (from sql with function f(internal)); create function g(e) returns int language plpgsql as 'begin end'", TRANSFORM + "create transform for e language plpgsql (from sql with function f(internal)); create function g(e) returns int language plpgsql transform for type e as 'begin end'", "function", "public.g(public.e)", "transforms"),
    "result": (function(), function(result="bigint"), "function", "public.f(integer)", "result"),
    "name of an argument": (function(), function(arguments="b int"), "function", "public.f(integer)", "arguments"),
    "default of an argument": (function(), function(arguments="a int default 3"), "function", "public.f(integer)", "arguments"),
    "state of an aggregate": ("create aggregate f(int) (sfunc = int4pl, stype = int)", "create aggregate f(int) (sfunc = int4pl, stype = int, initcond = '0')", "aggregate", "public.f(integer)", "initial state"),
    "definition of a trigger": (TRIGGER, TABLE + TRIGGER_FUNCTION + "create trigger g after insert on t for each row execute function f()", "trigger", "g on public.t", "definition"),
    "disabled trigger": (TRIGGER, TRIGGER + "alter table t disable trigger g", "trigger", "g on public.t", "state"),
    "disabled rule": (TABLE + "create rule r as on insert to t do nothing", TABLE + "create rule r as on insert to t do nothing; alter table t disable rule r", "rule", "r on public.t", "state"),
    "disabled event trigger": (EVENT_FUNCTION + "create event trigger g on sql_drop execute function f()", EVENT_FUNCTION + "create event trigger g on sql_drop execute function f(); alter event trigger g disable", "event trigger", "g", "state"),
    "policy for other rows": (TABLE + "create policy p on t using (a > 0)", TABLE + "create policy p on t using (a > 1)", "policy", "p on public.t", "using"),
    "policy for writes": (TABLE + "create policy p on t with check (a > 0)", TABLE + "create policy p on t with check (a > 1)", "policy", "p on public.t", "with check"),
    "policy for other roles": (TABLE + "create policy p on t to public", TABLE + "create policy p on t to current_user", "policy", "p on public.t", "roles"),
    "restrictive policy": (TABLE + "create policy p on t", TABLE + "create policy p on t as restrictive", "policy", "p on public.t", "mode"),
    "policy for one command": (TABLE + "create policy p on t", TABLE + "create policy p on t for select", "policy", "p on public.t", "command"),
    "tables of a publication": (TABLE + "create publication p", TABLE + "create publication p for table t", "publication", "p", "tables"),
    "rows of a publication": (TABLE + "create publication p for table t", TABLE + "create publication p for table t where (a > 0)", "publication", "p", "tables"),
    "columns of a publication": (TABLE + "create publication p for table t", TABLE + "create publication p for table t (a)", "publication", "p", "tables"),
    "schemas of a publication": ("create publication p", "create publication p for tables in schema public", "publication", "p", "schemas"),
    "operations of a publication": ("create publication p", "create publication p with (publish = 'insert')", "publication", "p", "operations"),
    "options of a server": (SERVER, SERVER + "alter server s options (add host 'x')", "server", "s", "options"),
    "server of a foreign table": (SERVER + "create server r foreign data wrapper w; create foreign table t (a int) server s", SERVER + "create server r foreign data wrapper w; create foreign table t (a int) server r", "foreign table source", "public.t", "server"),
    "context of a cast": (ENUM + "create cast (int as e) with inout", ENUM + "create cast (int as e) with inout as assignment", "cast", "(integer AS public.e)", "context"),
    "operator with a commutator": ("create operator === (leftarg = int, rightarg = int, function = int4eq)", "create operator === (leftarg = int, rightarg = int, function = int4eq, commutator = ===)", "operator", "public.===(integer,integer)", "commutator"),
    "mapping of a text search configuration": ("create text search configuration c (copy = simple)", "create text search configuration c (copy = simple); alter text search configuration c drop mapping for email", "text search configuration", "public.c", "mappings"),
    "target of statistics": (TABLE + "create statistics s on a, b from t", TABLE + "create statistics s on a, b from t; alter statistics s set statistics 5", "statistics object", "public.s", "statistics target"),
}  # fmt: skip


@pytest.mark.parametrize(("before", "after", "kind", "identity", "part"), CHANGED.values(), ids=CHANGED)
def test_changed_object_is_one_difference_of_the_part(read, before, after, kind, identity, part):
    [found] = diff(read(before), read(after))

    assert (found.kind, found.object, found.change) == (kind, identity, part)
    assert found.source != found.target
    assert found.meaning


SETTINGS = {
    "comment on a column": (TABLE, "comment on column t.b is 'x'", "table column", "public.t.b", "comment"),
    "comment on a constraint": (TABLE, "comment on constraint t_pkey on t is 'x'", "table constraint", "t_pkey on public.t", "comment"),
    "comment on an index": (TABLE, "comment on index t_pkey is 'x'", "index", "public.t_pkey", "comment"),
    "comment on a domain": ("create domain d as int; ", "comment on domain d is 'x'", "type", "public.d", "comment"),
    "comment on a function": (function() + "; ", "comment on function f is 'x'", "function", "public.f(integer)", "comment"),
    "grant on a table": (TABLE, "grant select on t to public", "table", "public.t", "grants to public"),
    "grant on a column": (TABLE, "grant select (a) on t to public", "table column", "public.t.a", "grants to public"),
    "grant to a role": (TABLE, "grant insert, select on t to pg_monitor with grant option", "table", "public.t", "grants to pg_monitor"),
    "grant on a schema": ("", "grant create on schema public to public", "schema", "public", "grants to public"),
    "grant taken from public": (function() + "; ", "revoke execute on function f from public", "function", "public.f(integer)", "grants to public"),
    "grant taken from the owner": (TABLE, "revoke insert on t from current_user", "table", "public.t", "grants to its owner"),
    "grant on a sequence": ("create sequence s; ", "grant usage on sequence s to public", "sequence", "public.s", "grants to public"),
    "default privileges": ("", "alter default privileges grant select on tables to public", "default acl", "for role postgres on tables", "grants to public"),
    "owner": (TABLE, "alter table t owner to pg_monitor", "owner", "postgres", "role"),
    "storage parameters of a table": (TABLE, "alter table t set (fillfactor = 50)", "table", "public.t", "storage parameters"),
    "storage parameters of an index": (TABLE, "alter index t_pkey set (fillfactor = 50)", "index", "public.t_pkey", "storage parameters"),
    "security of a view": ("create view v as select 1 as a; ", "alter view v set (security_barrier)", "view", "public.v", "view options"),
    "replica identity": (TABLE, "alter table t replica identity full", "table", "public.t", "replica identity"),
    "clustered index": (TABLE, "alter table t cluster on t_pkey", "table", "public.t", "clustered by"),
    "statistics of a column": (TABLE, "alter table t alter b set statistics 5", "table column", "public.t.b", "statistics target"),
    "storage of a column": (TABLE, "alter table t alter b set storage external", "table column", "public.t.b", "storage"),
    "compression of a column": (TABLE, "alter table t alter b set compression pglz", "table column", "public.t.b", "compression"),
    "options of a column": (TABLE, "alter table t alter b set (n_distinct = 5)", "table column", "public.t.b", "options"),
    "options of a foreign column": (SERVER + "create foreign table t (a int) server s; ", "alter foreign table t alter a options (x 'y')", "foreign table column", "public.t.a", "foreign options"),
    "type of a table": ("create type c as (a int, b text); create table t (a int, b text); ", "alter table t of c", "table", "public.t", "of type"),
    "materialized view without rows": ("create materialized view m as select 1 as a; ", "refresh materialized view m with no data", "materialized view", "public.m", "state"),
}  # fmt: skip


@pytest.mark.parametrize(("base", "added", "kind", "identity", "part"), SETTINGS.values(), ids=SETTINGS)
def test_setting_on_one_side_is_one_difference(read, base, added, kind, identity, part):
    without, with_it = read(base or "select"), read(base + added)

    for [found] in (diff(with_it, without), diff(without, with_it)):
        assert (found.kind, found.change) == (kind, part)
        assert found.object == identity or kind == "owner"
        assert found.meaning


def test_missing_table_explains_what_belongs_to_it(read):
    whole = (
        f"{TRIGGER}; comment on column t.b is 'x'; comment on constraint t_pkey on t is 'y'; create policy p on t;"
        " grant select on t to public; create rule r as on update to t do nothing; create statistics s on a, b from t"
    )

    [found] = diff(read(whole), read(TRIGGER_FUNCTION))

    assert (found.kind, found.object, found.change) == ("table", "public.t", "missing")


def test_missing_column_explains_its_comment(read):
    [found] = diff(read(TABLE + "comment on column t.b is 'x'"), read("create table t (a int primary key)"))

    assert (found.kind, found.object) == ("column", "public.t.b")


def test_replaced_owner_is_one_difference_with_its_count(read):
    tables = TABLE + "create table u (a int); "
    moved = tables + "alter table t owner to pg_monitor; alter table u owner to pg_monitor"

    [found] = diff(read(tables), read(moved))

    assert found.meaning.startswith("2 objects of postgres belong to pg_monitor")


def test_values_of_options_that_look_secret_are_not_shown(read):
    found = read(SERVER + "alter server s options (add password 'hunter2', add host 'x'); create user mapping for current_user"
                 " server s options (password 'hunter3')")  # fmt: skip

    assert "hunter" not in repr(found)


def test_what_the_reader_was_granted_is_left_out(read):
    assert diff(read(TABLE), read(TABLE + "create role reader; grant select on t to reader; set role reader")) == ()


def test_schema_public_that_was_made_again_has_its_comment(read):
    again = """drop schema public; create schema public; comment on schema public is 'standard public schema';
               alter schema public owner to pg_database_owner; grant usage on schema public to public"""

    assert diff(read("select"), read(again)) == ()


def test_database_without_a_schema_public_is_read(read):
    [found] = diff(read("select"), read("drop schema public"))

    assert (found.kind, found.object, found.change) == ("schema", "public", "missing")
