"""A data set becomes a schema full of rows."""

import gzip
from pathlib import Path

from psycopg.sql import SQL, Identifier

from trueup.conninfo import ConnInfo
from trueup.db import connect, named_errors
from trueup.db.connection import Connection
from trueup.verify.sample.datasets import Dataset

AFTER_ROWS = b"-- After the rows.\n"
CHUNK_BYTES = 1 << 18


def load(dataset: Dataset, conninfo: ConnInfo) -> None:
    """Make the schema, copy the rows, then build keys and indexes and set sequences: all of it or nothing."""
    before, _, after = dataset.schema.read_bytes().partition(AFTER_ROWS)
    with connect(conninfo) as connection, named_errors(conninfo), connection.transaction():
        connection.execute(before)
        for table, file in dataset.tables:
            copy_rows(connection, Identifier(dataset.name, table), file)
        connection.execute(after)


def copy_rows(connection: Connection, table: Identifier, file: Path) -> None:
    """Copy compressed CSV into a table; the header names the columns."""
    with gzip.open(file, "rb") as rows, connection.cursor() as cursor:
        columns = [Identifier(name) for name in rows.readline().decode().rstrip("\n").split(",")]
        statement = SQL("copy {} ({}) from stdin with (format csv, encoding 'utf8')")
        with cursor.copy(statement.format(table, SQL(", ").join(columns))) as copy:
            while chunk := rows.read(CHUNK_BYTES):
                copy.write(chunk)
