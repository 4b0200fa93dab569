"""Dumps are compared line by line, whatever the order of columns."""

import pytest

from trueup.parity.schema.planning.dumps import same_dumps
from trueup.parity.schema.planning.running import Unproved

LINES = {
    "statistics": ("CREATE STATISTICS public.s (mcv) ON a, b FROM public.t;", "a, b", "b, a"),
    "publication": ("ALTER PUBLICATION p ADD TABLE ONLY public.t (a, b) WHERE ((a > 0));", "a, b", "b, a"),
    "column": ("    a integer,", "integer,", "integer"),
}


@pytest.mark.parametrize(("line", "old", "new"), LINES.values(), ids=LINES)
def test_order_of_columns_is_only_remarked(line, old, new):
    assert [*same_dumps([line, "x"], [line.replace(old, new), "x"])] != []
    assert [*same_dumps([line], [line])] == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("CREATE STATISTICS s ON a, b FROM t;", "CREATE STATISTICS s ON a, c FROM t;"),
        ("ALTER PUBLICATION p ADD TABLE ONLY t (a);", "ALTER PUBLICATION p ADD TABLE ONLY t (a) WHERE (a);"),
    ],
)
def test_other_columns_are_another_dump(one, other):
    with pytest.raises(Unproved, match="dumps of the outcome"):
        list(same_dumps([one], [other]))
