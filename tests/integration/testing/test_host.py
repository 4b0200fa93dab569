"""The one server of a run: started when a test asks, shared by workers, gone afterwards, whoever is killed."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from tests.integration.testing.projects import Ran, run_tests, write
from tests.integration.testing.waiting import wait_until

from trueup.db import connect
from trueup.errors import ServerUnavailable
from trueup.servers.saved import saved_file
from trueup.settings import Settings
from trueup.testing.lending.host import stocked
from trueup.testing.lending.hosting import Hosting, Hostings, Reception, visit
from trueup.testing.lending.recipes import Recipe, read_recipe
from trueup.testing.marks import Kind
from trueup.testing.options import Options, Server, embedded

TELL_WHETHER_STARTED = """
    from trueup.testing.isolation import HOSTINGS

    def pytest_sessionfinish(session):
        if HOSTINGS in session.config.stash:
            known = session.config.stash[HOSTINGS].known.values()
            print("STARTED", any(hosting.host is not None for hosting in known))
"""
TELL_WHERE = """
    import pathlib, os
    import pytest

    @pytest.mark.parametrize("number", range(6))
    def test_writes(db, number):
        with db.transaction() as transaction:
            [where] = transaction.execute("show data_directory").fetchone()
            transaction.execute("insert into clients (phone) values ('x')")
        with open("where", "a") as file:
            file.write(f"{where} {db.conninfo.parameters['dbname']}\\n")
"""


VERSION = """
    def test_version(conn):
        assert conn.info.server_version // 10_000 == {}
"""
NOWHERE = "postgresql://somebody@127.0.0.1:1/production"


def wheres(project: pytest.Pytester) -> list[tuple[Path, str]]:
    """Return where each test's database was: the data directory, and the name."""
    return read_wheres(project.path)


def read_wheres(folder: Path) -> list[tuple[Path, str]]:
    """Return what the tests in a folder have told."""
    lines = (folder / "where").read_text(encoding="utf-8").splitlines()
    return [(Path(line.split()[0]), line.split()[1]) for line in lines]


IDLE = {
    "test_nothing.py": "def test_nothing(): ...",
    "test_skip.py": "import pytest\n\n@pytest.mark.skip\ndef test_one(db): ...",
    "test_skipif.py": "import pytest\n\n@pytest.mark.skipif(True, reason='not here')\ndef test_one(db): ...",
    "test_deselected.py": "def test_one(db): ...",
}


@pytest.mark.parametrize("workers", ["0", "2"])
def test_none_is_started_when_no_test_that_runs_asks(project: pytest.Pytester, workers: str) -> None:
    project.makeconftest(TELL_WHETHER_STARTED)
    write(project.path, IDLE)

    result = project.runpytest_subprocess("-n", workers, "-s", "--deselect", "test_deselected.py")

    outcomes = result.parseoutcomes()
    assert (outcomes["passed"], outcomes["skipped"]) == (1, 2)
    result.stdout.fnmatch_lines(["*STARTED False*"])


@pytest.mark.parametrize("option", ["--collect-only", "--setup-plan"])
def test_collecting_and_planning_start_none(project: pytest.Pytester, option: str) -> None:
    project.makeconftest(TELL_WHETHER_STARTED)
    project.makepyfile("def test_one(db): ...")

    project.runpytest_subprocess(option, "-s").stdout.fnmatch_lines(["*STARTED False*"])


def test_module_that_cannot_be_collected_starts_none(project: pytest.Pytester) -> None:
    project.makeconftest(TELL_WHETHER_STARTED)
    project.makepyfile(test_good="def test_one(db): ...", test_bad="raise OSError")

    project.runpytest_subprocess("-s").stdout.fnmatch_lines(["*STARTED False*"])


def test_workers_share_one_server_and_no_database(project: pytest.Pytester) -> None:
    project.makeconftest(TELL_WHETHER_STARTED)
    project.makepyfile(TELL_WHERE + VERSION.format(18))

    result = project.runpytest_subprocess("-n", "2", "-s")

    result.assert_outcomes(passed=7)
    result.stdout.fnmatch_lines(["trueup: embedded PostgreSQL 18*", "*STARTED True*"])
    assert len({folder for folder, _ in wheres(project)}) == 1
    assert {name.split("_")[3] for _, name in wheres(project)} == {"gw0", "gw1"}
    assert not any(folder.exists() for folder, _ in wheres(project))


FIRST = """
    import sys
    import threading

    def test_first():
        assert "psycopg" not in sys.modules or "trueup-host" in {thread.name for thread in threading.enumerate()}
        assert "trueup.testing.lending.host" in sys.modules

    def test_second(db): ...
"""
ALL = """
    def test_all(conn, fresh_db, module_db, session_db, observer):
        with fresh_db.transaction() as one, module_db.transaction() as other:
            one.execute("select 1")
            other.execute("select 1")

    def test_more(fresh_db): ...
    def test_yet_more(fresh_db): ...
"""
OWN = """
    from trueup.db import connect

    def test_restart(server):
        conninfo = server.clone()
        connection = connect(conninfo)
        connection.execute("insert into clients (phone) values ('second')")
        connection.close()
        server.restart()
        connection = connect(conninfo)
        assert connection.execute("select count(*) from clients").fetchone() == (2,)
        connection.close()
"""
TELL_WHAT_IS_LEFT = """
    import threading
    import pytest

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure():
        print("LEFT", *(thread.name for thread in threading.enumerate()))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("host")


@pytest.fixture(scope="module")
def ran(folder: Path, sample_files: Mapping[str, str]) -> Ran:
    """Return what became of a run in an environment that names another server."""
    tests = {
        "test_a_first.py": FIRST,
        "test_all.py": ALL,
        "test_own.py": OWN,
        "test_where.py": TELL_WHERE + VERSION.format(16),
    }
    env = {".env": f"DATABASE_URL={NOWHERE}\n"}
    write(folder, {**sample_files, **env, **tests, "conftest.py": TELL_WHAT_IS_LEFT})
    with pytest.MonkeyPatch.context() as patch:
        for variable in ("DATABASE_URL", "TRUEUP_DATABASE", "TRUEUP_SERVER"):
            patch.setenv(variable, NOWHERE)
        for variable, value in {"PGHOST": "127.0.0.1", "PGPORT": "1", "PGDATABASE": "production"}.items():
            patch.setenv(variable, value)
        return run_tests(folder, "--trueup-server=embedded:16", "-s", "-p", "no:rerunfailures")


def test_server_is_asked_for_before_the_first_test_is_set_up(ran: Ran) -> None:
    """What a test before it does, or what its fixtures import, goes on while it starts."""
    assert ran.has_passed("test_a_first", 2), ran.printed


def test_server_is_of_the_version_that_was_asked_for(ran: Ran) -> None:
    assert ran.of("test_where")["test_version"] == "passed", ran.printed
    assert "\ntrueup: embedded PostgreSQL 16" in ran.printed


def test_environment_and_env_file_name_no_server(ran: Ran, folder: Path) -> None:
    assert ran.has_passed("test_where", 7), ran.printed
    assert all(name.startswith("trueup_run_") for _, name in read_wheres(folder))


def test_server_of_its_own_has_the_template_and_can_be_restarted(ran: Ran) -> None:
    assert ran.has_passed("test_own", 1), ran.printed


def test_nothing_is_left_in_the_process(ran: Ran, folder: Path) -> None:
    """W-T12: pytest ends, and has nothing to wait for."""
    assert ran.has_passed("test_all", 3), ran.printed
    assert "\nLEFT MainThread\n" in ran.printed
    assert not any(where.exists() for where, _ in read_wheres(folder))


def test_server_without_a_host_is_a_usage_error(project: pytest.Pytester) -> None:
    result = project.runpytest_subprocess("--trueup-server=env:DATABASE_URL")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--trueup-server*must be embedded:18*"])


@pytest.fixture
def recipe(tmp_path: Path, cache_folder: Path) -> Iterator[Recipe]:
    """Return a recipe that nobody has ever built."""
    statement = f"create table made_at_{time.time_ns()} ();"
    (tmp_path / "1_first.sql").write_text(f"-- migrate:up\n{statement}", encoding="utf-8")
    recipe = read_recipe(Kind(schema=tmp_path))
    yield recipe
    for file in (cache_folder / "images").glob(f"*.tests-{recipe.digest[:16]}.saved"):
        file.unlink()


@pytest.mark.usefixtures("may_connect")
@pytest.mark.parametrize("version", [16, 18])
def test_template_is_built_once_and_then_part_of_the_start(recipe: Recipe, version: int) -> None:
    settings = Settings.load()
    with stocked(version, settings, recipe, "0" * 8) as first:
        was_restored = first.is_restored
    with stocked(version, settings, recipe, "0" * 8) as second:
        connection = connect(second.clone())
        tables = connection.execute("select count(*) from pg_tables where tablename like 'made_at_%'").fetchone()
        connection.close()

    assert not was_restored
    assert second.is_restored
    assert tables == (1,)


def test_saved_state_holds_no_log_of_what_was_built(recipe: Recipe) -> None:
    with stocked(18, Settings.load(), recipe, "0" * 8) as server:
        file = saved_file(server._image, server.saved)

        assert file.stat().st_size < server._image.stat().st_size + 8 * 2**20


@pytest.mark.usefixtures("may_connect")
@pytest.mark.parametrize("version", [16, 18])
def test_first_login_to_a_clone_finds_the_catalogs_summed_up(recipe: Recipe, version: int) -> None:
    with stocked(version, Settings.load(), recipe, "0" * 8):
        pass

    with stocked(version, Settings.load(), recipe, "0" * 8) as server:
        server.clone("app")
        connection = connect(server.conninfo())
        [oid] = connection.execute("select oid from pg_database where datname = 'app'").fetchone() or (0,)
        connection.close()

        assert (server.data_folder / f"base/{oid}/pg_internal.init").is_file()
        assert (server.data_folder / "global/pg_internal.init").is_file()


@pytest.mark.usefixtures("may_connect")
def test_template_cannot_be_changed(recipe: Recipe) -> None:
    with (
        stocked(18, Settings.load(), recipe, "0" * 8) as server,
        pytest.raises(Exception, match="not currently accept"),
    ):
        connect(server.conninfo(recipe.name))


def options_for(server: Server, folder: Path) -> Options:
    return Options(servers=(server,), schema=None, seed=(), folder=folder, is_verifying=False)


def test_worker_hears_why_there_is_no_server(tmp_path: Path) -> None:
    reception = Reception(Hostings(options_for(embedded(9), tmp_path)))

    try:
        for _ in range(2):
            with pytest.raises(ServerUnavailable, match="no embedded PostgreSQL 9"):
                visit(reception.address, embedded(9))
    finally:
        reception.close()


def test_start_that_failed_is_not_tried_again(tmp_path: Path) -> None:
    hosting = Hosting(embedded(9), options_for(embedded(9), tmp_path), "0" * 8)
    with pytest.raises(ServerUnavailable):
        hosting.open()
    hosting.server = embedded(18)

    with pytest.raises(ServerUnavailable, match="no embedded PostgreSQL 9"):
        hosting.open()


def test_worker_hears_that_the_controller_is_gone() -> None:
    with pytest.raises(ServerUnavailable, match="the controller of this run"):
        visit("trueup-nobody", embedded(18))


@pytest.mark.long
def test_killed_worker_is_replaced_and_the_others_go_on(project: pytest.Pytester) -> None:
    project.makepyfile(
        TELL_WHERE
        + """
    def test_kills_its_worker(db):
        with db.transaction() as transaction:
            transaction.execute("insert into clients (phone) values ('x')")
            os.kill(os.getpid(), 9)
    """
    )

    result = project.runpytest_subprocess("-n", "2")

    result.assert_outcomes(passed=6, failed=1)
    assert not any(folder.exists() for folder, _ in wheres(project))


def test_killed_server_fails_tests_at_once_and_the_next_run_is_clean(project: pytest.Pytester) -> None:
    project.makepyfile(
        TELL_WHERE
        + """
    @pytest.mark.skipif(os.path.exists("killed"), reason="the second run")
    def test_kills_the_server(db, conn):
        pathlib.Path("killed").touch()
        [where] = conn.execute("show data_directory").fetchone()
        os.kill(int((pathlib.Path(where) / "postmaster.pid").read_text().split()[0]), 9)

    def test_comes_too_late(db):
        with db.transaction() as transaction:
            transaction.execute("select 1")
    """
    )

    first = project.runpytest_subprocess("-p", "no:randomly", timeout=60)
    second = project.runpytest_subprocess("-p", "no:randomly")

    assert first.ret == pytest.ExitCode.TESTS_FAILED
    first.stdout.fnmatch_lines(["the server of the run fails its tests: *"])
    second.assert_outcomes(passed=7, skipped=1)
    assert not any(folder.exists() for folder, _ in wheres(project))


@pytest.mark.parametrize("workers", ["0", pytest.param("2", marks=pytest.mark.long)])
def test_killed_controller_leaves_nothing(project: pytest.Pytester, workers: str) -> None:
    project.makepyfile(
        TELL_WHERE
        + """
    def test_hangs(db):
        pathlib.Path("pid").write_text(str(os.getpid()))
        import threading
        threading.Event().wait(60)
    """
    )
    run = subprocess.Popen(
        [sys.executable, "-m", "pytest", "-p", "no:randomly", "-p", "no:cacheprovider", "-n", workers],
        cwd=project.path,
        stdout=subprocess.DEVNULL,
    )
    wait_until(lambda: (project.path / "pid").exists() and len(wheres(project)) == 6)
    worker = int((project.path / "pid").read_text(encoding="utf-8"))

    run.send_signal(signal.SIGKILL)
    run.wait()

    wait_until(lambda: not Path(f"/proc/{worker}").exists())
    wait_until(lambda: not any(folder.exists() for folder, _ in wheres(project)))
    project.runpytest_subprocess("-k", "writes").assert_outcomes(passed=6, deselected=1)
