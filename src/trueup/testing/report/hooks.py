"""`--trueup-report DIR`: one page about the session of tests, and JUnit XML beside it."""

from pathlib import Path

import pytest

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
    from trueup.testing.report.measuring import Measuring  # noqa: PLC0415  Only a run with a report pays for it.

    config.pluginmanager.register(Measuring(), "trueup meter")
    if hasattr(config, "workerinput"):
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise pytest.UsageError(f"--trueup-report: cannot make the folder {folder}: {error.strerror}") from None
    if not getattr(config.option, "xmlpath", None):
        config.option.xmlpath = str(folder / JUNIT)
    from trueup.testing.report.recorder import Recorder  # noqa: PLC0415  As above.

    config.pluginmanager.register(Recorder(config, folder / PAGE), RECORDER)
