"""Which rows of the catalogs belong to what a test can change, and how they are read.

Every catalog of the running version is looked at, so that a new one can't be forgotten; exceptions stand here.
"""

from collections.abc import Iterable, Iterator
from types import MappingProxyType

from psycopg import sql

from trueup.testing.rewind.structure import FIRST_OID, Structure

IGNORED = frozenset({"pg_catalog.pg_statistic", "pg_catalog.pg_statistic_ext_data"})
"""What ANALYZE writes: it changes plans and no answer."""

BUILT_IN = MappingProxyType(
    {
        "pg_catalog.pg_aggregate": "aggfnoid::oid",
        "pg_catalog.pg_amop": "oid",
        "pg_catalog.pg_amproc": "oid",
        "pg_catalog.pg_attribute": "attnum > 0 and attrelid",
        "pg_catalog.pg_cast": "oid",
        "pg_catalog.pg_constraint": "oid",
        "pg_catalog.pg_conversion": "oid",
        "pg_catalog.pg_depend": "objid",
        "pg_catalog.pg_description": "objoid",
        "pg_catalog.pg_index": "indexrelid",
        "pg_catalog.pg_init_privs": "objoid",
        "pg_catalog.pg_opclass": "oid",
        "pg_catalog.pg_operator": "oid",
        "pg_catalog.pg_opfamily": "oid",
        "pg_catalog.pg_proc": "oid",
        "pg_catalog.pg_rewrite": "oid",
        "pg_catalog.pg_ts_config_map": "mapcfg",
        "pg_catalog.pg_type": "oid",
        "information_schema.sql_features": None,
    }
)
"""Catalogs that initdb fills with many rows: each time only those of later objects are read, by an index on the column
that tells. The rows of initdb are read when the statistics say that somebody wrote into such a catalog."""

OF_DATABASE = MappingProxyType(
    {
        "pg_catalog.pg_database": "oid = {database}",
        "pg_catalog.pg_db_role_setting": "setdatabase = {database}",
        "pg_catalog.pg_namespace": "nspname !~ '^pg_(toast_)?temp_'",
        "pg_catalog.pg_shdepend": "dbid = {database}",
        "pg_catalog.pg_shdescription": "classoid = 1262 and objoid = {database}",
        "pg_catalog.pg_shseclabel": "classoid = 1262 and objoid = {database}",
        "pg_catalog.pg_subscription": "subdbid = {database}",
    }
)
"""The rows that are about this database. 1262 is pg_database; the schemas of temporary tables outlive them."""

OF_SERVER = MappingProxyType(
    {
        "pg_catalog.pg_auth_members": "true",
        "pg_catalog.pg_authid": "true",
        "pg_catalog.pg_db_role_setting": "setdatabase = 0",
        "pg_catalog.pg_parameter_acl": "true",
        "pg_catalog.pg_replication_origin": "true",
        "pg_catalog.pg_shdepend": "dbid = 0 and classid <> 1262",
        "pg_catalog.pg_shdescription": "classoid <> 1262",
        "pg_catalog.pg_shseclabel": "classoid <> 1262",
        "pg_catalog.pg_tablespace": "true",
    }
)
"""The rows that every database of the server sees; what is about another database is nobody's business here."""


def rows_of_database(structure: Structure) -> Iterator[tuple[str, str]]:
    """Give each catalog with the condition for the rows that were made in this database or are about it."""
    for name in (catalog.name for catalog in structure.catalogs):
        if name in OF_DATABASE:
            yield name, OF_DATABASE[name].format(database=structure.database)
        elif name in BUILT_IN:
            if column := BUILT_IN[name]:
                yield name, f"{column} >= {FIRST_OID}"
        elif name not in IGNORED and name not in OF_SERVER:
            yield name, "true"


def rows_of_server(structure: Structure) -> Iterator[tuple[str, str]]:
    """Give each catalog with the condition for the rows that belong to the server."""
    for name in (catalog.name for catalog in structure.catalogs):
        if name in OF_SERVER:
            yield name, OF_SERVER[name]


def rows_of_initdb(structure: Structure) -> Iterator[tuple[str, str]]:
    """Give the catalogs whose rows are read only when somebody wrote into one of them, with all their rows."""
    for name in (catalog.name for catalog in structure.catalogs):
        if name in BUILT_IN:
            yield name, "true"


def gathered(relations: Iterator[tuple[str, str]]) -> sql.Composed:
    """Return a query for the transaction number of each such row."""
    return sql.SQL(" union all ").join(
        sql.SQL("select xmin as born from only {} where {}").format(
            sql.Identifier(*name.split(".")),
            sql.SQL(condition),
        )
        for name, condition in relations
    )


VOLATILE = frozenset(
    {
        "relfilenode", "relpages", "reltuples", "relallvisible", "relallfrozen", "relfrozenxid", "relminmxid",
        "datfrozenxid", "datminmxid",
    }
)  # fmt: skip
"""Columns that VACUUM and TRUNCATE write: where rows are and how many there might be."""


def stable(columns: Iterable[str]) -> sql.Composed:
    """Return those columns of a catalog that are part of a database's state."""
    return sql.SQL(", ").join(sql.Identifier(name) for name in columns if name not in VOLATILE)
