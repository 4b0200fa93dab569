"""A provided server: databases are created, marked and dropped there, and what a killed run left is swept.

That one without the mark is refused is shown by guard/test_look_alike.py.
"""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from trueup.conninfo import ConnInfo
from trueup.db import Connection, connect
from trueup.errors import Refused
from trueup.servers import EmbeddedServer
from trueup.testing.identity import database_mark, mark_server, read_identity
from trueup.testing.lending.claims import LOCK_CLASS, claimed, lock_key, sweep
from trueup.testing.lending.leases import Site, open_site
from trueup.testing.lending.templates import Templates
from trueup.testing.marks import Kind

TESTS = """
    import pathlib
    import pytest

    @pytest.mark.parametrize("number", range(3))
    def test_commits(db, number, observer):
        with db.transaction() as transaction:
            transaction.execute("insert into clients (phone) values ('x')")
        assert observer.execute("select count(*) from clients").fetchone() == (2,)

    def test_rolls_back(conn):
        conn.execute("insert into clients (phone) values ('x')")

    def test_changes_the_schema(fresh_db):
        with fresh_db.connection() as connection:
            connection.execute("drop table bookings")
"""


@pytest.fixture
def provided(request: pytest.FixtureRequest, cache_folder: Path) -> Iterator[EmbeddedServer]:
    """Return a server that somebody has provided, with the mark in the database that the run is to name."""
    with EmbeddedServer(request.param, cache_folder=cache_folder, tcp=True) as server:
        yield server


VERSIONS = pytest.mark.parametrize("provided", [16, 18], indirect=True, ids=["pg16", "pg18"])


@pytest.fixture
def admin(provided: EmbeddedServer) -> Iterator[Connection]:
    connection = connect(provided.conninfo())
    yield connection
    connection.close()


@pytest.fixture
def marked(provided: EmbeddedServer, admin: Connection) -> ConnInfo:
    """Return how a user without special rights reaches the database that tests own."""
    admin.execute("create role trueup_tests")
    admin.execute("create role tester login createdb in role trueup_tests")
    admin.execute("create database tests owner trueup_tests")
    mark(admin, "tests")
    return provided.conninfo("tests").with_parameters(user="tester")


def mark(admin: Connection, name: str) -> None:
    found = read_identity(admin.pgconn, name)
    text = database_mark(found.system_identifier, found.oid)
    admin.execute(sql.SQL("comment on database {} is {}").format(sql.Identifier(name), sql.Literal(text)))


def names(admin: Connection) -> set[str]:
    found = admin.execute("select datname from pg_database where datname like 'trueup%'")
    return {name for (name,) in found}


def uri(conninfo: ConnInfo) -> str:
    of = conninfo.parameters
    return f"postgresql://{of['user']}@{of['host']}:{of['port']}/{of['dbname']}"


@VERSIONS
def test_whole_run_leaves_the_template_alone(project: pytest.Pytester, admin: Connection, marked: ConnInfo) -> None:
    project.makepyfile(TESTS)

    for workers in ("2", "0"):
        result = project.runpytest_subprocess(f"--trueup-server={uri(marked)}", "-n", workers)
        result.assert_outcomes(passed=5)

    [left] = names(admin)
    assert left.startswith("trueup_template_")
    assert read_identity(admin.pgconn, left).objection() is None


@pytest.mark.parametrize("provided", [18], indirect=True)
def test_superuser_rewinds_there_too(project: pytest.Pytester, provided: EmbeddedServer, admin: Connection) -> None:
    mark_server(admin)
    project.makepyfile(TESTS)

    result = project.runpytest_subprocess(f"--trueup-server={uri(provided.conninfo())}", "--trueup-verify")

    result.assert_outcomes(passed=5)


@pytest.mark.parametrize("provided", [18], indirect=True)
def test_what_a_killed_run_left_is_swept_by_the_next(
    project: pytest.Pytester, admin: Connection, marked: ConnInfo
) -> None:
    project.makepyfile(
        TESTS
        + """
    def test_hangs(db, fresh_db):
        pathlib.Path("hangs").touch()
        import threading
        threading.Event().wait(60)
    """
    )
    arguments = ["-p", "no:randomly", "-p", "no:cacheprovider", f"--trueup-server={uri(marked)}"]
    run = subprocess.Popen([sys.executable, "-m", "pytest", *arguments], cwd=project.path, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not (project.path / "hangs").exists():
        assert time.monotonic() < deadline, "the test never hung"
        threading.Event().wait(0.01)
    run.kill()
    run.wait()
    left = {name for name in names(admin) if name.startswith("trueup_run_")}

    result = project.runpytest_subprocess(*arguments, "-k", "not hangs")

    result.assert_outcomes(passed=5, deselected=1)
    assert left
    assert not any(name.startswith("trueup_run_") for name in names(admin))


@pytest.fixture
def site(marked: ConnInfo) -> Iterator[Site]:
    found = open_site(marked, run="0000002a", worker="main", is_embedded=False)
    yield found
    found.close()


@pytest.mark.parametrize("provided", [18], indirect=True)
class TestSweep:
    def test_takes_what_nobody_claims(self, site: Site) -> None:
        site.create("trueup_run_0000002a_main_1")

        assert sweep(site.admin) == ["trueup_run_0000002a_main_1"]

    def test_takes_a_template_that_was_never_finished(self, site: Site) -> None:
        site.create("trueup_run_0000002a_main_1")
        site.admin.execute("alter database trueup_run_0000002a_main_1 is_template true allow_connections false")

        assert sweep(site.admin) == ["trueup_run_0000002a_main_1"]

    def test_leaves_what_a_living_run_claims_from_whatever_database(self, site: Site, provided: EmbeddedServer) -> None:
        site.create("trueup_run_ffffffff_main_1")
        owner = connect(provided.conninfo())
        owner.execute("select pg_advisory_lock(%s, %s)", [LOCK_CLASS, lock_key("ffffffff")])

        swept = sweep(site.admin)

        owner.close()
        assert swept == []

    def test_leaves_what_somebody_is_connected_to(self, site: Site) -> None:
        visitor = connect(site.create("trueup_run_0000002a_main_1"))

        swept = sweep(site.admin)

        assert visitor.execute("select 1").fetchone() == (1,)
        visitor.close()
        assert swept == []

    @pytest.mark.parametrize(
        "name", ["production", "trueup_run_", "trueup_run_0000002a", "trueup_run_XYZ12345_main_1", "trueup_template_1"]
    )
    def test_leaves_what_has_another_name(self, site: Site, name: str) -> None:
        site.create(name)

        assert sweep(site.admin) == []
        assert site.exists(name)

    def test_leaves_what_has_our_name_without_the_mark(self, site: Site) -> None:
        site.create("trueup_run_0000002a_main_1")
        site.admin.execute("comment on database trueup_run_0000002a_main_1 is null")

        assert sweep(site.admin) == []
        assert site.exists("trueup_run_0000002a_main_1")

    def test_drop_refuses_what_has_lost_the_mark(self, site: Site) -> None:
        site.create("trueup_run_0000002a_main_1")
        site.admin.execute("comment on database trueup_run_0000002a_main_1 is 'mine'")

        with pytest.raises(Refused, match="comment is not the mark"):
            site.drop("trueup_run_0000002a_main_1")

    def test_template_without_the_mark_is_not_cloned(self, site: Site, admin: Connection) -> None:
        templates = Templates(site, Kind())
        name = templates.name_of(Kind())
        admin.execute(sql.SQL("comment on database {} is null").format(sql.Identifier(name)))

        with pytest.raises(Refused, match="comment is not the mark"):
            Templates(site, Kind()).name_of(Kind())

    def test_claim_is_seen_while_it_lasts_and_takes_its_databases_along(self, site: Site, marked: ConnInfo) -> None:
        with claimed(marked, "0000002a"):
            site.create("trueup_run_0000002a_main_1")
            assert sweep(site.admin) == []

        assert not site.exists("trueup_run_0000002a_main_1")

    def test_user_who_may_not_create_databases_is_told_what_is_missing(
        self, site: Site, provided: EmbeddedServer
    ) -> None:
        with psycopg.connect(provided.conninfo().reveal()) as connection:
            connection.execute("alter role tester nocreatedb")

        with pytest.raises(Refused, match="alter role <the user> createdb; grant trueup_tests"):
            site.create("trueup_run_0000002a_main_1")


@pytest.mark.parametrize("provided", [18], indirect=True)
def test_one_template_is_built_by_two_who_want_it_at_once(
    project: pytest.Pytester, marked: ConnInfo, admin: Connection
) -> None:
    kind = Kind(schema=project.path / "migrations")
    built: list[str] = []

    def build(worker: str) -> None:
        site = open_site(marked, run="0000002a", worker=worker, is_embedded=False)
        built.append(Templates(site, kind).name_of(kind))
        site.close()

    threads = [threading.Thread(target=build, args=[f"gw{number}"]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(built) == 4
    assert names(admin) == {built[0]}
