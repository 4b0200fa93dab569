"""The plugin does its work with the oldest pytest that trueup says it takes."""

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


@pytest.mark.long
@pytest.mark.parametrize("options", [(), ("-n", "2"), ("--trueup-report", "reports")])
def test_tests_pass_fail_and_leak_as_ever(project: pytest.Pytester, oldest: Path, options: tuple[str, ...]) -> None:
    project.makepyfile(TESTS)

    command = [oldest, "-m", "pytest", "-p", "no:cacheprovider", *options]
    done = subprocess.run(command, cwd=project.path, capture_output=True, text=True, check=False)

    assert f"pytest-{OLDEST}" in done.stdout
    assert "2 failed" in done.stdout, done.stdout
    assert "1 error" in done.stdout
    assert "a connection is still open" in done.stdout
    assert "trueup statements" in done.stdout
    assert "test_asks_for_nothing asks for no database" in done.stdout


@pytest.fixture(scope="module")
def oldest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the interpreter of an environment with that pytest."""
    folder = tmp_path_factory.mktemp("oldest")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    [wheel] = folder.glob("*.whl")
    others = (ROOT / "constraints.txt").read_text(encoding="utf-8").replace("\npytest==", "\n#")
    (folder / "constraints.txt").write_text(others, encoding="utf-8")
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True, capture_output=True)
    install = [folder / "venv/bin/pip", "install", "-q", f"{wheel}[embedded,testing]", f"pytest=={OLDEST}"]
    subprocess.run([*install, "-c", folder / "constraints.txt"], check=True, capture_output=True)
    return folder / "venv/bin/python"
