"""A project with tests of its own, for what only shows over several tests, processes or runs."""

from pathlib import Path

import pytest

SAMPLE = Path(__file__).parent / "sample"

CONFIGURATION = """
    [tool.trueup]
    schema = "migrations"

    [tool.pytest.ini_options]
    filterwarnings = ["error"]
"""


WITHOUT = "-p no:randomly -p no:hypothesispytest -p no:faker -p no:cov -p no:anyio"
"""What takes a second to import, and isn't what is tested here; pytest-randomly imports factory_boy."""


@pytest.fixture
def pytester(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """Return what runs tests without most plugins."""
    monkeypatch.setenv("PYTEST_ADDOPTS", WITHOUT)
    return pytester


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    """Return an empty project with the sample's migrations."""
    pytester.makepyprojecttoml(CONFIGURATION)
    migrations = pytester.mkdir("migrations")
    for file in SAMPLE.glob("*.sql"):
        (migrations / file.name).write_bytes(file.read_bytes())
    return pytester
