"""A project with tests of its own, for what only shows over several tests, processes or runs."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.integration.testing.projects import PATIENCE_S, WITHOUT, write

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


@pytest.fixture(scope="session")
def sample_files() -> Mapping[str, str]:
    """Return what a project with the sample's migrations is made of; it has no test."""
    migrations = {f"migrations/{file.name}": file.read_text(encoding="utf-8") for file in SAMPLE.glob("*.sql")}
    return {"pyproject.toml": CONFIGURATION, **migrations}


@pytest.fixture
def project(pytester: pytest.Pytester, sample_files: Mapping[str, str]) -> pytest.Pytester:
    """Return an empty project with the sample's migrations."""
    write(pytester.path, sample_files)
    return pytester


SHARED = frozenset({"ran", "ran_on_both", "ran_on_one", "aimed"})
"""Fixtures that run what several tests look at, when the first of them is set up."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the first of several tests the time of all."""
    for item in items:
        if SHARED & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.timeout(PATIENCE_S + 30))
