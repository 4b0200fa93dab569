"""The name that a failed test's database is kept under."""

import pytest

from trueup.testing.failures.keeping import PREFIX, kept_name
from trueup.testing.lending.claims import NAME


@pytest.mark.parametrize(
    "node", ["tests/a/test_b.py::TestC::test_d[x-1]", "t.py::" + "x" * 200, "t.py::тест", "t.py::a b'\"", ""]
)
def test_name_is_readable_and_fits(node: str) -> None:
    name = kept_name(node)

    assert name.startswith(PREFIX)
    assert len(name) <= 63
    assert name.isascii()
    assert name.replace("_", "").isalnum()
    assert NAME.fullmatch(name) is None, "a sweep would take it"


def test_tests_that_read_alike_have_names_of_their_own() -> None:
    assert kept_name("a/test_x.py::test_y") != kept_name("b/test_x.py::test_y")
    assert kept_name("a/test_x.py::test_y").endswith("test_x_py_test_y")
