"""Give a server to tests, for good: python scripts/give_test_server.py postgresql://ADMIN@127.0.0.1/postgres.

Makes the role and the database `trueup_tests`, and prints the connection string for `pytest --trueup-server`. Only for
a server that holds nothing else.
"""

import sys

from psycopg import sql

from trueup.conninfo import ConnInfo
from trueup.db import connect
from trueup.testing.identity import mark_database, mark_server

NAME = sql.Identifier("trueup_tests")


def give(server: ConnInfo) -> ConnInfo:
    """Make what tests need on a server, and return the database that is theirs."""
    with connect(server) as connection:
        mark_server(connection)
        if connection.execute("select 1 from pg_database where datname = 'trueup_tests'").fetchone() is None:
            connection.execute(sql.SQL("create database {name} owner {name}").format(name=NAME))
        mark_database(connection, "trueup_tests")
    return server.with_parameters(dbname="trueup_tests")


if __name__ == "__main__":
    print(give(ConnInfo.parse(sys.argv[1])).reveal())
