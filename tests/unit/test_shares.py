"""Shares of the unit tests: together they are all of them, and no test is in two."""

from collections import Counter
from pathlib import Path

import pytest
from tests.unit.conftest import deal, share

CONFTEST = Path(__file__).parent / "conftest.py"


def test_each_test_is_in_one_share(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(CONFTEST.read_text())
    for name in ("test_a", "part/test_b", "part/test_c", "part/deeper/test_d"):
        path = (pytester.path / name).with_suffix(".py")
        path.parent.mkdir(exist_ok=True)
        path.write_text("import pytest\n\n@pytest.mark.parametrize('number', range(3))\ndef test(number): pass\n")

    first, second, everything = (
        [item.nodeid for item in pytester.inline_genitems("-p", "no:cacheprovider", *options)[0]]
        for options in (["--share=1/2"], ["--share=2/2"], [])
    )

    assert len(first) == len(second) == 6
    assert Counter(first + second) == Counter(everything)


@pytest.mark.parametrize("total", [1, 2, 3, 9, 12])
def test_files_are_dealt_by_their_sizes(total: int) -> None:
    sizes = {Path(f"test_{number}.py"): number for number in range(1, 10)}

    owner = deal(sizes, total)

    shares = [sum(sizes[path] for path in sizes if owner[path] == number) for number in range(1, total + 1)]
    assert owner.keys() == sizes.keys()
    assert sum(shares) == 45
    assert max(shares) <= max(45 / total + 1, 9)


def test_order_of_files_does_not_matter() -> None:
    sizes = {Path(f"test_{letter}.py"): 7 for letter in "abcdef"}

    assert deal(sizes, 4) == deal(dict(reversed(sizes.items())), 4)


@pytest.mark.parametrize("text", ["0/2", "3/2", "1/0", "1", "half", ""])
def test_share_that_there_is_not_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        share(text)


def test_shares_are_counted_from_one() -> None:
    assert [share("1/2"), share("2/2")] == [(1, 2), (2, 2)]
