"""Suites whose tests have a database that the tests own, each run once and looked at by several of ours."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql
from tests.integration.testing.projects import Ran, run_tests, write

from trueup.conninfo import ConnInfo
from trueup.servers import EmbeddedServer
from trueup.testing.identity import OWNER, mark_database

CONFTEST = '''
import pytest

from trueup.conninfo import ConnInfo
from trueup.testing.guard.gate import gate

OWNED = ConnInfo.parse("""{owned}""")


@pytest.fixture
def dsn(request):
    return gate.allow(request.node.nodeid, OWNED, fixture="dsn").reveal()


@pytest.fixture(scope="session")
def session_dsn(request):
    return gate.allow("", OWNED, fixture="session_dsn").reveal()
'''


@contextmanager
def owned_database(server: EmbeddedServer) -> Iterator[ConnInfo]:
    """Give a database that carries the mark."""
    with psycopg.connect(server.conninfo().reveal(), autocommit=True) as admin:
        if not admin.execute("select 1 from pg_roles where rolname = %s", (OWNER,)).fetchone():
            admin.execute(sql.SQL("create role {}").format(sql.Identifier(OWNER)))
        server.drop_database("owned")
        admin.execute(sql.SQL("create database owned owner {} strategy file_copy").format(sql.Identifier(OWNER)))
        mark_database(admin, "owned")
    yield server.conninfo("owned")
    server.drop_database("owned")


def run_suite(folder: Path, server: EmbeddedServer, modules: Mapping[str, str], *options: str, more: str = "") -> Ran:
    """Run modules of tests by name, all with the same database; `more` is added to their conftest."""
    with owned_database(server) as owned:
        conftest = CONFTEST.format(owned=owned.reveal()) + more
        write(folder, {"conftest.py": conftest, **{f"{name}.py": text for name, text in modules.items()}})
        return run_tests(folder, "--tb=short", "-o", "junit_logging=all", *options)
