"""What pytest loads (entry point `trueup`): options, the header, and the modules with the fixtures and hooks.

It imports nothing heavy: a run without a database test must not pay for one.
"""

from importlib import import_module
from typing import Any

import pytest

from trueup.testing.imports import quick_imports
from trueup.testing.isolation import HOSTINGS, OPTIONS
from trueup.testing.lending.hosting import Hostings, Reception
from trueup.testing.marks import LINE
from trueup.testing.options import add_options, read_options

PARTS = (
    "trueup.testing.isolation",
    "trueup.testing.server_fixtures",
    "trueup.testing.lending.ahead",
    "trueup.testing.guard.watch",
    "trueup.testing.failures.hooks",
    "trueup.testing.failures.keeping",
    "trueup.testing.fault_fixtures",
    "trueup.testing.rules.checks",
    "trueup.testing.report.hooks",
    "trueup.testing.data.fixtures",
    "trueup.testing.live.fixtures",
)
"""Modules of hooks and fixtures. They are registered here and not by `pytest_plugins`, which warns of modules that are
imported already."""

RECEPTION = pytest.StashKey[Reception]()


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Declare the options, and register the parts, which declare theirs."""
    add_options(parser)
    with quick_imports():
        parts = {name: import_module(name) for name in PARTS}
    for name, part in parts.items():
        pluginmanager.register(part, name)


def pytest_configure(config: pytest.Config) -> None:
    """Read the options once, declare the marks, and know who has the servers."""
    config.addinivalue_line("markers", LINE)
    options = config.stash[OPTIONS] = read_options(config)
    if not hasattr(config, "workerinput"):
        config.stash[HOSTINGS] = Hostings(options)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of xdist how to ask for a server."""
    config = node.config
    if RECEPTION not in config.stash:
        config.stash[RECEPTION] = Reception(config.stash[HOSTINGS])
    node.workerinput["trueup_address"] = config.stash[RECEPTION].address


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the servers, if this process has them."""
    if (reception := config.stash.get(RECEPTION, None)) is not None:
        reception.close()
    if (hostings := config.stash.get(HOSTINGS, None)) is not None:
        hostings.close()


def pytest_report_header(config: pytest.Config) -> str:
    """Say where the databases of tests are."""
    return f"trueup: {config.stash[OPTIONS]}, started when a test asks for it"
