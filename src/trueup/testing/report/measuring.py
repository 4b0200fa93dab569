"""What the phases of tests cost, told to the reports of a run that writes a page."""

from collections.abc import Generator
from functools import cache
from typing import TYPE_CHECKING

import pytest

from trueup.testing.report.facts import attach, facts_of

if TYPE_CHECKING:
    from trueup.testing.report.meter import Meter


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
