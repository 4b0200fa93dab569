import pytest

from trueup.errors import UsageError
from trueup.parity.data import Recheck, Rechecking


@pytest.mark.parametrize("seconds", [0, -1, float("inf"), float("nan")])
def test_pause_that_is_none_is_refused(seconds: float) -> None:
    with pytest.raises(UsageError, match="has to be above 0"):
        Recheck(seconds=seconds)


@pytest.mark.parametrize(("rows", "words"), [(1, "1 row that differs"), (1200, "1,200 rows that differ")])
def test_pause_says_what_it_is_for(rows: int, words: str) -> None:
    told = str(Rechecking(rows=rows, round=2, rounds=10))

    assert told == f"waiting, then reading {words} again (at most 10 times; this is number 2)"
