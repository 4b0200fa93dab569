import pytest

from trueup.parity.data import ChangedRow, TableComparison, as_json, verdict_of
from trueup.report.model import Verdict

PASSED = TableComparison(table="public.a", verdict=Verdict.PASSED, source_rows=1, target_rows=1)
FAILED = TableComparison(table="public.b", verdict=Verdict.FAILED, source_rows=1, target_rows=0, missing_count=1)
EMPTY = TableComparison(table="public.c", verdict=Verdict.INCONCLUSIVE, source_rows=0, target_rows=0, reason="empty")
UNREAD = TableComparison(table="public.d", verdict=Verdict.INCONCLUSIVE, reason="permission denied")
HALF = TableComparison(table="public.e", verdict=Verdict.INCONCLUSIVE, source_rows=1, target_rows=1, reason="gap")


@pytest.mark.parametrize(
    ("comparisons", "verdict"),
    [
        ((), Verdict.INCONCLUSIVE),
        ((PASSED,), Verdict.PASSED),
        ((EMPTY,), Verdict.INCONCLUSIVE),
        ((EMPTY, EMPTY), Verdict.INCONCLUSIVE),
        ((PASSED, EMPTY), Verdict.PASSED),
        ((UNREAD,), Verdict.INCONCLUSIVE),
        ((PASSED, UNREAD), Verdict.INCONCLUSIVE),
        ((PASSED, HALF), Verdict.INCONCLUSIVE),
        ((PASSED, FAILED), Verdict.FAILED),
        ((UNREAD, FAILED, EMPTY), Verdict.FAILED),
    ],
)
def test_the_whole_is_never_better_than_what_was_compared(
    comparisons: tuple[TableComparison, ...], verdict: Verdict
) -> None:
    """5.4: both sides empty, or both failing, is not agreement."""
    assert verdict_of(comparisons) is verdict


def test_json_has_the_documented_shape() -> None:
    changed = (ChangedRow(key=("1", None), columns=("phone",), representation=False),)
    comparison = TableComparison(
        table="public.clients", verdict=Verdict.FAILED, source_rows=9, target_rows=9, key=("id", "b"),
        missing=(("2", "x"),), extra=(("3", "y"),), changed=changed, missing_count=1, extra_count=1, changed_count=1,
    )  # fmt: skip

    found = as_json(comparison)

    documented = ("table", "verdict", "source_rows", "target_rows", "missing", "extra", "changed", "truncated")
    assert {name: found[name] for name in documented} == {
        "table": "public.clients",
        "verdict": "failed",
        "source_rows": 9,
        "target_rows": 9,
        "missing": [["2", "x"]],
        "extra": [["3", "y"]],
        "changed": [{"key": ["1", None], "columns": ["phone"], "representation": False}],
        "truncated": False,
    }


def test_it_is_truncated_when_more_differs_than_is_listed() -> None:
    comparison = TableComparison(table="t", verdict=Verdict.FAILED, missing=(("1",),), missing_count=2)

    assert comparison.truncated
