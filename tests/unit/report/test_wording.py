import pytest

from trueup.report.wording import amounts, clip, duration, quantity


@pytest.mark.parametrize(
    ("number", "plural", "expected"),
    [
        (0, "rows", "0 rows"),
        (1, "tables", "1 table"),
        (1, "indexes", "1 index"),
        (1, "policies", "1 policy"),
        (1, "foreign_keys", "1 foreign key"),
        (58730, "rows", "58,730 rows"),
    ],
)
def test_quantity_reads_as_english(number, plural, expected):
    assert quantity(number, plural) == expected


@pytest.mark.parametrize("compared", [{}, {"tables": 0}])
def test_nothing_compared_reads_as_nothing(compared):
    assert amounts(compared) == "nothing"


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0, "0 ms"), (0.0124, "12 ms"), (0.9996, "1.0 s"), (59.94, "59.9 s"), (59.96, "1 min 0 s"), (3725, "62 min 5 s")],
)
def test_duration_reads_as_people_say_it(seconds, expected):
    assert duration(seconds) == expected


def test_clipped_text_says_how_much_is_missing():
    assert clip("x" * 12, 10) == "x" * 10 + "… (2 more characters)"
    assert clip("x" * 10, 10) == "x" * 10
