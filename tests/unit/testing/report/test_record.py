"""What follows from how the tests of a session ended, and the page that says it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from trueup.testing.report.page import MOST_BROKEN, MOST_OF_A_TEXT, headline, render, summary, verdict
from trueup.testing.report.record import Outcome, PhaseRecord, SessionRecord, TestRecord


def phase(seconds: float, database_s: float = 0.0, exchanges: int = 0) -> PhaseRecord:
    return PhaseRecord(seconds=seconds, database_s=database_s, exchanges=exchanges)


def a_test(node: str = "tests/a.py::test_one", outcome: Outcome = "passed", **facts: Any) -> TestRecord:
    return TestRecord(node=node, outcome=outcome, **facts)


def session(*tests: TestRecord, **facts: Any) -> SessionRecord:
    usual: dict[str, Any] = {
        "project": "salon",
        "server": "embedded PostgreSQL 18",
        "started_at": datetime(2026, 3, 1, 2, 0, 3, tzinfo=UTC),
        "wall_s": 12.0,
        "workers": 1,
        "version": "0.1.0",
        "pytest_version": "9.0",
        "command": "pytest",
    }
    return SessionRecord(tests=tests, **{**usual, **facts})


def test_time_of_a_test_falls_into_its_parts() -> None:
    found = a_test(setup=phase(1, 0.5), call=phase(4, 3, 7), teardown=phase(0.5))

    assert found.parts == {"setup": 1, "database": 3, "work": 1, "teardown": 0.5}
    assert (found.seconds, found.database_s, found.exchanges) == (5.5, 3.5, 7)


def test_threads_that_wait_side_by_side_take_no_more_than_the_test() -> None:
    assert a_test(call=phase(2, 7)).parts["work"] == 0


def test_share_of_the_database_is_of_the_tests_alone() -> None:
    found = session(a_test(setup=phase(9, 9), call=phase(4, 1)), a_test(call=phase(4, 3)))

    assert found.database_share == 0.5
    assert session(a_test(call=phase(1))).database_share == 0


def test_slowest_come_first_and_what_did_not_run_is_left_out() -> None:
    tests = [a_test(f"a.py::{n}", call=phase(n)) for n in (1, 3, 2)]

    assert [test.name for test in session(*tests, a_test("a.py::x", "skipped")).slowest] == ["3", "2", "1"]


def test_files_sum_up_their_tests() -> None:
    found = session(
        a_test("a.py::x", call=phase(1, 0.5)),
        a_test("b.py::x", "failed", call=phase(5)),
        a_test("a.py::C::y", "skipped", setup=phase(1)),
        a_test("b.py", "error"),
    ).files

    assert [(file.file, dict(file.counts), file.seconds, file.database_s) for file in found] == [
        ("b.py", {"failed": 1, "error": 1}, 5, 0),
        ("a.py", {"passed": 1, "skipped": 1}, 2, 0.5),
    ]


def test_factories_sum_up_over_tests_the_dearest_first() -> None:
    found = session(
        a_test(factories={"client": (3, 0.3), "booking": (1, 1.0)}), a_test(factories={"client": (1, 0.1)})
    ).factories

    assert [(factory.name, factory.tests, factory.rows) for factory in found] == [("booking", 1, 1), ("client", 2, 4)]
    assert found[1].row_s == pytest.approx(0.1)


def test_skips_are_counted_by_reason() -> None:
    skipped = [a_test(f"a.py::{n}", "skipped", text="no pooler" if n else "") for n in range(3)]

    assert session(*skipped).skips == (("no pooler", 2), ("no reason was given", 1))


@pytest.mark.parametrize(
    ("record", "tone", "says"),
    [
        (session(a_test(), a_test()), "passed", "All 2 tests passed"),
        (session(a_test()), "passed", "All 1 test passed"),
        (session(a_test(), a_test(outcome="skipped")), "passed", "1 test passed"),
        (session(a_test(), a_test(outcome="failed")), "failed", "1 of 2 tests failed"),
        (session(a_test(outcome="error")), "failed", "1 of 1 test failed"),
        (session(a_test(outcome="interrupted")), "failed", "1 of 1 test failed"),
        (session(), "inconclusive", "No test was run"),
        (session(a_test(outcome="skipped")), "inconclusive", "Every test was skipped"),
        (session(a_test(), is_complete=False), "inconclusive", "The session was stopped after 1 test"),
    ],
)
def test_headline_says_how_it_ended_and_nothing_untested_is_green(record: SessionRecord, tone: str, says: str) -> None:
    assert (verdict(record), headline(record)) == (tone, says)
    page = render(record)
    assert f'<body class="{tone}">' in page
    assert f"<h1>{says}</h1>" in page


def test_terminal_hears_the_share_and_the_leaks() -> None:
    found = session(a_test(call=phase(2, 1), leaks=("a connection is still open",)))

    assert summary(found) == "50% of the tests' time was the database's, 1 test left something open"
    assert summary(session(a_test())) == "All 1 test passed"


def test_page_says_what_failed_what_was_left_and_what_it_cost() -> None:
    page = render(
        session(
            a_test("a.py::test_broken", "failed", text="assert 1 == 2", reruns=2, call=phase(1)),
            a_test("a.py::test_leak", leaks=("a connection is still open",), call=phase(2, 1, 9)),
            a_test("a.py::test_rows", factories={"client": (40, 0.1)}, call=phase(1)),
            a_test("a.py::test_later", "skipped", text="no account"),
            workers=3,
            is_complete=False,
        )
    )

    for text in (
        "assert 1 == 2",
        "ran 3 times",
        "a connection is still open",
        "<bdi>client</bdi>",
        "2.5 ms",
        "no account",
        "with 3 workers",
        "stopped before its end",
        "of session, on 3 workers",
    ):
        assert text in page, text


def test_page_without_factories_skips_or_time_has_no_empty_section() -> None:
    page = render(session(a_test()))

    assert 'id="factories"' not in page
    assert 'id="skipped"' not in page
    assert 'id="time"' not in page
    assert "Nothing: no connection" in page


def test_what_a_test_is_called_and_says_can_not_break_the_page() -> None:
    hostile = "<script>alert(1)</script>\x1b[31m\u202e"
    page = render(session(a_test(f"a.py::{hostile}", "failed", text=hostile, leaks=(hostile,)), command=hostile))

    assert "<script" not in page
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert "default-src 'none'" in page


def test_page_stays_readable_when_everything_fails() -> None:
    text = "x" * (2 * MOST_OF_A_TEXT)
    page = render(session(*(a_test(f"a.py::t{n}", "failed", text=text) for n in range(MOST_BROKEN + 5))))

    assert "Not shown: 5 failures" in page
    assert "more characters" in page
    assert len(page) < 1_500_000
