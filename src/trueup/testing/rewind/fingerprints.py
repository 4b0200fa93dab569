"""A digest of all that a database holds, read without any trust in what rewinding believes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields

from psycopg import sql

from trueup.db import Connection
from trueup.testing.rewind import statements
from trueup.testing.rewind.catalogs import rows_of_database, rows_of_server, stable
from trueup.testing.rewind.plans import Plans
from trueup.testing.rewind.structure import Structure, read_structure

COLUMNS = """
    select c.relnamespace::regnamespace || '.' || c.relname, array_agg(a.attname::text order by a.attnum)
    from pg_class c
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
    where c.oid < 16384 and c.relkind = 'r'
    group by c.oid
"""
SETTINGS = (
    "search_path = pg_catalog; set local timezone = 'UTC'; set local datestyle = 'ISO, YMD';"
    " set local intervalstyle = 'postgres'; set local extra_float_digits = 1; set local bytea_output = 'hex';"
    " set local row_security = off; set local jit = off"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """Is equal for two databases with the same rows, sequences and catalogs."""

    rows: str | None
    sequences: str | None
    catalogs: str

    def differences(self, other: "Fingerprint") -> str:
        """Return what is not the same."""
        names = (field.name for field in fields(self))
        return ", ".join(name for name in names if getattr(self, name) != getattr(other, name))


def fingerprint(connection: Connection) -> Fingerprint:
    """Return the digest of the connection's database, read in a transaction of its own or in the open one.

    The role has to be a superuser: some catalogs show themselves to nobody else.
    """
    with connection.transaction():
        connection.execute(f"set local {SETTINGS}".encode())
        queries = digests(connection, read_structure(connection))
        return Fingerprint(**{name: connection.execute(query).fetchall()[0][0] for name, query in queries.items()})


def read_fingerprint(plans: Plans) -> Fingerprint:
    """Return the digest of a database that is read again and again; the session's settings are pinned."""
    names = [field.name for field in fields(Fingerprint)]
    if f"digest {names[0]}" not in plans.known:
        for name, query in digests(plans.connection, plans.structure).items():
            plans.prepare(f"digest {name}", "", query)
    answers = plans.run(*(statements.execute(f"digest {name} {plans.name}") for name in names))
    return Fingerprint(**{name: answer.rows[0][0] for name, answer in zip(names, answers, strict=True)})


def digests(connection: Connection, structure: Structure) -> dict[str, sql.Composed]:
    """Return the query for each part of a fingerprint."""
    columns: dict[str, list[str]] = dict(connection.execute(COLUMNS).fetchall())
    nothing = sql.SQL("select null").format()
    return {
        "rows": digest([nothing, *row_texts(structure)]),
        "sequences": digest([nothing, *sequence_texts(structure)]),
        "catalogs": digest(list(catalog_texts(structure, columns))),
    }


def digest(parts: list[sql.Composed]) -> sql.Composed:
    """Return the query for the digest of the lines that queries give, whatever their order."""
    return sql.SQL('select md5(string_agg(line, chr(10) order by line collate "C")) from ({}) as lines(line)').format(
        sql.SQL(" union all ").join(parts)
    )


def row_texts(structure: Structure) -> Iterator[sql.Composed]:
    """Give a query for each table: its rows as text, with its number."""
    for table in structure.tables:
        yield sql.SQL("select concat({}, ' ', (t.*)::text) from only {} as t").format(table.number, table.identifier)


def sequence_texts(structure: Structure) -> Iterator[sql.Composed]:
    """Give a query for each sequence: where it is."""
    for number, each in enumerate(structure.sequences):
        yield sql.SQL("select concat({}, ' ', last_value, ' ', is_called) from {}").format(number, each.identifier)


def catalog_texts(structure: Structure, columns: Mapping[str, list[str]]) -> Iterator[sql.Composed]:
    """Give a query for each catalog: the rows that a test could have written, as text."""
    for name, condition in (*rows_of_database(structure), *rows_of_server(structure)):
        yield sql.SQL("select concat({}, row({})::text) from only {} where {}").format(
            name, stable(columns[name]), sql.Identifier(*name.split(".")), sql.SQL(condition)
        )  # fmt: skip
