"""A suite of tests that runs in a process of its own, with a database that the tests own."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
from tests.integration.testing.guard.suites import CONFTEST, owned_database
from tests.integration.testing.projects import read_outcome

from trueup.conninfo import ConnInfo
from trueup.servers import EmbeddedServer
from trueup.testing.lending.host import OwnServer


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Is how the suite ended, test by test."""

    results: dict[str, str]
    """passed, failed, error or skipped, by the name of the test; an error is one of set-up or teardown."""
    texts: dict[str, str]
    """The messages, and what was captured, by the name of the test."""
    printed: str
    status: int


@dataclass(kw_only=True)
class Suite:
    pytester: pytest.Pytester
    owned: ConnInfo
    conftest: str = ""
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, source: str, *options: str) -> Outcome:
        """Run a module of tests, and return what became of each."""
        self.pytester.makeconftest(CONFTEST.format(owned=self.owned.reveal()) + self.conftest)
        self.pytester.makepyfile(test_suite=source)
        done = self.pytester.runpytest_subprocess(
            *("-p", "no:randomly", "-p", "no:cacheprovider", "--tb=short"),
            *("--junitxml=outcome.xml", "-o", "junit_logging=all", *options),
        )
        modules, texts = read_outcome(self.pytester.path / "outcome.xml")
        results = {name: result for module in modules.values() for name, result in module.items()}
        return Outcome(results=results, texts=texts, printed=done.stdout.str(), status=int(done.ret))


@pytest.fixture(scope="session")
def server16(cache_folder: Path) -> Iterator[EmbeddedServer]:
    """Return a server that doesn't say of itself that tests own it."""
    with OwnServer(16, cache_folder=cache_folder) as server:
        yield server


@pytest.fixture(scope="session")
def server18(cache_folder: Path) -> Iterator[EmbeddedServer]:
    """Return such a server of the other version."""
    with OwnServer(18, cache_folder=cache_folder) as server:
        yield server


@pytest.fixture(scope="session", params=[16, 18], ids=["pg16", "pg18"])
def server(request: pytest.FixtureRequest, server16: EmbeddedServer, server18: EmbeddedServer) -> EmbeddedServer:
    """Return each."""
    return {16: server16, 18: server18}[request.param]


@pytest.fixture
def owned(server18: EmbeddedServer) -> Iterator[ConnInfo]:
    """Return a database that carries the mark."""
    with owned_database(server18) as owned:
        yield owned


@pytest.fixture
def suite(pytester: pytest.Pytester, owned: ConnInfo) -> Suite:
    return Suite(pytester=pytester, owned=owned)


@pytest.fixture
def witness(owned: ConnInfo) -> Iterator[Callable[[str], list[tuple[object, ...]]]]:
    """Return what asks the server from outside of the suite."""
    with psycopg.connect(owned.with_parameters(dbname="postgres").reveal(), autocommit=True) as connection:
        yield lambda question: connection.execute(question.encode()).fetchall()
