"""What the last rewind has put back is put back at once the next time, and what else was changed is found as well."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.integration.testing.rewind.conftest import Run, content
from tests.integration.testing.rewind.test_others import reason

from trueup.conninfo import ConnInfo
from trueup.db import Connection, connect
from trueup.testing.rewind import Baseline, Rewound
from trueup.testing.rewind.witness import FLUSH

COMPANY = "insert into companies (title) values ('new')"
ONE_COMPANY = Rewound(deleted=1, tables=("public.companies",), sequences=("public.companies_id_seq",))


@pytest.fixture
def staying(filled: ConnInfo, baseline: Baseline) -> Iterator[Connection]:
    """Return a session that stays connected, and has nothing to hand in."""
    with connect(filled) as connection:
        yield connection


def rewind(baseline: Baseline, staying: Connection) -> Any:
    """Rewind after a session that stays has handed in what it has counted."""
    staying.execute(FLUSH)
    pid = staying.info.backend_pid
    return baseline.rewind(tolerating=[pid], told=[pid])


@pytest.fixture
def touched(baseline: Baseline, staying: Connection) -> Baseline:
    """Return a baseline that was just gone back to after a company was added."""
    staying.execute(COMPANY)
    assert rewind(baseline, staying) == ONE_COMPANY
    return baseline


def exchanges(baseline: Baseline, staying: Connection, file: Path) -> tuple[Any, int]:
    """Return what a rewind says, and how many messages it has sent, by the trace of libpq."""
    login = baseline._plans.connection.pgconn
    with file.open("wb") as trace:
        login.trace(trace.fileno())
        outcome = rewind(baseline, staying)
        login.untrace()
    return outcome, sum("\tQuery\t" in line for line in file.read_text().splitlines())


def test_same_tables_again_take_one_exchange(touched: Baseline, staying: Connection, tmp_path: Path) -> None:
    staying.execute(COMPANY)

    assert exchanges(touched, staying, tmp_path / "trace") == (ONE_COMPANY, 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("select 1", Rewound()),
        ("insert into scratch values (3)", Rewound(deleted=1, tables=("public.scratch",))),
        (
            f"insert into scratch values (3); select nextval('untouched'); {COMPANY}",
            Rewound(
                deleted=2,
                tables=("public.companies", "public.scratch"),
                sequences=("public.companies_id_seq", "public.untouched"),
            ),
        ),
        ("update companies set mood = 'bad' where id = 2",
         Rewound(deleted=1, restored=1, tables=("public.companies",))),
        ("begin; set session_replication_role = replica; delete from companies; commit",
         Rewound(restored=3, tables=("public.companies",))),
    ],
    ids=["nothing", "another table", "both", "changed row", "no row left"],
)  # fmt: skip
def test_whatever_comes_next_is_undone(
    filled: ConnInfo, touched: Baseline, staying: Connection, text: str, expected: Rewound
) -> None:
    before = content(filled)

    for _ in range(2):
        staying.execute(text.encode())

        assert rewind(touched, staying) == expected
        assert content(filled) == before


def test_rows_of_a_session_that_is_just_ending_are_counted(
    filled: ConnInfo, touched: Baseline, staying: Connection
) -> None:
    slow = connect(filled)
    slow.execute(COMPANY.encode())
    closing = threading.Timer(0.05, slow.close)

    closing.start()
    outcome = rewind(touched, staying)
    closing.join()

    assert outcome == ONE_COMPANY


def test_table_that_is_gone_is_named(touched: Baseline, staying: Connection, run: Run) -> None:
    run("drop table companies cascade")

    assert "the structure was changed" in reason(rewind(touched, staying))


def test_trigger_that_would_fire_is_a_change_of_the_structure(touched: Baseline, staying: Connection, run: Run) -> None:
    run("create trigger late after delete on companies for each row execute function log_change()")
    run(f"alter table companies enable always trigger late; {COMPANY}")

    assert "the structure was changed" in reason(rewind(touched, staying))


def test_who_holds_a_row_is_named_and_not_waited_for(
    filled: ConnInfo, touched: Baseline, staying: Connection, run: Run
) -> None:
    run(COMPANY)
    with connect(filled, application_name="holder") as holder:
        holder.execute(b"begin; select from companies for update")

        assert 'application "holder"' in reason(rewind(touched, staying))


def test_large_table_is_read_only_when_it_has_changed(filled: ConnInfo, staying: Connection, tmp_path: Path) -> None:
    staying.execute("insert into scratch select generate_series(1, 2000)")
    with Baseline.take(filled) as baseline:
        for _ in range(2):
            staying.execute("insert into scratch values (3)")

            outcome, messages = exchanges(baseline, staying, tmp_path / "trace")

            assert outcome == Rewound(deleted=1, tables=("public.scratch",))
            assert messages > 1
