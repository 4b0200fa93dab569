"""Built-in tests: `--trueup-checks` adds one item for each rule that holds for every sound data layer.

Their ids are `trueup::NAME`, so that `-k`, `--deselect`, `--lf` and `-n` work as with any test.
"""

from collections.abc import Iterable

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the option."""
    parser.getgroup("trueup").addoption(
        "--trueup-checks",
        action="store_true",
        help="also check the project's migrations, contracts, factories, markers, primary and foreign keys",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, items: list[pytest.Item]) -> None:
    """Add the built-in tests, behind those of the project; the reports of collection count them."""
    hook = session.config.hook
    if session.config.getoption("--trueup-checks"):
        report = hook.pytest_make_collect_report(collector=Checks.from_parent(session, name="trueup", nodeid="trueup"))
        for item in report.result:
            hook.pytest_itemcollected(item=item)
        hook.pytest_collectreport(report=report)
        items.extend(report.result)


class Checks(pytest.Collector):
    """Is where the built-in tests come from."""

    def collect(self) -> Iterable[pytest.Function]:
        """Return one item for each rule."""
        from trueup.testing.rules.checklist import CHECKS  # noqa: PLC0415  Only a run that asks for them pays for it.

        return [pytest.Function.from_parent(self, name=check.__name__, callobj=check) for check in CHECKS]
