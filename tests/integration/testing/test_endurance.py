"""Two thousand tests that commit, in random order, over and over: none meets another one, and nothing is left.

The same where a worker, the controller or the server is killed on the way: the next run finds everything clean.
"""

import signal
from pathlib import Path

import pytest
from tests.integration.testing.waiting import wait_until

TESTS = """
    import os
    import pathlib
    import signal

    import pytest

    VICTIM = pathlib.Path("victim")

    def tell(connection):
        [where] = connection.execute("show data_directory").fetchone()
        postmaster = (pathlib.Path(where) / "postmaster.pid").read_text().split()[0]
        pathlib.Path("where").write_text(f"{{where}} {{postmaster}}")
        return int(postmaster)

    def rows(transaction):
        return transaction.execute("select id, phone, notes from clients").fetchall()

    @pytest.mark.parametrize("number", range({share}))
    def test_inserts(db, observer, number):
        with db.transaction() as transaction:
            assert rows(transaction) == [(1, "first", None)]
            added = transaction.execute("insert into clients (phone) values (%s) returning id", [f"phone {{number}}"])
            assert added.fetchone() == (2,)
        assert observer.execute("select count(*) from clients").fetchone() == (2,)
        if number == 0:
            postmaster = tell(observer)
            victims = {{"worker": os.getpid(), "controller": os.getppid(), "server": postmaster}}
            if VICTIM.exists():
                victim = VICTIM.read_text()
                VICTIM.unlink()
                os.kill(victims[victim], signal.SIGKILL)

    @pytest.mark.parametrize("number", range({share}))
    def test_changes_and_deletes(db, number):
        with db.transaction() as transaction:
            assert transaction.execute("update clients set notes = 'x' where notes is null").rowcount == 1
            assert transaction.execute("delete from clients").rowcount == 1

    @pytest.mark.parametrize("number", range({share}))
    def test_empties_a_table(db, number):
        with db.transaction() as transaction:
            assert rows(transaction) == [(1, "first", None)]
            if number % 5 == 0:
                transaction.execute("truncate clients cascade")
            if number % 50 == 0:
                transaction.execute("create table more (n int)")

    @pytest.mark.parametrize("number", range({share}))
    def test_rolls_back(conn, number):
        conn.execute("insert into clients (phone) values ('x')")
        assert len(rows(conn)) == 2

    @pytest.mark.parametrize("number", range({share}))
    def test_changes_the_structure(fresh_db, number):
        with fresh_db.transaction() as transaction:
            assert rows(transaction) == [(1, "first", None)]
            transaction.execute("alter table clients add column more text")
"""
ORDER = """
    from zlib import crc32

    def pytest_collection_modifyitems(items):
        items.sort(key=lambda item: crc32(f"{seed} {{item.nodeid}}".encode()))
"""
LONG = [pytest.mark.long, pytest.mark.timeout(5400)]
PATIENCE_S = 2400


def prepare(project: pytest.Pytester, tests: int, seed: int) -> None:
    project.makepyfile(TESTS.format(share=tests // 5))
    project.makeconftest(ORDER.format(seed=seed))


def what_is_left(project: pytest.Pytester) -> list[Path]:
    """Return what there still is of the server of a run: its data, its process."""
    folder, pid = (project.path / "where").read_text(encoding="utf-8").split()
    return [path for path in (Path(folder), Path("/proc", pid)) if path.exists()]


@pytest.mark.parametrize(
    ("tests", "workers", "seed"),
    [(60, 2, 0), *(pytest.param(2000, workers, seed, marks=LONG) for workers in (2, 4) for seed in (1, 2, 3))],
)
def test_no_test_meets_another_one_and_nothing_is_left(
    project: pytest.Pytester, tests: int, workers: int, seed: int
) -> None:
    prepare(project, tests, seed)

    result = project.runpytest_subprocess("-n", str(workers), "-q", timeout=PATIENCE_S)

    result.assert_outcomes(passed=tests)
    assert what_is_left(project) == []


@pytest.mark.parametrize("victim", [pytest.param(name, marks=LONG) for name in ("worker", "controller", "server")])
@pytest.mark.parametrize("workers", [2, 4])
def test_next_run_is_clean_whoever_was_killed(project: pytest.Pytester, victim: str, workers: int) -> None:
    prepare(project, 2000, seed=workers)
    (project.path / "victim").write_text(victim, encoding="utf-8")

    killed = project.runpytest_subprocess("-n", str(workers), "-q", timeout=PATIENCE_S)
    wait_until(lambda: not what_is_left(project))
    after = project.runpytest_subprocess("-n", str(workers), "-q", timeout=PATIENCE_S)

    if victim == "worker":
        killed.assert_outcomes(passed=1999, failed=1)
    else:
        assert killed.ret == (-signal.SIGKILL if victim == "controller" else pytest.ExitCode.TESTS_FAILED)
    after.assert_outcomes(passed=2000)
    assert what_is_left(project) == []
