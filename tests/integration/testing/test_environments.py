"""The plugin does its work with the oldest pytest that trueup says it takes, and beside pytest-asyncio.

Both have an environment of their own: pytest-asyncio warns in every run that doesn't configure it.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
OLDEST = "8.0.0"

TESTS = """
    import psycopg
    import pytest

    KEPT = []

    @pytest.mark.parametrize("run", [1, 2])
    def test_commits(db, observer, run):
        with db.transaction() as transaction:
            transaction.execute("insert into clients (phone) values ('x')")
        assert observer.execute("select count(*) from clients").fetchone() == (2,)

    def test_rolls_back(conn):
        assert conn.execute("select count(*) from clients").fetchone() == (1,)

    def test_fails(db):
        with db.transaction() as transaction:
            transaction.execute("select 1 / 0")

    def test_leaks(dsn):
        KEPT.append(psycopg.connect(dsn))

    def test_asks_for_nothing():
        psycopg.connect("host=127.0.0.1")

    class TestShared:
        def test_one(self, class_db, db): ...
        def test_another(self, class_db, fresh_db): ...
"""


COROUTINES = """
    import asyncio

    import psycopg
    import pytest

    def add(connection, phone="x"):
        connection.execute("insert into clients (phone) values (%s)", [phone])

    def count(connection):
        return connection.execute("select count(*) from clients").fetchone()[0]

    def add_in_a_thread(db):
        with db.transaction() as transaction:
            add(transaction, "y")

    @pytest.mark.asyncio
    @pytest.mark.parametrize("run", range(2))
    async def test_in_a_coroutine(db, dsn, observer, run):
        async with await psycopg.AsyncConnection.connect(dsn) as connection:
            await connection.execute("insert into clients (phone) values ('x')")
        await asyncio.to_thread(lambda: add_in_a_thread(db))
        assert count(observer) == 3

    @pytest.mark.asyncio
    async def test_with_conn(conn):
        add(conn)
        assert count(conn) == 2

    @pytest.mark.asyncio
    async def test_leaks(dsn):
        KEPT.append(await psycopg.AsyncConnection.connect(dsn))

    KEPT = []
"""
pytestmark = pytest.mark.long


@pytest.mark.parametrize("options", [(), ("-n", "2"), ("--trueup-report", "reports")])
def test_tests_pass_fail_and_leak_as_ever(project: pytest.Pytester, oldest: Path, options: tuple[str, ...]) -> None:
    project.makepyfile(TESTS)

    done = run(oldest, project, *options)

    assert f"pytest-{OLDEST}" in done.stdout
    assert "2 failed" in done.stdout, done.stdout
    assert "1 error" in done.stdout
    assert "a connection is still open" in done.stdout
    assert "trueup statements" in done.stdout
    assert "test_asks_for_nothing asks for no database" in done.stdout


@pytest.mark.parametrize("options", [(), ("-n", "2", "--reruns=1")])
def test_coroutines_use_it(project: pytest.Pytester, asynchronous: Path, options: tuple[str, ...]) -> None:
    project.makepyfile(COROUTINES)

    done = run(asynchronous, project, "-o", "asyncio_default_fixture_loop_scope=function", *options)

    assert re.search(r"[45] passed, 1 error", done.stdout), done.stdout  # What leaks has passed before, each time.
    assert "a connection is still open" in done.stdout


def run(python: Path, project: pytest.Pytester, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the project's tests in another environment."""
    command = [python, "-m", "pytest", "-p", "no:cacheprovider", *options]
    return subprocess.run(command, cwd=project.path, capture_output=True, text=True, check=False, timeout=300)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the built wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    [wheel] = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def oldest(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the interpreter of an environment with that pytest."""
    return install(wheel, tmp_path_factory.mktemp("oldest"), f"pytest=={OLDEST}")


@pytest.fixture(scope="module")
def asynchronous(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the interpreter of an environment with pytest-asyncio."""
    return install(wheel, tmp_path_factory.mktemp("asynchronous"), "pytest-asyncio", "pytest-rerunfailures")


def install(wheel: Path, folder: Path, *requirements: str) -> Path:
    """Make an environment with trueup and more; pytest's version is theirs to choose."""
    others = (ROOT / "constraints.txt").read_text(encoding="utf-8").replace("\npytest==", "\n#")
    (folder / "constraints.txt").write_text(others, encoding="utf-8")
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True, capture_output=True)
    command = [folder / "venv/bin/pip", "install", "-q", f"{wheel}[embedded,testing]", *requirements]
    subprocess.run([*command, "-c", folder / "constraints.txt"], check=True, capture_output=True)
    return folder / "venv/bin/python"
