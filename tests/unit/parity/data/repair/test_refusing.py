"""What can't be repaired is said, with the reason."""

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.parity.data.repair.rows import TEXT_TYPE, table, written

from trueup.parity.data.model import TableComparison
from trueup.parity.data.pairing.pairs import TablePair, Unpaired
from trueup.parity.data.repair.refusing import gaps, refusal
from trueup.parity.schema import Column
from trueup.report.model import Verdict

TARGET = table("t", "note")
READING = replace(written(TARGET).reading, is_key_enforced=True)
PAIR = TablePair(source=READING, target=READING, names=("id", "note"))
FAILED = TableComparison(table="s.t", verdict=Verdict.FAILED, missing=(("1",),), missing_count=1)


def column(name: str, **options: Any) -> Column:
    return Column(name=name, type="text", value_type=TEXT_TYPE, **options)


def test_table_with_a_key_on_both_sides_is_repaired() -> None:
    assert refusal(FAILED, PAIR, TARGET) is None
    assert list(gaps(FAILED, PAIR)) == []


@pytest.mark.parametrize(
    ("comparison", "pair", "reason"),
    [
        (FAILED, replace(PAIR, source=replace(READING, key=())), "it has no key"),
        (FAILED, replace(PAIR, source=replace(READING, is_key_enforced=False)), "only one side enforces its key"),
        (replace(FAILED, verdict=Verdict.INCONCLUSIVE, reason="no permission"), PAIR, "no permission"),
        (
            FAILED,
            Unpaired(reading=READING, in_source=True, reason="the target has no such table", is_absent=True),
            "the target has no such table: `trueup schema plan`",
        ),
    ],
)
def test_table_is_refused(comparison: TableComparison, pair: TablePair | Unpaired, reason: str) -> None:
    assert str(refusal(comparison, pair, TARGET)).startswith(reason)


@pytest.mark.parametrize(
    ("extra", "is_refused"),
    [
        (column("owner", nullable=False), True),
        (column("owner"), False),
        (column("owner", nullable=False, default="now()"), False),
        (column("owner", nullable=False, identity="always"), False),
    ],
)
def test_column_that_inserts_need_and_the_source_lacks_refuses_them(extra: Column, *, is_refused: bool) -> None:
    target = table("t", "note", owner=extra)

    assert bool(refusal(FAILED, PAIR, target)) is is_refused
    assert refusal(replace(FAILED, missing=(), extra=(("1",),)), PAIR, target) is None


def test_tables_without_a_row_are_no_gap() -> None:
    empty = TableComparison(table="s.t", verdict=Verdict.INCONCLUSIVE, source_rows=0, target_rows=0, reason="empty")

    assert refusal(empty, PAIR, TARGET) is None


@pytest.mark.parametrize(
    ("comparison", "pair", "reason"),
    [
        (replace(FAILED, missing_count=5), PAIR, "4 of 5 rows that differ were counted and not listed"),
        (replace(FAILED, moving_count=2), PAIR, "2 rows changed whenever they were read again"),
        (replace(FAILED, is_stopped=True, reason="the time was over"), PAIR, "the time was over"),
        (FAILED, replace(PAIR, only_in_source=("phone",)), "columns not compared: phone is missing in the target"),
    ],
)
def test_what_stays_as_it_is_is_said(comparison: TableComparison, pair: TablePair, reason: str) -> None:
    [gap] = gaps(comparison, pair)

    assert gap.reason.startswith(reason)
