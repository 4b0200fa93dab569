"""A project with tests of its own, for what only shows over several tests, processes or runs."""

from pathlib import Path

import pytest
from tests.integration.testing.projects import WITHOUT

SAMPLE = Path(__file__).parent / "sample"

CONFIGURATION = """
    [tool.trueup]
    schema = "migrations"

    [tool.pytest.ini_options]
    filterwarnings = ["error"]
"""


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
