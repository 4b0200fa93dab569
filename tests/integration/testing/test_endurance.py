"""Two thousand tests that commit, over and over: none fails for another one's sake, and nothing is left."""

from pathlib import Path

import pytest

TESTS = """
    import pathlib
    import pytest

    @pytest.mark.parametrize("number", range({tests}))
    def test_commits(db, number):
        with db.transaction() as transaction:
            [where] = transaction.execute("show data_directory").fetchone()
            [left] = transaction.execute("select count(*) from clients where id > 1").fetchone()
            assert left == 0
            transaction.execute("insert into clients (phone) values (%s)", [f"phone {{number}}"])
            if number % 3 == 0:
                transaction.execute("update clients set notes = 'changed' where id = 1")
            if number % 50 == 0:
                transaction.execute("create table more (n int)")
        if number == 0:
            pathlib.Path("where").write_text(where)
"""


ORDER = """
    from zlib import crc32

    def pytest_collection_modifyitems(items):
        items.sort(key=lambda item: crc32(f"{seed} {{item.nodeid}}".encode()))
"""
LONG = [
    pytest.param(2_000, workers, seed, marks=[pytest.mark.long, pytest.mark.timeout(600)])
    for workers in (2, 4)
    for seed in (1, 2, 3)
]


@pytest.mark.parametrize(("tests", "workers", "seed"), [(60, 2, 0), *LONG])
def test_no_test_meets_another_one_and_nothing_is_left(
    project: pytest.Pytester, tests: int, workers: int, seed: int
) -> None:
    project.makepyfile(TESTS.format(tests=tests))
    project.makeconftest(ORDER.format(seed=seed))

    result = project.runpytest_subprocess("-n", str(workers), "-q", timeout=500)

    result.assert_outcomes(passed=tests)
    assert not Path((project.path / "where").read_text(encoding="utf-8")).exists()
