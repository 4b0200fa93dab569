"""The text of statements, and that no catalog is forgotten."""

from psycopg import sql

from trueup.testing.rewind import statements
from trueup.testing.rewind.catalogs import (
    BUILT_IN,
    IGNORED,
    OF_DATABASE,
    OF_SERVER,
    rows_of_database,
    rows_of_initdb,
    rows_of_server,
    stable,
)
from trueup.testing.rewind.structure import Catalog, Sequence, Structure, Table

NAMES = {name.removeprefix("pg_catalog.") for name in (*BUILT_IN, *IGNORED, *OF_DATABASE, *OF_SERVER)}


def structure(*names: str) -> Structure:
    """Return a structure with those catalogs."""
    catalogs = tuple(Catalog(number, "pg_catalog", name) for number, name in enumerate(names))
    return Structure(database=5, version=180000, tables=(), sequences=(), class_columns=(), catalogs=catalogs)


def table(*columns: str) -> Table:
    """Return a table with those columns."""
    return Table(
        number=0, schema="public", name='a "b"', columns=columns, is_view=False, is_guarded=False, size_bytes=0, oid=1
    )


def test_catalog_of_a_later_version_is_read_whole() -> None:
    assert ("pg_catalog.pg_future", "true") in list(rows_of_database(structure("pg_future", "pg_class")))


def test_every_catalog_is_read_unless_it_is_ignored() -> None:
    known = structure(*NAMES)
    read = {name for rows in (rows_of_database, rows_of_server, rows_of_initdb) for name, _ in rows(known)}

    assert {f"pg_catalog.{name}" for name in NAMES} - read == IGNORED


def test_rows_about_other_databases_are_left_out() -> None:
    conditions = dict(rows_of_database(structure("pg_database", "pg_db_role_setting")))

    assert conditions == {"pg_catalog.pg_database": "oid = 5", "pg_catalog.pg_db_role_setting": "setdatabase = 5"}


def test_objects_of_initdb_are_left_to_the_statistics() -> None:
    assert dict(rows_of_database(structure("pg_proc"))) == {"pg_catalog.pg_proc": "oid >= 16384"}
    assert dict(rows_of_initdb(structure("pg_proc", "pg_class"))) == {"pg_catalog.pg_proc": "true"}


def test_places_of_files_are_no_state() -> None:
    assert stable(["relname", "relfilenode", "reltuples", "relacl"]).as_string() == '"relname", "relacl"'


def test_call_shows_arrays_as_the_server_reads_them() -> None:
    assert statements.execute("tables 1", "77", (5, 0)) == b"""execute "tables 1"('77', '{5,0}')"""
    assert statements.execute("others 1") == b'execute "others 1"'
    assert statements.execute("s", (True, False)) == b"""execute "s"('{True,False}')"""


def test_names_are_quoted() -> None:
    assert statements.copy_in(table('c"')).as_string() == 'copy "public"."a ""b""" ("c""") from stdin'
    assert statements.copy_in(table()).as_string() == 'copy "public"."a ""b""" from stdin'
    assert "only" in statements.delete_new(table()).as_string()


def test_sequence_is_set_only_where_it_has_moved() -> None:
    text = statements.set_position(Sequence(oid=7, schema="public", name="s")).as_string()

    assert text == (
        'select setval(7::oid::regclass, $1, $2) from "public"."s" where last_value <> $1 or is_called <> $2'
    )


def test_statement_is_prepared_with_its_types() -> None:
    text = statements.prepare("tables 1", "(xid, int8[])", sql.SQL("select {}").format(1)).as_string()

    assert text == 'prepare "tables 1"(xid, int8[]) as select 1'
