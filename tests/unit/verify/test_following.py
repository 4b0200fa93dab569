from datetime import UTC, datetime

import pytest

from trueup.errors import UsageError
from trueup.parity.data import ChangedRow, TableComparison, TablePair
from trueup.parity.data.pairing.forms import Form
from trueup.parity.data.pairing.pairs import ReadColumn, Reading
from trueup.parity.schema import QualifiedName, ValueType
from trueup.report.model import Verdict
from trueup.verify.following import Moment, Pursuit, Round, behind

AT = datetime(2026, 11, 23, 14, 5, 6, 789_000, tzinfo=UTC)
ID = ReadColumn(
    name="id",
    form=Form(value="{0}"),
    value_type=ValueType(name=QualifiedName("pg_catalog", "int4"), kind="base", category="N"),
)


def pair(*, has_key: bool = True) -> TablePair:
    reading = Reading(table=QualifiedName("public", "t"), has_partitions=False, columns=(ID,), key=(ID,) * has_key)
    return TablePair(source=reading, target=reading)


FOUND = TableComparison(
    table="public.t",
    verdict=Verdict.FAILED,
    missing=(("1",),),
    changed=(ChangedRow(key=("2",), columns=("n",), representation=False),),
    missing_count=1,
    changed_count=1,
)


@pytest.mark.parametrize(
    ("is_full", "differing", "text"),
    [
        (True, {}, "14:05:06  all rows     no row differs"),
        (False, {"public.t": 1}, "14:05:06  those again  1 row differs: public.t 1"),
        (
            True,
            {"public.a": 1200, "public.b": 34},
            "14:05:06  all rows     1,234 rows differ: public.a 1,200, public.b 34",
        ),
    ],
)
def test_round_is_one_line(is_full: bool, differing: dict[str, int], text: str) -> None:
    assert str(Round(at=AT, is_full=is_full, differing=differing)) == text


def test_moment_names_both_clocks_and_the_lag() -> None:
    assert str(Moment(source_at=AT, target_at=AT, lag_bytes=1024)) == (
        "2026-11-23 14:05:06.789+00:00 on the source, 2026-11-23 14:05:06.789+00:00 on the target;"
        " lag 1,024 bytes of the log"
    )
    assert str(Moment(source_at=AT, target_at=AT, lag_bytes=None)).endswith("; no subscription was seen")


@pytest.mark.parametrize("seconds", [0, -1, float("inf"), float("nan")])
def test_time_that_is_none_is_refused(seconds: float) -> None:
    for name in ("every_s", "until_s"):
        with pytest.raises(UsageError, match="no time to follow"):
            Pursuit(**{name: seconds})


def test_rows_that_are_named_are_read_again_by_their_keys() -> None:
    found = behind(FOUND, pair())

    assert found
    assert (found.rows, found.keys) == (2, (("1",), ("2",)))


def test_rows_that_have_no_key_or_are_not_all_listed_are_read_with_their_table() -> None:
    truncated = TableComparison(table="public.t", verdict=Verdict.FAILED, missing=(("1",),), missing_count=2)

    for found in (behind(FOUND, pair(has_key=False)), behind(truncated, pair())):
        assert found
        assert (found.rows, found.keys) == (2, None)


def test_nothing_is_behind_where_nothing_differs() -> None:
    assert behind(TableComparison(table="public.t", verdict=Verdict.PASSED, source_rows=1), pair()) is None
