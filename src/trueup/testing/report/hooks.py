"""`--trueup-report DIR`: one page about the session of tests, and JUnit XML beside it."""

from collections.abc import Generator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from trueup.testing.report.facts import attach, facts_of

if TYPE_CHECKING:
    from trueup.testing.report.meter import Meter

PAGE, JUNIT = "tests.html", "tests.xml"
RECORDER = "trueup recorder"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the option."""
    parser.getgroup("trueup").addoption(
        "--trueup-report",
        metavar="DIR",
        type=Path,
        help="write tests.html, a page about the session, and tests.xml, its JUnit XML, to a folder",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Begin to measure and to record, where that was asked for; pytest itself writes the XML.

    Raises:
        pytest.UsageError: the folder can't be made.
    """
    folder: Path | None = config.getoption("--trueup-report")
    if folder is None:
        return
    config.pluginmanager.register(Measuring(), "trueup meter")
    if hasattr(config, "workerinput"):
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise pytest.UsageError(f"--trueup-report: cannot make the folder {folder}: {error.strerror}") from None
    if not getattr(config.option, "xmlpath", None):
        config.option.xmlpath = str(folder / JUNIT)
    from trueup.testing.report.recorder import Recorder  # noqa: PLC0415  Only a run with a report pays for it.

    config.pluginmanager.register(Recorder(config, folder / PAGE), RECORDER)


class Measuring:
    """Gives the report of each phase of a test its facts, in the process where the test runs."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self) -> None:
        """Let what happened between two tests count for none."""
        meter().take()

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Add what the phase has waited for the database."""
        report = yield
        facts = facts_of(item)
        facts.database_s, facts.exchanges = meter().take()
        attach(report, item)
        return report

    def pytest_unconfigure(self) -> None:
        """End."""
        meter().stop()
        meter.cache_clear()


@cache
def meter() -> "Meter":
    """Return the meter of this process; it loads the driver, so that only a process with tests has one."""
    from trueup.testing.report.meter import Meter  # noqa: PLC0415

    found = Meter()
    found.start()
    return found
