"""Copies of many tables, which one message asks for."""

from dataclasses import replace

import psycopg
import pytest
from tests.integration.testing.rewind.conftest import Run

from trueup.conninfo import ConnInfo
from trueup.db import connect
from trueup.testing.rewind.copies import read_copies, read_copy
from trueup.testing.rewind.structure import read_structure


def test_copies_are_those_of_one_table_after_the_other(filled: ConnInfo, run: Run) -> None:
    run(
        "create table large as select n, repeat('x', 500) as text from generate_series(1, 20000) n",
        "create table odd (text text, number int)",
        "insert into odd values (E'a\\tb\\\\c\\nd', null), ('', 1), (null, 2)",
        "create table without_rows (id int)",
        "create table without_columns (); insert into without_columns default values",
    )
    connection = connect(filled)
    tables = [table for table in read_structure(connection).tables if not table.is_view]

    together = read_copies(connection, tables)

    assert together == [read_copy(connection, table) for table in tables]
    assert max(map(len, together)) > 10_000_000
    assert min(map(len, together)) == 0
    connection.close()


def test_table_that_is_gone_is_an_error_and_the_connection_goes_on(filled: ConnInfo) -> None:
    connection = connect(filled)
    tables = read_structure(connection).tables[:2]

    with pytest.raises(psycopg.errors.UndefinedTable, match="absent"):
        read_copies(connection, [tables[0], replace(tables[1], name="absent"), tables[1]])

    assert connection.execute("select 42").fetchone() == (42,)
    connection.close()


def test_no_table_asks_nothing(filled: ConnInfo) -> None:
    connection = connect(filled)

    assert read_copies(connection, []) == []
    connection.close()
