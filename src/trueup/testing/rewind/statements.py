"""The statements of a rewind, prepared once a baseline and then run by name: nothing here talks to a server."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import LiteralString

from psycopg import sql

from trueup.testing.rewind.catalogs import (
    BUILT_IN,
    IGNORED,
    gathered,
    rows_of_database,
    rows_of_initdb,
    rows_of_server,
    stable,
)
from trueup.testing.rewind.moments import CONFIGURATION
from trueup.testing.rewind.structure import FIRST_OID, Sequence, Structure, Table

OF_DATABASE = -1
"""Stands for the catalogs' rows in place of a table's number, which is its place in the structure."""
OF_SERVER = -2
UNKNOWN = -1
"""A number of rows that is never right, so that a probe tells the real one."""
IMPATIENT = b"set local lock_timeout = '50ms'"
"""Lets the rest of a message fail soon where somebody holds what it needs."""
HORIZON = b"select pg_snapshot_xmax(pg_current_snapshot())::xid::text"

ROWS = """
    select {}, count(born), coalesce(min(age(born)) <= (select age($1)), false)
    from ({}) as rows
    {} count(born) <> {} or min(age(born)) <= (select age($1))
"""
"""Number, how many rows there are, whether one of them is of a transaction at or after the horizon `$1`; no row of all
this where that is as it was at the baseline.

A row that was there at the baseline and has not been touched still carries its old transaction number, so that no new
row and an unchanged count together prove that every row is the old one.
"""


def catalog_probe(structure: Structure) -> sql.Composed:
    """Return the query for changes to the catalogs: since `$1`, where there were `$2` and `$3` rows."""
    parts = ((OF_DATABASE, rows_of_database(structure), "$2"), (OF_SERVER, rows_of_server(structure), "$3"))
    return sql.SQL(" union all ").join(
        sql.SQL(ROWS).format(number, gathered(rows), sql.SQL("having"), sql.SQL(count)) for number, rows, count in parts
    )


def initdb_probe(structure: Structure) -> sql.Composed:
    """Return the query for changes to what initdb made: since `$1`, where there were `$2` rows."""
    rows = gathered(rows_of_initdb(structure))
    return sql.SQL(ROWS).format(OF_DATABASE, rows, sql.SQL("having"), sql.SQL("$2"))


def table_probe(structure: Structure) -> sql.Composed:
    """Return the query for changes to tables since `$1`, where there were `$2` rows, an array in their order."""
    tables = sql.SQL(" union all ").join(
        sql.SQL("select {} as number, xmin as born from only {}").format(table.number, table.identifier)
        for table in structure.tables
    )
    # A table without rows has its number too.
    every = sql.SQL("select number, null as born from generate_series(0, {}) as number union all {}")
    return sql.SQL(ROWS).format(
        sql.SQL("number"),
        every.format(len(structure.tables) - 1, tables),
        sql.SQL("group by number having"),
        sql.SQL("($2)[number + 1]"),
    )


def sequence_probe(structure: Structure) -> sql.Composed:
    """Return the query for sequences that are not where the arrays `$1` and `$2` say: number, value, is called."""
    return sql.SQL(" union all ").join(
        sql.SQL("select {0}, last_value, is_called from {1} where last_value <> ($1)[{2}] or is_called <> ($2)[{2}]")
        .format(number, each.identifier, number + 1)
        for number, each in enumerate(structure.sequences)
    )  # fmt: skip


def positions(structure: Structure) -> sql.Composed:
    """Return the query for where every sequence is, in their order."""
    return sql.SQL(" union all ").join(
        sql.SQL("select last_value, is_called from {}").format(each.identifier) for each in structure.sequences
    )


def others(structure: Structure) -> sql.Composed:
    """Return the query for other sessions in the database: who, and whether each holds a lock of any kind.

    A transaction always holds one, that on its own number; so an idle session without locks is outside of any.
    """
    return sql.SQL(
        "select pid, backend_start::text, application_name, coalesce(state, backend_type),"
        " exists (select from pg_lock_status() l where l.pid = a.pid)"
        " from pg_stat_get_activity(null) a"
        " where datid = {} and pid <> pg_backend_pid() and backend_type <> 'autovacuum worker'"
    ).format(structure.database)


def surroundings(structure: Structure) -> sql.Composed:
    """Return the query for what is not in a table: configuration, prepared transactions, replication slots."""
    return sql.SQL(
        "select {},"
        " (select count(*) from pg_prepared_xact() where dbid = {}),"
        " (select string_agg(slot_name::text, ',' order by slot_name) from pg_get_replication_slots())"
    ).format(CONFIGURATION, structure.database)


WRITTEN = sql.SQL(
    "pg_stat_get_tuples_inserted(oid) + pg_stat_get_tuples_updated(oid) + pg_stat_get_tuples_deleted(oid)"
)


def written(structure: Structure) -> sql.Composed:
    """Return the query for how many rows were ever written into the catalogs of initdb."""
    catalogs = [catalog.oid for catalog in structure.catalogs if catalog.name in BUILT_IN]
    return sql.SQL("select sum({})::int8 from unnest({}::oid[]) as catalogs(oid)").format(WRITTEN, catalogs)


WITNESS = """
    select
        concat_ws(' ', pg_stat_get_db_stat_reset_time({database}), pg_stat_get_db_stat_reset_time(0)),
        (select sum({written}) from unnest({catalogs}::oid[]) as catalogs(oid)),
        array(select {written} from unnest({tables}::oid[]) as tables(oid)),
        array(select pg_stat_get_blocks_fetched(oid) from unnest({sequences}::oid[]) as sequences(oid))
"""


def witness(structure: Structure) -> sql.Composed:
    """Return the query for what was counted: since when, writes into catalogs and tables, reads of sequences."""
    return sql.SQL(WITNESS).format(
        database=structure.database,
        written=WRITTEN,
        catalogs=[catalog.oid for catalog in structure.catalogs if catalog.name not in IGNORED],
        tables=[table.oid for table in structure.tables],
        sequences=[sequence.oid for sequence in structure.sequences],
    )


def table_glance(table: Table) -> sql.Composed:
    """Return the query for one table as `table_probe` gives it, whether it has changed or not."""
    return sql.SQL("select {}, count(*), coalesce(min(age(xmin)) <= (select age($1)), false) from only {}").format(
        table.number, table.identifier
    )


def rest(table: Table) -> sql.Composed:
    """Return the query for what is left of a table whose new rows are gone, as `table_probe` gives it."""
    return sql.SQL("select {}, count(*), false from only {}").format(table.number, table.identifier)


def set_position(sequence: Sequence) -> sql.Composed:
    """Return the statement that puts a sequence where `$1` and `$2` say; a row if it was somewhere else."""
    return sql.SQL("select setval({}::oid::regclass, $1, $2) from {} where last_value <> $1 or is_called <> $2").format(
        sequence.oid, sequence.identifier
    )


CLASSES = """
    select
        md5(string_agg(row({})::text, ' ' order by oid) filter (where oid >= {})),
        count(*) filter (where oid < {} and age(xmin) <= (select age($1)))
    from pg_class
"""
"""A digest of pg_class but for where files are and what VACUUM writes, and how many rows of initdb have changed: after
TRUNCATE both are as before."""


def classes(structure: Structure) -> sql.Composed:
    """Return the query for what TRUNCATE leaves alone in pg_class."""
    return sql.SQL(CLASSES).format(stable(structure.class_columns), FIRST_OID, FIRST_OID)


DESCRIBED = MappingProxyType(
    {
        "pg_catalog.pg_attribute": "1259, attrelid, nullif(greatest(attnum, 0), 0)",
        "pg_catalog.pg_authid": "1260, oid, 0",
        "pg_catalog.pg_class": "1259, oid, 0",
        "pg_catalog.pg_constraint": "2606, oid, 0",
        "pg_catalog.pg_description": "classoid, objoid, objsubid",
        "pg_catalog.pg_namespace": "2615, oid, 0",
        "pg_catalog.pg_policy": "3256, oid, 0",
        "pg_catalog.pg_proc": "1255, oid, 0",
        "pg_catalog.pg_publication": "6104, oid, 0",
        "pg_catalog.pg_trigger": "2620, oid, 0",
        "pg_catalog.pg_type": "1247, oid, 0",
    }
)
"""How an object is named by the row of a catalog; the numbers are those of the catalogs, in every version."""


def news(structure: Structure) -> sql.Composed:
    """Return the query for the catalogs that have rows since `$1`: name, whether of the server, an example."""
    rows = [(*each, False) for each in rows_of_database(structure)]
    rows += [(*each, True) for each in rows_of_server(structure)]
    parts = (
        sql.SQL("select {}, {}, {} from only {} where {} and age(xmin) <= (select age($1))").format(
            name.removeprefix("pg_catalog."),
            is_of_server,
            sql.SQL(f"pg_describe_object({DESCRIBED[name]})" if name in DESCRIBED else "null"),
            sql.Identifier(*name.split(".")),
            sql.SQL(condition),
        )
        for name, condition, is_of_server in rows
    )
    return sql.SQL(
        "select name, is_of_server, min(example) filter (where example !~ ' pg_toast[.]')"
        " from ({}) as rows(name, is_of_server, example)"
        " group by 1, 2 order by 1"
    ).format(sql.SQL(" union all ").join(parts))


def delete_new(table: Table) -> sql.Composed:
    """Return the statement that deletes the rows of transactions at or after the horizon `$1`."""
    return sql.SQL("delete from only {} where age(xmin) <= (select age($1))").format(table.identifier)


def vacuum(table: Table) -> sql.Composed:
    """Return the statement that frees what dead rows take."""
    return sql.SQL("vacuum {}").format(table.identifier)


def columns_of(table: Table) -> sql.Composed:
    """Return the columns that can be written."""
    return sql.SQL(", ").join(map(sql.Identifier, table.columns))


def copy_out(table: Table, horizon: str | None = None) -> sql.Composed:
    """Return the statement for all rows as text, or for those of transactions before the horizon."""
    query = sql.SQL("copy (select {} from only {}").format(columns_of(table), table.identifier)
    if horizon is not None:
        query += sql.SQL(" where age(xmin) > (select age({}::xid))").format(horizon)
    return query + sql.SQL(") to stdout")


def copy_in(table: Table) -> sql.Composed:
    """Return the statement that takes rows as text."""
    columns = sql.SQL("({}) ").format(columns_of(table)) if table.columns else sql.SQL("")
    return sql.SQL("copy {} {}from stdin").format(table.identifier, columns)


PREPARED: Mapping[str, tuple[LiteralString, Callable[[Structure], sql.Composed]]] = MappingProxyType(
    {
        "others": ("", others),
        "surroundings": ("", surroundings),
        "written": ("", written),
        "witness": ("", witness),
        "catalogs": ("(xid, int8, int8)", catalog_probe),
        "initdb": ("(xid, int8)", initdb_probe),
        "classes": ("(xid)", classes),
        "news": ("(xid)", news),
        "tables": ("(xid, int8[])", table_probe),
        "sequences": ("(int8[], bool[])", sequence_probe),
    }
)
"""Name, types of the parameters, and the query of what is asked again and again."""


def prepare(name: str, types: LiteralString, statement: sql.Composed) -> sql.Composed:
    """Return the statement that prepares another."""
    return sql.SQL("prepare {}{} as ").format(sql.Identifier(name), sql.SQL(types)) + statement


def execute(name: str, *values: object) -> bytes:
    """Return the statement that runs a prepared one; `values` are numbers, booleans, and tuples of them, all ours."""
    arguments = ", ".join(f"'{array(value) if isinstance(value, tuple) else value}'" for value in values)
    return f'execute "{name}"({arguments})'.encode() if values else f'execute "{name}"'.encode()


def array(values: tuple[object, ...]) -> str:
    """Return the text of an array."""
    return f"{{{','.join(map(str, values))}}}"
