"""What pytest loads (entry point `trueup`): options, the header, and the modules with the fixtures and hooks.

It imports nothing heavy: a run without a database test must not pay for one.
"""

import pytest

from trueup.testing.isolation import OPTIONS
from trueup.testing.marks import LINE
from trueup.testing.options import add_options, read_options

pytest_plugins = ("trueup.testing.isolation",)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Read the options once, and declare the marks."""
    config.addinivalue_line("markers", LINE)
    config.stash[OPTIONS] = read_options(config)


def pytest_report_header(config: pytest.Config) -> str:
    """Say where the databases of tests are."""
    options = config.stash[OPTIONS]
    where = f"embedded PostgreSQL {options.embedded_version}" if options.embedded_version else "a provided server"
    return f"trueup: {where}, started when a test asks for it"
