"""How a database comes back from a test: nobody may be at work in it any more."""

from typing import TYPE_CHECKING

import psycopg

from trueup.db import Connection
from trueup.errors import Refused, TrueupError
from trueup.testing import rewind
from trueup.testing.guard.gate import gate
from trueup.testing.guard.leaks.sessions import end_sessions
from trueup.testing.lending.loans import Loan

if TYPE_CHECKING:
    from trueup.testing.rewind import Baseline, NotRewound, Rewound

IN_USE = """
    select
        exists (select from pg_catalog.pg_stat_activity where datname = %(name)s and pid <> all (%(kept)s))
        or exists (select from pg_catalog.pg_prepared_xacts where database = %(name)s)
"""


def is_in_use(admin: Connection, loan: Loan) -> bool:
    """Say whether anybody but us is connected to a database, or has prepared a transaction in it."""
    return admin.execute(IN_USE, {"name": loan.lease.name, "kept": loan.pids}).fetchone() == (True,)


def brought_back(loan: Loan) -> "Rewound | NotRewound":
    """Bring a database back to the state that it was lent out in, or say why it can't be proven to be there."""
    try:
        baseline = loan.baseline
    except (TrueupError, psycopg.Error) as error:
        reason = f"nobody can connect to it any more, or read its first state ({type(error).__name__})"
        gate.owner.outcome = outcome = rewind.NotRewound(reason)
        return outcome
    assert baseline is not None
    return rewound(loan, baseline)


def rewound(loan: Loan, baseline: "Baseline") -> "Rewound | NotRewound":
    """Bring a database back to a baseline; others who are at work in it are ended, as leaks of the test, and again."""
    outcome = loan.rewind(baseline)
    if isinstance(outcome, rewind.NotRewound) and end_sessions(loan.conninfo, kept=loan.pids):
        outcome = loan.rewind(baseline)
    gate.owner.outcome = outcome
    return outcome


def put_back(loan: Loan) -> None:
    """Put a database that others share back to how its test found it.

    Raises:
        Refused: that is not possible.
    """
    inner, loan.inner = loan.inner, None
    if inner is not None and isinstance(outcome := rewound(loan, inner), rewind.NotRewound):
        raise Refused(
            f"the test can't be undone in the database that it shares: {outcome.reason}; ask for `fresh_db` instead"
            " of `db` here"
        )


def check_server(outcome: "NotRewound") -> None:
    """Refuse what a new clone doesn't undo.

    Raises:
        Refused: the test changed the whole server.
    """
    if outcome.is_server_wide:
        raise Refused(
            f"the test changed the whole server, which all tests use: {outcome.reason}; ask for `server`, a server of"
            " the test's own"
        )
