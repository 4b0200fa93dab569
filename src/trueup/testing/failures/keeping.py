"""`--trueup-keep`: the database of a failed test stays, under a name of its own, and the run says how to open it.

On a provided server it stays until somebody drops it, or the test fails again. A server that the run has started ends
with the run: on a terminal the run waits before that; elsewhere it leaves a dump.
"""

import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zlib import crc32

import pytest

from trueup.testing.failures.psql import told_database
from trueup.testing.guard.watch import HAS_FAILED

if TYPE_CHECKING:
    from trueup.conninfo import ConnInfo
    from trueup.db import Connection
    from trueup.servers import Installation

PREFIX = "trueup_kept_"
DUMPS = Path(".trueup", "kept")
PROPERTY = "trueup_kept"


KEPT = pytest.StashKey[list[tuple[str, str]]]()
"""What the run has kept, as the process with the terminal knows it: where, and how to open it."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the option."""
    group = parser.getgroup("trueup")
    group.addoption("--trueup-keep", action="store_true", help="keep the database of a failed test, and say where")


def pytest_configure(config: pytest.Config) -> None:
    """Begin with nothing kept."""
    config.stash[KEPT] = []
    if config.getoption("--trueup-keep"):
        config.pluginmanager.register(Ear(config), "trueup-kept")


def is_to_be_kept(node: pytest.Item | pytest.Collector) -> bool:
    """Return whether the database of a test is to be kept: it failed, and the run was asked to."""
    return bool(node.config.getoption("--trueup-keep")) and node.stash.get(HAS_FAILED, False)


def kept_name(node: str) -> str:
    """Return the name that the database of a test is kept under: readable, its own, and the same in the next run."""
    slug = re.sub(r"\W+", "_", node.rpartition("/")[2], flags=re.ASCII).strip("_").lower()
    return f"{PREFIX}{crc32(node.encode()):08x}_{slug}"[:63].rstrip("_")


def keep(admin: "Connection", database: str, node: str) -> str:
    """Rename a database in which nobody works, so that no sweep takes it; return its new name.

    One that was kept for the same test before is dropped.

    Raises:
        Refused: tests don't own it.
    """
    from psycopg import sql  # noqa: PLC0415  Only a run with databases pays for it.

    from trueup.testing.identity import check_owned  # noqa: PLC0415

    name = kept_name(node)
    check_owned(admin, database)
    if admin.execute("select 1 from pg_catalog.pg_database where datname = %s", [name]).fetchone():
        check_owned(admin, name)
        admin.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))
    admin.execute(sql.SQL("alter database {} rename to {}").format(sql.Identifier(database), sql.Identifier(name)))
    return name


def tell_kept(node: pytest.Item, conninfo: "ConnInfo", installation: "Installation | None") -> None:
    """Add to a failed test how to open its kept database; `installation` is that of a server that ends with the run."""
    text = told_database(conninfo)
    if installation is not None:
        text += f"\nuntil the run ends; {dump(conninfo, installation, node.config.rootpath)}"
    node.user_properties.append((PROPERTY, ("run" if installation else "server", f"{node.nodeid}\n{text}")))
    node.add_report_section("teardown", "trueup kept", text)


def dump(conninfo: "ConnInfo", installation: "Installation", root: Path) -> str:
    """Write a database into a file of SQL below the project, and return what became of that."""
    file = DUMPS / f"{conninfo.parameters['dbname']}.sql"
    try:
        (root / DUMPS).mkdir(parents=True, exist_ok=True)
        (root / DUMPS.parent / ".gitignore").write_text("*\n", encoding="utf-8")
        subprocess.run(
            [installation.program("pg_dump"), "--no-owner", "--file", str(root / file), "-d", conninfo.reveal()],
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
    except OSError as error:
        return f"no dump of it could be written: {error}"
    except subprocess.CalledProcessError as error:
        return f"no dump of it could be written: {error.stderr.decode(errors='replace').strip()}"
    return f"its dump stays: {file}"


class Ear:
    """Hears from the tests, in whatever process they run, what was kept."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note what was kept for a test."""
        if report.when == "teardown":
            told: list[Any] = [value for name, value in report.user_properties if name == PROPERTY]
            self.config.stash[KEPT] += told


def pytest_terminal_summary(terminalreporter: "pytest.TerminalReporter") -> None:
    """List what was kept."""
    if kept := terminalreporter.config.stash[KEPT]:
        terminalreporter.section("databases that were kept")
        for _, text in kept:
            terminalreporter.write_line(text)


@pytest.hookimpl(tryfirst=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Wait for whoever sits at the terminal, before a server ends that has some of it."""
    reporter = config.pluginmanager.getplugin("terminalreporter")
    if reporter is None or not any(where == "run" for where, _ in config.stash.get(KEPT, [])):
        return
    capture = config.pluginmanager.getplugin("capturemanager")
    capture.suspend_global_capture(in_=True)
    if sys.stdin.isatty() and reporter.isatty:
        reporter.write_line("The server of the kept databases runs until you press Enter.")
        with suppress(KeyboardInterrupt):
            sys.stdin.readline()
    capture.resume_global_capture()
