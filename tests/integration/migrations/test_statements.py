from random import Random

from psycopg import generators
from psycopg.pq import ExecStatus

from trueup.db.connection import Connection
from trueup.migrations.statements import split

PIECES = [
    *("'", "''", "E'", "\\", "\\'", "$$", "$a$", "$é$", "U&'", "b'", "--", "/*", "*/", "\n", "\r", " ", "\u00a0"),
    *("(", ")", ";", "+", "-", "*", "/", ":", "$1", "1", "a", "e", "E", "é", "'a'", '"a"'),
    *("select ", "select 1;", "select 2", "case when true then 1 end"),
    *("create function pg_temp.f() returns int begin atomic ", " end;"),
]


def count_by_server(connection: Connection, text: str) -> int | None:
    """Return how many statements the server ran; None: it refused one."""
    connection.pgconn.send_query(f"begin; {text}".encode())
    results = connection.wait(generators.execute(connection.pgconn))
    connection.rollback()
    if any(result.status == ExecStatus.FATAL_ERROR for result in results):
        return None
    return len(results) - 1


def test_server_cuts_as_we_do(connection: Connection):
    random = Random(5)
    texts = ["select 1;" + "".join(random.choices(PIECES, k=random.randint(1, 9))) + ";select 3" for _ in range(4000)]

    accepted = {text: count for text in texts if (count := count_by_server(connection, text)) is not None}

    assert len(accepted) > 100
    assert accepted == {text: sum(not each.is_blank for each in split(text)) for text in accepted}
