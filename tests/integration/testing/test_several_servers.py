"""One run on servers of several versions: every test that asks for a database runs on each, as if it were alone."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.integration.testing.projects import Ran, run_tests, write

BOTH = "--trueup-server=embedded:16 embedded:18"
VERSION = """
    import pytest

    def version_of(database):
        with database.connection() as connection:
            return connection.info.server_version // 10_000
"""
EACH = """
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
SHARED = """
    from pathlib import Path

    import pytest

    from trueup.db import connect

    def ask(conninfo, query):
        with connect(conninfo) as connection:
            cursor = connection.execute(query)
            return cursor.fetchall() if cursor.description else None
"""
OF_A_PROCESS = """
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


@pytest.fixture(scope="module")
def ran_on_both(tmp_path_factory: pytest.TempPathFactory, sample_files: Mapping[str, str]) -> Ran:
    """Return what became of tests on the servers that an ini file names."""
    folder = tmp_path_factory.mktemp("both")
    write(folder, {**sample_files, "test_each.py": VERSION + EACH, "test_shared.py": SHARED + OF_A_PROCESS + KNOWN})
    return run_tests(folder, "-o", "trueup_server=embedded:18 embedded:16")


KNOWN = """
    def test_each_was_asked_for_three_times_and_is_one():
        for version in (16, 18):
            found = Path(f"pids{version}").read_text().split()
            assert (len(found), len(set(found))) == (3, 1)
"""


def test_each_test_with_a_database_runs_on_each_server_that_the_ini_file_names(ran_on_both: Ran) -> None:
    assert ran_on_both.has_passed("test_each", 13), ran_on_both.printed
    assert {"test_nothing", "test_conn[pg16]", "test_conn[pg18]"} <= ran_on_both.of("test_each").keys()


def test_tests_of_a_process_share_a_server_of_each_version(ran_on_both: Ran) -> None:
    assert ran_on_both.has_passed("test_shared", 7), ran_on_both.printed


def test_they_share_it_without_the_guard_too(
    tmp_path_factory: pytest.TempPathFactory, sample_files: Mapping[str, str]
) -> None:
    folder = tmp_path_factory.mktemp("unguarded")
    write(folder, {**sample_files, "test_shared.py": SHARED + OF_A_PROCESS + KNOWN})

    ran = run_tests(folder, BOTH, "-o", "trueup_guard=false")

    assert ran.has_passed("test_shared", 7), ran.printed


MEANINGLESS = ("16", "postgresql://localhost/tests")
PLAIN = """
    def test_one(db): ...

    def test_two(server):
        assert server.version == 16
"""
ASKS = """
    import threading, time

    GONE = []

    def name_of(database):
        return database.conninfo.parameters["dbname"]

    def test_both(fresh_db_on):
        old, new, other = map(fresh_db_on, ("embedded:16", "embedded:18", "embedded:18"))

        assert [version_of(old), version_of(new), version_of(other)] == [16, 18, 18]
        assert name_of(new) != name_of(other)
        with old.transaction() as one, new.transaction() as two:
            assert one.execute("select id from clients").fetchall() == two.execute("select id from clients").fetchall()
        GONE.append(name_of(old))

    def test_are_gone_soon_afterwards(conn):
        deadline = time.monotonic() + 30
        while conn.execute("select from pg_database where datname = any(%s)", [GONE]).rowcount:
            assert time.monotonic() < deadline
            threading.Event().wait(0.01)
        assert len(GONE) == 1

    def test_unknown(fresh_db_on):
        fresh_db_on("sixteen")
"""
SHARED_ALONE = """
    SERVERS, NAMES = [], []

    def test_asks(session_server):
        SERVERS.append(session_server)

    def test_does_not():
        ask(SERVERS[0].conninfo(), "select 1")

    @pytest.fixture
    def empty(session_server):
        with session_server.emptied() as conninfo:
            yield conninfo

    @pytest.mark.parametrize("number", [1, 2])
    def test_makes_its_own_tables(empty, number):
        assert ask(empty, "select count(*) from pg_tables where schemaname = 'public'") == [(0,)]
        ask(empty, "create table mine (id int)")
        NAMES.append(empty.parameters["dbname"])

    def test_was_lent_the_same_again():
        assert len(NAMES) == 2
        assert len(set(NAMES)) == 1
"""


@pytest.fixture(scope="module")
def ran_on_one(tmp_path_factory: pytest.TempPathFactory, sample_files: Mapping[str, str]) -> Ran:
    """Return what became of tests in a run on one server."""
    folder = tmp_path_factory.mktemp("one")
    marks = "import pytest\n" + "".join(
        f'\n@pytest.mark.trueup(server="{text}")\ndef test_mark_{number}(db): ...\n'
        for number, text in enumerate(MEANINGLESS)
    )
    tests = {"plain": PLAIN, "asks": VERSION + ASKS, "shared": SHARED + SHARED_ALONE, "marks": marks}
    write(folder, {**sample_files, **{f"test_{name}.py": text for name, text in tests.items()}})
    return run_tests(folder, "--trueup-server=embedded:16")


def test_with_one_server_nothing_is_added_to_ids(ran_on_one: Ran) -> None:
    assert ran_on_one.of("test_plain") == {"test_one": "passed", "test_two": "passed"}, ran_on_one.printed


@pytest.mark.parametrize("number", range(len(MEANINGLESS)))
def test_mark_that_names_no_server_to_start_is_said_by_its_test(ran_on_one: Ran, number: int) -> None:
    told = ran_on_one.texts[f"test_mark_{number}"]
    assert ran_on_one.of("test_marks")[f"test_mark_{number}"] == "error"
    assert f"test_mark_{number}: pytest.mark.trueup: server=" in told
    assert "is not embedded:VERSION" in told


def test_test_that_needs_both_asks_for_databases_by_version(ran_on_one: Ran) -> None:
    found = ran_on_one.of("test_asks")
    assert found["test_both"] == found["test_are_gone_soon_afterwards"] == "passed", ran_on_one.printed


def test_database_on_an_unknown_server_is_an_error(ran_on_one: Ran) -> None:
    assert ran_on_one.of("test_asks")["test_unknown"] == "failed"
    told = "fresh_db_on('sixteen'): the run has pg16; any embedded:VERSION can be asked for"
    assert told in ran_on_one.texts["test_unknown"]


def test_test_that_does_not_ask_for_the_shared_server_cannot_reach_it(ran_on_one: Ran) -> None:
    found = ran_on_one.of("test_shared")
    assert (found["test_asks"], found["test_does_not"]) == ("passed", "failed"), ran_on_one.printed
    assert "test_does_not asks for no database, so it can't reach one" in ran_on_one.texts["test_does_not"]


def test_emptied_databases_of_the_shared_server_are_lent_again(ran_on_one: Ran) -> None:
    found = ran_on_one.of("test_shared")
    lent = ("test_makes_its_own_tables[1]", "test_makes_its_own_tables[2]", "test_was_lent_the_same_again")
    assert [found[name] for name in lent] == ["passed"] * 3, ran_on_one.printed


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
    result.stdout.fnmatch_lines(["trueup: embedded PostgreSQL 16 and embedded PostgreSQL 18, started when *"])
    assert [line for line in result.outlines if "STARTED" in line] == ["STARTED pg16"]
    assert not Path((project.path / "where").read_text(encoding="utf-8")).exists()


def test_same_server_twice_is_a_usage_error(project: pytest.Pytester) -> None:
    result = project.runpytest_subprocess("--trueup-server=embedded", "--trueup-server=embedded:18")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*names embedded PostgreSQL 18 twice*"])
