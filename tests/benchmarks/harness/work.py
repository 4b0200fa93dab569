"""What every test of the race does, and the tables it does it in."""

from collections.abc import Iterator
from itertools import count
from typing import Any

CODES = map("new {}".format, count())


def insert_three(connection: Any) -> None:
    """Insert three rows and commit."""
    with connection.transaction():
        for table in ("t3", "t7", "t11"):
            connection.execute(f"insert into {table} (code, n) values (%s, 1)", (next(CODES),))


def schema(tables: int) -> str:
    """Return the SQL of tables with five rows each: a key, a unique column, an index, a reference to the one before."""
    return "\n".join(statements(tables))


def statements(tables: int) -> Iterator[str]:
    """Give the statements of `schema`."""
    for number in range(tables):
        reference = f"references t{number - 1}" if number else ""
        yield (
            f"create table t{number} (id bigint generated always as identity primary key, code text not null unique,"
            f" n int, before_id bigint {reference});"
        )
        yield f"create index on t{number} (n);"
        yield f"insert into t{number} (code, n) select 'seed ' || g, g from generate_series(1, 5) g;"
