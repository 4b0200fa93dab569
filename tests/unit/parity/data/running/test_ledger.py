from dataclasses import replace

import pytest

from trueup.errors import Refused
from trueup.parity.data import Ledger, Span, TableComparison, TablePair, Unpaired
from trueup.parity.data.pairing.pairs import Reading
from trueup.parity.schema import QualifiedName
from trueup.report.model import Verdict

HALVES = (Span(high=10), Span(low=10))


def reading(name: str, where: tuple[str, ...] = ()) -> Reading:
    return Reading(table=QualifiedName("public", name), has_partitions=False, columns=(), where=where)


def pair(name: str, where: tuple[str, ...] = ()) -> TablePair:
    return TablePair(source=reading(name, where), target=reading(name, where))


def found(name: str, *, missing: int = 0, rows: int = 5) -> TableComparison:
    return TableComparison(
        table=f"public.{name}",
        verdict=Verdict.FAILED if missing else Verdict.PASSED,
        source_rows=rows,
        target_rows=rows - missing,
        key=("id",),
        missing=tuple((str(number),) for number in range(missing)),
        missing_count=missing,
    )


def opened(*pairs: TablePair | Unpaired, max_rows: int = 100, most_rows: int = 0) -> Ledger:
    ledger = Ledger()
    ledger.open(pairs, max_rows=max_rows, most_rows=most_rows)
    return ledger


def test_table_that_was_not_begun_says_why() -> None:
    ledger = opened(pair("a"))
    ledger.stopped = "the 5 s that it had were up"

    [told] = ledger.comparisons()

    assert (told.verdict, told.is_stopped, told.source_rows) == (Verdict.INCONCLUSIVE, True, None)
    assert told.reason == "not compared: the 5 s that it had were up"


def test_table_that_was_compared_in_part_counts_the_rows_of_that_part() -> None:
    ledger = opened(pair("a"))
    ledger.plan(pair("a"), HALVES)
    ledger.add(pair("a"), 1, found("a"))

    [told] = ledger.comparisons()

    assert (told.verdict, told.is_stopped, told.source_rows) == (Verdict.INCONCLUSIVE, True, 5)
    assert told.reason == "compared in part, 1 of 2 segments: it was interrupted"


def test_difference_in_a_part_stays_a_failure() -> None:
    ledger = opened(pair("a"))
    ledger.plan(pair("a"), HALVES)
    ledger.add(pair("a"), 0, found("a", missing=2))

    [told] = ledger.comparisons()

    assert (told.verdict, told.is_stopped, told.missing_count) == (Verdict.FAILED, True, 2)


def test_whole_table_is_told_as_such_in_whatever_order_its_parts_came() -> None:
    ledger = opened(pair("a"))
    ledger.plan(pair("a"), HALVES)
    ledger.add(pair("a"), 1, found("a", missing=1))
    ledger.add(pair("a"), 0, found("a"))

    [told] = ledger.comparisons()

    assert ledger.is_complete
    assert (told.verdict, told.is_stopped, told.source_rows, told.target_rows) == (Verdict.FAILED, False, 10, 9)


def test_parts_together_keep_no_more_rows_than_may_be_listed() -> None:
    ledger = opened(pair("a"), max_rows=3)
    ledger.plan(pair("a"), HALVES)
    ledger.add(pair("a"), 0, found("a", missing=2))
    ledger.add(pair("a"), 1, found("a", missing=4))

    [told] = ledger.comparisons()

    assert ledger.accounts["public.a"].listed == 3
    assert (len(told.missing), told.missing_count, told.truncated) == (3, 6, True)


def test_rows_that_are_to_be_read_again_share_one_room() -> None:
    ledger = opened(pair("a"), pair("b"), max_rows=2, most_rows=10)
    ledger.plan(pair("a"))

    assert ledger.room == 10
    ledger.add(pair("a"), 0, found("a", missing=7))
    assert ledger.room == 3
    ledger.plan(pair("b"))
    ledger.add(pair("b"), 0, found("b", missing=3))
    assert ledger.room == 2


def test_rows_that_were_not_read_again_as_they_were_to_be_are_not_called_different() -> None:
    ledger = opened(pair("a"), pair("b"), pair("c"), max_rows=2, most_rows=50)
    absent = replace(found("c", missing=3), target_rows=None, missing=())
    for name, part in (("a", found("a", missing=3)), ("b", found("b")), ("c", absent)):
        ledger.plan(pair(name))
        ledger.add(pair(name), 0, part)

    a, b, c = ledger.comparisons()

    assert (a.verdict, a.differing, a.moving, a.moving_count) == (Verdict.INCONCLUSIVE, 0, (("0",), ("1",)), 3)
    assert (a.is_stopped, a.reason) == (True, "compared, but rows that differ were not read again: it was interrupted")
    assert (b.verdict, b.is_stopped) == (Verdict.PASSED, False)
    assert c.verdict is Verdict.FAILED
    assert [one.differing for one in ledger.first_reading()] == [3, 0, 3]


def test_other_tables_are_refused() -> None:
    ledger = opened(pair("a"), pair("b"))

    with pytest.raises(Refused, match=r"of other tables: public\.b, public\.c are not in both"):
        ledger.open([pair("a"), pair("c")], max_rows=100)


@pytest.mark.parametrize("again", [(pair("a", ("x > 1",)), 100), (pair("a"), 50)], ids=["condition", "limit"])
def test_table_that_is_read_otherwise_is_refused(again: tuple[TablePair, int]) -> None:
    ledger = opened(pair("a"))

    with pytest.raises(Refused, match=r"the options changed for public\.a"):
        ledger.open([again[0]], max_rows=again[1])


def test_condition_is_in_no_account() -> None:
    ledger = opened(pair("a", ("phone = '+7'",)))

    assert "phone" not in repr(ledger.accounts)
