"""One run on servers of several versions: every test that asks for a database runs on each, as if it were alone."""

from pathlib import Path

import pytest

BOTH = "--trueup-server=embedded:16 embedded:18"
VERSION = """
    import pytest

    def version_of(database):
        with database.connection() as connection:
            return connection.info.server_version // 10_000
"""


def ids_of(result: pytest.RunResult) -> list[str]:
    """Return the ids of the tests that passed, without their module."""
    lines = [line.partition("::")[2].split() for line in result.outlines if " PASSED" in line]
    return sorted(words[0] for words in lines)


def test_each_test_with_a_database_runs_on_each_server(project: pytest.Pytester) -> None:
    project.makepyfile(
        VERSION
        + """
    def test_nothing(): ...

    @pytest.mark.parametrize("number", [1, 2])
    def test_db(db, number, request):
        assert f"pg{version_of(db)}" in request.node.name
        with db.transaction() as transaction:
            assert transaction.execute("insert into clients (phone) values ('x') returning id").fetchone() == (2,)

    def test_conn(conn, request):
        assert request.node.name == f"test_conn[pg{conn.info.server_version // 10_000}]"

    def test_fresh(fresh_db, observer, dsn, request):
        assert observer.info.server_version == version_of(fresh_db) * 10_000 + observer.info.server_version % 10_000
        assert fresh_db.conninfo.parameters["dbname"] in dsn
        assert f"pg{version_of(fresh_db)}" in request.node.name

    def test_shared(module_db, db, request):
        assert version_of(module_db) == version_of(db)
        assert f"pg{version_of(db)}" in request.node.name

    def test_own(server, request):
        assert request.node.name == f"test_own[pg{server.version}]"
    """
    )

    result = project.runpytest_subprocess(BOTH, "-v")

    result.assert_outcomes(passed=13)
    result.stdout.fnmatch_lines(["trueup: embedded PostgreSQL 16 and embedded PostgreSQL 18, started when *"])


def test_with_one_server_nothing_is_added_to_ids(project: pytest.Pytester) -> None:
    project.makepyfile("def test_one(db): ...\n\ndef test_two(server): ...")

    result = project.runpytest_subprocess("--trueup-server=embedded:16", "-v")

    assert ids_of(result) == ["test_one", "test_two"]


def test_ini_file_names_several(project: pytest.Pytester) -> None:
    project.makepyfile("def test_one(conn): ...")

    result = project.runpytest_subprocess("-o", "trueup_server=embedded:18 embedded:16", "-v")

    assert ids_of(result) == ["test_one[pg16]", "test_one[pg18]"]


def test_mark_says_which_versions_a_test_is_for_in_workers_too(project: pytest.Pytester) -> None:
    project.makepyfile(
        VERSION
        + """
    pytestmark = pytest.mark.trueup(server="embedded:16", timezone="Asia/Tokyo")

    def zone_of(database):
        with database.connection() as connection:
            return connection.execute("show timezone").fetchone()[0]

    def test_old(db):
        assert (version_of(db), zone_of(db)) == (16, "Asia/Tokyo")

    @pytest.mark.trueup(server=["embedded:16", "embedded:18"])
    def test_both(db, request):
        assert f"pg{version_of(db)}" in request.node.name
        assert zone_of(db) == "Asia/Tokyo"

    @pytest.mark.trueup(timezone="Europe/Berlin")
    def test_nearest_decides_of_the_rest(db):
        assert (version_of(db), zone_of(db)) == (16, "Europe/Berlin")
    """
    )

    result = project.runpytest_subprocess("-v", "-n", "2")

    result.assert_outcomes(passed=4)


@pytest.mark.parametrize("text", ["16", "postgresql://localhost/tests"])
def test_mark_that_names_no_server_to_start_is_said_by_its_test(project: pytest.Pytester, text: str) -> None:
    project.makepyfile(
        f"""
    import pytest

    @pytest.mark.trueup(server="{text}")
    def test_one(db): ...
    """
    )

    result = project.runpytest_subprocess()

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*test_one: pytest.mark.trueup: server=*is not embedded:VERSION*"])


def test_test_that_needs_both_asks_for_databases_by_version(project: pytest.Pytester) -> None:
    project.makepyfile(
        VERSION
        + """
    import threading, time

    def test_both(fresh_db_on):
        old, new, other = map(fresh_db_on, ("embedded:16", "embedded:18", "embedded:18"))

        assert [version_of(old), version_of(new), version_of(other)] == [16, 18, 18]
        assert new.conninfo.parameters["dbname"] != other.conninfo.parameters["dbname"]
        with old.transaction() as one, new.transaction() as two:
            assert one.execute("select id from clients").fetchall() == two.execute("select id from clients").fetchall()

    def test_are_gone_soon_afterwards(conn):
        others = "select from pg_database where datname ~ '^trueup_run' and datname <> current_database()"
        deadline = time.monotonic() + 30
        while conn.execute(others).rowcount:
            assert time.monotonic() < deadline
            threading.Event().wait(0.01)
    """
    )

    result = project.runpytest_subprocess("-v", "-p", "no:randomly")

    result.assert_outcomes(passed=2)


def test_database_on_an_unknown_server_is_an_error(project: pytest.Pytester) -> None:
    project.makepyfile("def test_one(fresh_db_on):\n    fresh_db_on('sixteen')")

    result = project.runpytest_subprocess()

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["fresh_db_on('sixteen'): the run has pg18; any embedded:VERSION can be asked for"])


def test_servers_are_started_when_they_are_asked_for_and_end_with_the_run(project: pytest.Pytester) -> None:
    project.makeconftest(
        """
    from trueup.testing.isolation import HOSTINGS

    def pytest_sessionfinish(session):
        known = session.config.stash[HOSTINGS].known
        for hosting in known.values():
            print("\\nSTARTED", hosting.server.name)
    """
    )
    project.makepyfile(
        """
    from pathlib import Path

    def test_one(conn):
        [folder] = conn.execute("show data_directory").fetchone()
        Path("where").write_text(folder)
    """
    )

    result = project.runpytest_subprocess(BOTH, "-s", "-k", "pg16")

    result.assert_outcomes(passed=1, deselected=1)
    assert [line for line in result.outlines if "STARTED" in line] == ["STARTED pg16"]
    assert not Path((project.path / "where").read_text(encoding="utf-8")).exists()


def test_same_server_twice_is_a_usage_error(project: pytest.Pytester) -> None:
    result = project.runpytest_subprocess("--trueup-server=embedded", "--trueup-server=embedded:18")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*names embedded PostgreSQL 18 twice*"])


SHARED = """
    from pathlib import Path

    import pytest

    from trueup.db import connect

    def ask(conninfo, query):
        with connect(conninfo) as connection:
            cursor = connection.execute(query)
            return cursor.fetchall() if cursor.description else None
"""


@pytest.mark.parametrize("guard", ["true", "false"])
def test_tests_of_a_process_share_a_server_of_each_version(project: pytest.Pytester, guard: str) -> None:
    project.makepyfile(
        SHARED
        + """
    @pytest.mark.parametrize("number", [1, 2])
    def test_has_it(session_server, request, number):
        assert request.node.name == f"test_has_it[pg{session_server.version}-{number}]"
        with open(f"pids{session_server.version}", "a") as file:
            file.write(f"{session_server.pid} ")
        assert ask(session_server.clone(f"made_{number}"), "select phone from clients")

    def test_has_both(session_server_on):
        servers = session_server_on("embedded:16"), session_server_on("embedded:18")
        for server in servers:
            with open(f"pids{server.version}", "a") as file:
                file.write(f"{server.pid} ")
            assert ask(server.conninfo(), "select 1") == [(1,)]

    def test_has_another_for_other_settings(session_server_on):
        server = session_server_on("embedded:18", tcp=True, configuration={"work_mem": "7MB"})

        assert ask(server.conninfo(), "show work_mem") == [("7MB",)]
        assert server.conninfo().parameters["host"] == "127.0.0.1"
        assert str(server.pid) not in Path("pids18").read_text().split()
    """
    )

    result = project.runpytest_subprocess(BOTH, "-p", "no:randomly", "-v", "-o", f"trueup_guard={guard}")

    result.assert_outcomes(passed=6)
    pids = [(project.path / f"pids{version}").read_text(encoding="utf-8").split() for version in (16, 18)]
    assert [(len(found), len(set(found))) for found in pids] == [(3, 1), (3, 1)]


def test_test_that_does_not_ask_for_the_shared_server_cannot_reach_it(project: pytest.Pytester) -> None:
    project.makepyfile(
        SHARED
        + """
    SERVERS = []

    def test_asks(session_server):
        SERVERS.append(session_server)

    def test_does_not():
        ask(SERVERS[0].conninfo(), "select 1")
    """
    )

    result = project.runpytest_subprocess("-p", "no:randomly")

    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*test_does_not asks for no database, so it can't reach one*"])


def test_emptied_databases_of_the_shared_server_are_lent_again(project: pytest.Pytester) -> None:
    project.makepyfile(
        SHARED
        + """
    @pytest.fixture
    def empty(session_server):
        with session_server.emptied() as conninfo:
            yield conninfo

    @pytest.mark.parametrize("number", [1, 2])
    def test_makes_its_own_tables(empty, number):
        assert ask(empty, "select count(*) from pg_tables where schemaname = 'public'") == [(0,)]
        ask(empty, "create table mine (id int)")
        with open("names", "a") as file:
            file.write(empty.parameters["dbname"] + " ")
    """
    )

    project.runpytest_subprocess().assert_outcomes(passed=2)

    assert len(set((project.path / "names").read_text(encoding="utf-8").split())) == 1
