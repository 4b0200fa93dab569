"""The page about a session in a real browser. Needs the `playwright` package and Debian's chromium."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.integration.report.test_page import DESK, FAINT_TEXTS, PAPER, PHONE, UNSEEN_TEXTS, page, pytestmark, watched

from trueup.testing.report.page import MOST_OPEN, render
from trueup.testing.report.record import PhaseRecord, SessionRecord, TestRecord

__all__ = ["page", "pytestmark"]

LONG = "test_" + "a_rather_long_name_" * 6


def record_of(*outcomes: Any) -> SessionRecord:
    """A session with all that a page can show, long names and long texts."""
    phase = PhaseRecord(seconds=0.4, database_s=0.25, exchanges=1_234)
    return SessionRecord(
        project="salon",
        server="embedded PostgreSQL 18",
        started_at=datetime(2026, 3, 1, 2, 0, 3, tzinfo=UTC),
        wall_s=12.3,
        workers=2,
        tests=tuple(
            TestRecord(
                node=f"tests/integration/{LONG}.py::{LONG}[{number}]",
                outcome=outcome,
                setup=PhaseRecord(seconds=0.1),
                call=phase,
                teardown=PhaseRecord(seconds=0.05),
                text="E   assert " + "x" * 200,
                factories={"client": (3, 0.01), LONG: (1, 0.02)},
                leaks=(f"a connection is still open: {LONG}",) if number == 0 else (),
                reruns=number,
            )
            for number, outcome in enumerate(outcomes)
        ),
        version="0.1.0",
        pytest_version="9.0",
        command=f"pytest --trueup-report {LONG}",
    )


RECORDS = {
    "passed": record_of("passed", "xfailed"),
    "failed": record_of("failed", "error", "passed", "skipped", "xfailed", "xpassed", "interrupted"),
    "inconclusive": record_of("skipped"),
    "nothing": record_of(),
}


@pytest.fixture
def show(page: Any, tmp_path: Path) -> Iterator[Callable[[SessionRecord], Any]]:
    """Open a page; fails on any request or complaint that it makes."""
    file = tmp_path / "tests.html"

    def show(record: SessionRecord) -> Any:
        file.write_text(render(record), encoding="utf-8")
        page.set_viewport_size(DESK)
        page.emulate_media(media="screen", color_scheme="light")
        page.goto(file.as_uri())
        return page

    with watched(page, file):
        yield show


@pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS)
def test_nothing_is_wider_than_the_window_nor_too_faint_to_read(show: Any, record: SessionRecord) -> None:
    shown = show(record)

    found = {}
    for window in (PHONE, DESK):
        shown.set_viewport_size(window)
        for scheme in ("light", "dark"):
            shown.emulate_media(color_scheme=scheme)
            found[window["width"], scheme] = shown.evaluate(FAINT_TEXTS)
        assert shown.evaluate("document.documentElement.scrollWidth") <= window["width"]

    assert set(map(str, found.values())) == {"[]"}, found


def test_every_count_leads_to_what_it_counts(show: Any) -> None:
    shown = show(RECORDS["failed"])

    targets = shown.evaluate("[...document.querySelectorAll('nav a')].map(a => a.getAttribute('href').slice(1))")
    missing = [target for target in targets if shown.locator(f"h2#{target}").count() != 1]

    assert len(targets) == 8
    assert missing == []


def test_bars_fill_their_width_with_every_part(show: Any) -> None:
    shown = show(RECORDS["passed"])

    rectangles = shown.evaluate(
        "[...document.querySelectorAll('.whole rect')].map(r => [r.getAttribute('class'),"
        " r.getBoundingClientRect().width, getComputedStyle(r).fill])"
    )
    bar = shown.evaluate("document.querySelector('.whole').getBoundingClientRect().width")

    assert [part for part, _, _ in rectangles] == ["setup", "database", "work", "teardown"]
    assert sum(width for _, width, _ in rectangles) == pytest.approx(bar, rel=0.01)
    assert len({fill for _, _, fill in rectangles}) == 4


def test_screen_reader_hears_the_answer_and_the_tables_on_a_phone_too(show: Any) -> None:
    shown = show(RECORDS["failed"])
    shown.set_viewport_size(PHONE)

    heard = shown.locator("body").aria_snapshot()

    assert 'heading "3 of 7 tests failed" [level=1]' in heard
    assert 'columnheader "Round trips"' in heard
    assert "1,234" in heard


def test_print_is_on_white_paper_and_opens_every_failure(show: Any) -> None:
    shown = show(record_of(*["failed"] * (MOST_OPEN + 1)))
    folded = shown.evaluate(UNSEEN_TEXTS)
    shown.emulate_media(media="print", color_scheme="dark")

    assert len(folded) > MOST_OPEN
    assert (shown.evaluate(UNSEEN_TEXTS), shown.evaluate(PAPER)) == ([], "rgb(255, 255, 255)")
