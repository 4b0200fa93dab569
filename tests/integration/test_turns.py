"""What is left out of a run is tried there in another setting."""

from pathlib import Path

import pytest
from tests.integration.turns import ON_ONE_VERSION, is_of_the_others

HERE = Path(__file__).parent
BESIDE = HERE.with_name("repositories")
FILES = [*HERE.rglob("test_*.py"), *BESIDE.glob("test_*.py"), *BESIDE.glob("*/test_*.py")]


@pytest.mark.parametrize("ids", ["[pg{}-a]", "[{}]", "[a-{}]", "[pg{}-a/b]"])
def test_each_is_tried_on_one_version(ids: str) -> None:
    for name in ON_ONE_VERSION:
        nodeids = [f"some/{name}{ids.format(version)}" for version in (16, 18)]

        assert sorted(map(is_of_the_others, nodeids)) == [False, True], name


@pytest.mark.parametrize("ids", ["[16to18-a]", "[18-to-16]"])
def test_direction_goes_by_its_source(ids: str) -> None:
    back = ids.translate(str.maketrans("68", "86"))

    assert sorted(is_of_the_others(f"some/test_scale.py::t{each}") for each in (ids, back)) == [False, True]


def test_others_are_tried_on_both_versions() -> None:
    assert not any(is_of_the_others(f"tests/integration/db/test_tls.py::t[pg{version}]") for version in (16, 18))


def test_each_name_is_one() -> None:
    for name in ON_ONE_VERSION:
        file, _, test = name.partition("::")

        found = [path.read_text(encoding="utf-8") for path in FILES if path.name == file]
        assert any(f"def {test or 'test_'}" in text for text in found), name
