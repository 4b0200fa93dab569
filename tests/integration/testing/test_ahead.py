"""What is asked of a server before pytest's own hooks have their turn says the same as what is asked afterwards."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from trueup.db import connect
from trueup.errors import ForeignKeyMissing
from trueup.testing.lending.databases import Databases
from trueup.testing.lending.kept import KeptConnection
from trueup.testing.lending.loans import Loan, TestDatabase
from trueup.testing.rewind import Baseline, Rewound

pytestmark = pytest.mark.trueup(template="tests/integration/testing/sample")

ADD = "insert into clients (phone) values ('second')"
ELSEWHERE = "insert into bookings (client_id, starts_at) values (1, now())"


@pytest.fixture
def start(db: TestDatabase, trueup_databases: Databases) -> Baseline:
    """Return a baseline that was never gone back to, so that it knows nothing of earlier tests."""
    outer = trueup_databases.lent["db"].baseline
    assert outer is not None
    return outer.nest()


@pytest.fixture
def loan(start: Baseline, db: TestDatabase, trueup_databases: Databases) -> Loan:
    """Return what is known of the test's database, into which a row was written."""
    with db.connection() as connection:
        connection.execute(ADD.encode())
    return trueup_databases.lent["db"]


def rewound(loan: Loan, start: Baseline) -> int:
    """Return how many rows putting the database back has deleted."""
    outcome = loan.rewind(start)
    assert isinstance(outcome, Rewound)
    return outcome.deleted


def test_connections_that_were_asked_are_not_asked_again(loan: Loan, start: Baseline, tmp_path: Path) -> None:
    loan.ask()
    loan.hear()
    connections = list(loan.database.pool.idle)
    with (tmp_path / "trace").open("wb") as trace:
        for connection in connections:
            connection.pgconn.trace(trace.fileno())
        deleted = rewound(loan, start)
        for connection in connections:
            connection.pgconn.untrace()

    assert deleted == 1
    assert not (tmp_path / "trace").read_bytes()


def test_what_is_written_after_the_asking_is_found(loan: Loan, start: Baseline) -> None:
    loan.ask()
    loan.hear()
    with loan.database.connection() as connection:
        connection.execute(ELSEWHERE.encode())

    assert rewound(loan, start) == 2


def test_what_another_connection_writes_meanwhile_is_found(loan: Loan, start: Baseline) -> None:
    loan.ask()
    with loan.database.connection() as connection:
        connection.execute(ELSEWHERE.encode())
    loan.hear()

    assert rewound(loan, start) == 2


def test_connection_that_was_lost_meanwhile_does_no_harm(loan: Loan, start: Baseline) -> None:
    with connect(loan.conninfo) as other:
        for connection in loan.database.pool.idle:
            other.execute("select pg_terminate_backend(%s, 5000)", [connection.backend_pid])
    loan.ask()
    loan.hear()

    assert rewound(loan, start) == 1
    assert not loan.database.pool.idle


def test_pool_that_is_closed_meanwhile_does_no_harm(loan: Loan, start: Baseline) -> None:
    pool = loan.database.pool
    loan.ask()
    loan.database.close(drain_s=0)
    loan.hear()

    assert rewound(loan, start) == 1
    assert not pool.idle
    assert not pool.held


@pytest.fixture
def told(loan: Loan) -> Iterator[None]:
    """See to it that the database was asked when the test's own code had ended, and has answered."""
    yield
    pool = loan.database.pool
    assert loan.told == (pool, pool.sums["checkouts"])
    assert not loan.asked


@pytest.mark.usefixtures("told")
def test_database_is_asked_when_the_test_has_ended(loan: Loan) -> None:
    with loan.database.connection() as connection:
        connection.execute(ELSEWHERE.encode())


def later(connection: KeptConnection) -> None:
    """Add a row whose client is looked for at the commit."""
    connection.execute("insert into bookings (client_id, starts_at) values (77, now())")


def test_answer_decides_whatever_came_after_it(conn: KeptConnection) -> None:
    later(conn)
    conn.ask()

    assert isinstance(conn.check(), ForeignKeyMissing)
    conn.rollback()


def test_answer_is_of_its_own_test(conn: KeptConnection) -> None:
    conn.ask()
    conn.end()
    conn.begin()
    later(conn)

    assert isinstance(conn.check(), ForeignKeyMissing)
    conn.rollback()


def test_failed_transaction_has_nothing_to_ask(conn: KeptConnection) -> None:
    with pytest.raises(psycopg.errors.UndefinedTable):
        conn.execute("select from nowhere")
    conn.ask()

    assert conn.check() is None
