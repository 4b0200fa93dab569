"""What a catalog holds, and what it says that it does not hold."""
# ruff: noqa: E501 - tables of statements are read by the row

import re

import pytest

from trueup.db import connect, snapshot
from trueup.errors import Unverifiable
from trueup.parity.schema import Catalog, ColumnName, QualifiedName, catalog, compared, quote_ident, row_catalog
from trueup.parity.schema.catalog import query

T = QualifiedName("public", "t")


def test_empty_database_has_nothing_but_public(read):
    found = read("select")

    assert found.schemas == {"public"}
    assert {name: n for name, n in compared(found).items() if n} == {"schemas": 1}
    assert found.not_compared == {}
    assert found.skipped == {}


def test_what_rows_need_is_read_without_the_rest(database):
    """Triggers are there, because a repair names those that it fires."""
    with connect(database) as connection:
        connection.execute(
            "create table t (id serial primary key, a text unique); create view v as select a from t;"
            " create function f() returns trigger language plpgsql as 'begin return new; end';"
            " create trigger x before update on t for each row execute function f(); comment on table t is 'a comment'"
        )

    with snapshot(database) as held:
        whole, rows = catalog(held), row_catalog(held)

    alike = {"schemas", "tables", "views", "sequences", "types"}
    assert {name for name in Catalog.__dataclass_fields__ if getattr(whole, name) == getattr(rows, name)} >= alike
    assert [key.identity for key in rows.objects] == ["x on public.t"]
    assert (rows.annotations, len(whole.annotations) > 0) == ({}, True)


def test_types_of_values_lie_below_domains_and_arrays(read):
    columns = read(
        "create type mood as enum ('x'); create domain m as mood; create domain n as m[];"
        " create table t (a n, b m, c varchar(5)[], d int4range, e timestamptz(3))"
    ).tables[T].columns  # fmt: skip
    a, b, c, d, e = (columns[name].value_type for name in "abcde")

    assert (a.category, a.element.name, a.element.kind) == ("A", ("public", "mood"), "enum")
    assert (b.name, b.kind, b.element) == (("public", "mood"), "enum", None)
    assert (c.element.name.name, c.element.category) == ("varchar", "S")
    assert (d.name.name, d.kind) == ("int4range", "range")
    assert (e.name, e.category) == (("pg_catalog", "timestamptz"), "D")


def test_fixed_length_vectors_are_no_arrays(read):
    columns = read("create table t (a point, c name)").tables[T].columns

    assert (columns["a"].value_type.element, columns["c"].value_type.element) == (None, None)


def test_keys_that_identify_rows(read):
    table = read(
        "create table t (a int, b int not null, c int not null, d int, e int not null, primary key (b, a), unique (c, b),"
        " unique (c), unique (d), unique (e) deferrable);"
        "create unique index on t (e, b) include (d);"
        "create unique index on t (b) where c > 0; create unique index on t (abs(b)); create index on t (b);"
        "create unique index broken on t (b, e); update pg_index set indisvalid = false"
        " where indexrelid = 'broken'::regclass"
    ).tables[T]  # fmt: skip

    assert table.primary_key == ("b", "a")
    assert table.unique_keys == (("c",), ("e",), ("c", "b"), ("e", "b"))
    assert {index.name: index.valid for index in table.indexes}["broken"] is False


def test_partitions_have_the_keys_of_their_parent_but_none_of_its_constraints(read):
    found = read(
        "create table t (a int primary key) partition by range (a); create table t1 partition of t default;"
        "create unique index on t (a)"
    )
    part = found.tables[QualifiedName("public", "t1")]

    assert (part.primary_key, part.unique_keys) == (("a",), (("a",),))
    assert (part.constraints, part.indexes) == ((), ())
    assert part.parents == (T,)


def test_sequences_know_their_columns(read):
    numbers = read(
        "create sequence free; create table t (a serial, b int generated always as identity, c int default nextval('free'))"
    ).sequences  # fmt: skip
    by_name = {name.name: sequence for name, sequence in numbers.items()}

    a, b, c = (ColumnName("public", "t", column) for column in "abc")
    assert [(by_name[n].owner, by_name[n].feeds, by_name[n].is_identity) for n in ("t_a_seq", "t_b_seq", "free")] == [
        (a, (a,), False), (b, (b,), True), (None, (c,), False)
    ]  # fmt: skip


def test_collations_that_call_different_strings_equal_are_known(read):
    kinds = read('create table t (a text, b int, c text collate "C")').tables[T].columns

    assert [column.deterministic for column in kinds.values()] == [True, True, True]


OF_DATABASE = "do $$ begin execute format('{}', current_database()); end $$"
NOT_COMPARED = {
    "large object": "select lo_create(0)",
    "value of a user mapping's option": "create foreign data wrapper w; create server s foreign data wrapper w;"
    " create user mapping for current_user server s options (password 'x')",
    "name of a domain's check": "create domain d as text constraint named check (value <> '')",
    "object that goes with an extension": "create procedure p() language sql as 'select 1';"
    " alter procedure p() depends on extension plpgsql",
    "object in a schema of the system": "create function pg_catalog.own() returns int language sql return 1",
    "setting of the database": OF_DATABASE.format("alter database %I set timezone to ''Asia/Tokyo''"),
    "comment or label of the database": OF_DATABASE.format("comment on database %I is ''x''"),
    "grant on the database": OF_DATABASE.format("grant create on database %I to public"),
    "grant on an object of the system": "revoke select on pg_catalog.pg_stat_activity from public",
    "relation of kind g": "create table t (); update pg_class set relkind = 'g' where oid = 't'::regclass",
}


@pytest.mark.parametrize(("kind", "statements"), NOT_COMPARED.items(), ids=NOT_COMPARED)
def test_what_is_not_compared_is_counted(read, kind, statements):
    assert read(statements).not_compared == {kind: 1}


def test_what_only_newer_servers_know_and_nothing_compares_is_counted(read18):
    found = read18("create table t (a int constraint named not null)")

    assert found.not_compared == {"name of a NOT NULL constraint": 1}


def test_what_the_reader_was_granted_is_counted(read):
    found = read("create table t (a int); create role reader; grant select on t to reader; set role reader")

    assert found.skipped == {"grants to the role that reads": 1}


PARTS_OF_OTHERS = """
    aggregate attribute description enum foreign_table index inherits partitioned_table range seclabel sequence
    ts_config_map
"""
OF_THE_SERVER = """
    authid auth_members database db_role_setting parameter_acl replication_origin shdepend shdescription shseclabel
    tablespace
"""
BOOKKEEPING = "depend init_privs largeobject statistic statistic_ext_data subscription_rel largeobject_metadata"


def test_every_catalog_of_the_server_is_accounted_for(server16, server18):
    """A catalog that a newer server brings fails here, and is counted by kind until somebody compares it."""
    known = {f"pg_{name}" for name in f"{PARTS_OF_OTHERS} {OF_THE_SERVER} {BOOKKEEPING}".split()}
    compared_kinds = set(re.findall(r"'(pg_\w+)'", query("uncompared").partition("all (array[")[2]))
    for server in (server16, server18):
        with snapshot(server.conninfo()) as there:
            names = there.rows(
                "select relname from pg_class where relkind = 'r' and relnamespace = 'pg_catalog'::regnamespace"
            )

        assert {name for (name,) in names} - known - compared_kinds == set()


def test_object_of_a_catalog_that_nobody_knows_is_counted(read):
    """What a newer server brings is never passed over in silence; here a rule of planning stands for it."""
    unknown = (
        "insert into pg_depend values ('pg_tablespace'::regclass, 99999, 0, 'pg_namespace'::regclass, 2200, 0, 'n')"
    )

    assert read(unknown).not_compared == {"object of pg_tablespace": 1}


def test_types_are_read_as_their_parts(read):
    types = read(
        "create type mood as enum ('sad', 'it''s'); alter type mood add value 'first' before 'sad';"
        'create domain d as varchar(5)[] collate "C" default \'{}\' not null check (value <> \'{x}\') check (value[1] <> \'\');'
        'create type c as ("A a" int, b text collate "C"); alter type c drop attribute "A a"; alter type c add attribute z mood;'
        'create type r as range (subtype = text, collation = "C", multirange_type_name = rs)'
    ).types  # fmt: skip

    assert {name.name: (type_.kind, type_.parts) for name, type_ in types.items()} == {
        "c": ("composite type", ('b text COLLATE "C"', "z public.mood")),
        "d": ("domain", ("character varying(5)[]", 'COLLATE "C"', "DEFAULT '{}'::character varying[]", "NOT NULL",
                         "CHECK ((((VALUE)[1])::text <> ''::text))", "CHECK ((VALUE <> '{x}'::character varying[]))")),
        "mood": ("enum type", ("first", "sad", "it's")),
        "r": ("range type", ("SUBTYPE = text", "SUBTYPE_OPCLASS = text_ops", 'COLLATION = "C"',
                             "MULTIRANGE_TYPE_NAME = public.rs")),
    }  # fmt: skip


def test_parts_that_a_type_brings_along_are_not_counted(read):
    assert read("create type r as range (subtype = int)").not_compared == {}


def test_partitions_repeat_no_trigger_of_their_parent(read):
    found = read(
        "create table t (a int) partition by list (a); create table t1 partition of t default;"
        "create function f() returns trigger language plpgsql as 'begin end';"
        "create trigger g after insert on t for each row execute function f()"
    )

    assert {identity for kind, identity in found.objects if kind == "trigger"} == {"g on public.t"}


def test_foreign_keys_are_not_counted_as_triggers(read):
    assert read("create table t (a int primary key, b int references t)").objects == {}


def test_temporary_relations_are_skipped_and_counted(read):
    found = read("create temporary table x (a int)")

    assert found.tables == {}
    assert found.skipped == {"temporary relations": 1}


def test_objects_of_extensions_are_skipped_and_counted(read):
    """The vector extension is in the wheel; where it isn't, its parts are made members by hand."""
    found = read(
        "create table mine (a int); create table theirs (a int); create schema box;"
        "insert into pg_extension select 99999, 'box', 10, oid, false, '1', null, null from pg_namespace where nspname = 'box';"
        "insert into pg_depend select 'pg_class'::regclass, 'theirs'::regclass, 0, 'pg_extension'::regclass, 99999, 0, 'e';"
        "insert into pg_depend select 'pg_namespace'::regclass, oid, 0, 'pg_extension'::regclass, 99999, 0, 'e'"
        " from pg_namespace where nspname = 'box'"
    )

    assert [name.name for name in found.tables] == ["mine"]
    assert found.schemas == {"public"}
    assert found.skipped == {"extension box": 2}
    assert [identity for kind, identity in found.objects if kind == "extension"] == ["box"]


@pytest.mark.parametrize(
    ("statement", "key"),
    [
        (
            "create operator class c for type int using btree family integer_ops as storage int",
            ("operator class", "public.c USING btree"),
        ),
        (
            "create subscription s connection 'host=nowhere' publication p with (connect = false, slot_name = none)",
            ("subscription", "s"),
        ),
    ],
    ids=["operator class", "subscription"],
)
def test_what_no_other_object_goes_with_is_read(read, statement, key):
    """Nothing else makes the catalog ask for objects of this kind."""
    assert key in read(statement).objects


def test_composite_type_without_any_other_type_is_read(read):
    assert list(read("create type c as (a int)").types) == [QualifiedName("public", "c")]


def test_names_are_quoted_as_the_server_does(server16, server18):
    for server in (server16, server18):
        with snapshot(server.conninfo()) as there:
            words = [word for (word,) in there.rows("select word from pg_get_keywords()")]
            names = [*words, "a", "A", "1", "a1", "_a", 'a"b', "ü", "a b", "a$", "", "a.b", "public"]
            quoted = there.rows("select quote_ident(name) from unnest(%s::text[]) as name", [names])
            newer = set(words) - {name for name, (text,) in zip(names, quoted, strict=True) if name != text}

        differing = [n for n, (text,) in zip(names, quoted, strict=True) if text != quote_ident(n) and n not in newer]
        assert differing == []


def test_a_role_without_privileges_reads_the_structure_and_knows_what_it_may_not_read(database):
    role = f"stranger_of_{database.parameters['dbname']}"
    with snapshot(database) as owner:
        connection = owner.connection
        connection.execute("rollback")
        connection.execute(f"create role {role}")
        connection.execute("create table t (a int); create table u (a int); create schema s; create table s.x (a int)")
        connection.execute(f"grant select on u, s.x to {role}")
        connection.execute(f"begin; set local role {role}; set local search_path to ''")

        tables = catalog(owner).tables

        connection.execute(f"rollback; drop owned by {role}; drop role {role}")
    assert {name.name: table.readable for name, table in tables.items()} == {"t": False, "u": True, "x": False}
    assert list(tables[T].columns) == ["a"]


@pytest.mark.parametrize(
    "change",
    [
        "drop table t",
        "drop view v",
        "drop index i",
        "alter table t drop column a cascade",
    ],
)
def test_structure_that_changes_while_it_is_read_is_not_compared(database, change):
    """The functions that print definitions see the newest structure, whatever the snapshot sees."""
    with connect(database) as other:
        other.execute("create table t (a int, b int check (b > 0)); create index i on t (a)")
        other.execute("create view v as select 1 as a")
        with snapshot(database) as seen:
            other.execute(change)

            with pytest.raises(Unverifiable, match=r"changed while it was read.*again"):
                catalog(seen)
