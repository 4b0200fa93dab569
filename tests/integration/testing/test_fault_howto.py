"""The tests that docs/howto/faults.md shows, run as a project would run them."""

import re
from pathlib import Path

import pytest

from trueup.testing import fault_fixtures

PAGE = Path(__file__).parents[3] / "docs/howto/faults.md"


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_every_test_on_the_page_passes(pytester: pytest.Pytester) -> None:
    [schema] = blocks("sql")
    [tests] = [block for block in blocks("python") if "def test_" in block]
    folder = pytester.mkdir("migrations")
    down = "\n-- migrate:down\ndrop table bookings; drop table clients;\n"
    (folder / "001_salon.sql").write_text(f"-- migrate:up\n{schema}{down}", encoding="utf-8")
    pytester.makeini("[pytest]\ntrueup_schema = migrations\n")
    pytester.makepyfile(test_page=tests)

    found = pytester.runpytest_subprocess("-p", "no:randomly", timeout=60)

    assert found.parseoutcomes() == {"passed": tests.count("def test_")}, found.stdout.str()


def test_every_fixture_of_the_page_is_there() -> None:
    part = PAGE.read_text(encoding="utf-8").partition("## Without pytest")[0]
    told = set(re.findall(r"^\| `(\w+)[`(]", part, re.MULTILINE))

    found = {
        name for name, value in vars(fault_fixtures).items() if type(value).__name__ == "FixtureFunctionDefinition"
    }
    assert told == found
