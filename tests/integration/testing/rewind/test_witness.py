"""A look only where the server's statistics have counted something finds as much as a look at everything."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from trueup.conninfo import ConnInfo
from trueup.db import connect
from trueup.testing.rewind import Baseline, NotRewound, Rewound
from trueup.testing.rewind.witness import FLUSH


@pytest.fixture
def staying(filled: ConnInfo, baseline: Baseline) -> Iterator[psycopg.Connection[Any]]:
    """Give a session that stays connected."""
    with connect(filled) as connection:
        yield connection


def rewind_told(baseline: Baseline, staying: psycopg.Connection[Any]) -> Any:
    """Rewind after a session that stays has handed in what it has counted."""
    staying.execute(FLUSH)
    pid = staying.info.backend_pid
    return baseline.rewind(tolerating=[pid], told=[pid])


def test_rows_of_a_session_that_stays_are_found(baseline: Baseline, staying: psycopg.Connection[Any]) -> None:
    for _ in range(2):
        staying.execute("insert into companies (title) values ('new')")

        assert rewind_told(baseline, staying) == Rewound(
            deleted=1, tables=("public.companies",), sequences=("public.companies_id_seq",)
        )
    assert rewind_told(baseline, staying) == Rewound()


def test_session_that_was_not_told_is_no_witness(baseline: Baseline, staying: psycopg.Connection[Any]) -> None:
    staying.execute("insert into scratch values (3)")  # Handed in at once; what follows within a second is not.
    staying.execute("insert into companies (title) values ('new')")

    outcome = baseline.rewind(tolerating=[staying.info.backend_pid])

    assert isinstance(outcome, Rewound)
    assert outcome.tables == ("public.companies", "public.scratch")


@pytest.mark.parametrize(
    "text",
    [
        "insert into companies (title) values ('new') ; select pg_stat_reset()",
        "begin ; savepoint s ; truncate log ; rollback to s ; insert into companies (title) values ('new') ; commit",
        "copy companies (title) from program 'echo new'",
        "do $$ begin insert into companies (title) values ('new'); end $$",
    ],
)
def test_rows_are_found_however_they_came(baseline: Baseline, staying: psycopg.Connection[Any], text: str) -> None:
    for _ in range(2):
        for statement in text.split(" ; "):
            staying.execute(statement.encode())

        outcome = rewind_told(baseline, staying)

        assert isinstance(outcome, Rewound)
        assert outcome.deleted == 1


@pytest.mark.parametrize("text", ["select setval('companies_id_seq', 77)", "select nextval('companies_id_seq')"])
def test_moved_sequence_is_found(baseline: Baseline, staying: psycopg.Connection[Any], text: str) -> None:
    for _ in range(2):
        staying.execute(text.encode())

        assert rewind_told(baseline, staying) == Rewound(sequences=("public.companies_id_seq",))


def test_only_what_was_touched_is_read(baseline: Baseline, staying: psycopg.Connection[Any]) -> None:
    staying.execute("insert into companies (title) values ('new')")
    before = set(baseline._plans.known)

    assert rewind_told(baseline, staying)

    new = baseline._plans.known - before
    assert sorted(name.split()[0] for name in new) == ["delete", "rest", "sequence"]


def test_database_that_keeps_no_statistics_is_looked_at_everywhere(filled: ConnInfo) -> None:
    with connect(filled) as administrator:
        administrator.execute(f"alter database {filled.parameters['dbname']} set track_counts = off".encode())
    with Baseline.take(filled) as baseline, connect(filled) as staying:
        staying.execute("insert into companies (title) values ('new')")

        outcome = rewind_told(baseline, staying)

    assert isinstance(outcome, Rewound)
    assert outcome.deleted == 1


def test_change_of_a_built_in_object_is_found_without_statistics(filled: ConnInfo) -> None:
    with connect(filled) as administrator:
        administrator.execute(f"alter database {filled.parameters['dbname']} set track_counts = off".encode())
    with Baseline.take(filled) as baseline:
        with connect(filled) as other:
            other.execute("comment on function now() is null")

        outcome = baseline.rewind()

    assert isinstance(outcome, NotRewound)
    assert "built-in" in outcome.reason
