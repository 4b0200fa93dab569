"""`--trueup-report`: what the page and the XML say of a session that really ran."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

CONTRACTS = """
from dataclasses import dataclass
from trueup.tables import UNSET, Table

@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    phone: str
    notes: str | None = None
    id: int = UNSET

TABLES = [Table("public.clients", Client, primary_key=("id",), generated=("id",))]
"""
TESTS = """
import psycopg
import pytest

KEPT = []

def test_waits(db):
    with db.connection() as connection:
        connection.execute("select pg_sleep(0.3)")

def test_waits_in_a_coroutine(dsn):
    import asyncio
    async def wait():
        async with await psycopg.AsyncConnection.connect(dsn) as connection:
            await connection.execute("select pg_sleep(0.3)")
    asyncio.run(wait())

def test_makes_rows(make, db):
    make.batch("client", 3)

def test_fails(conn):
    assert conn.execute("select 1").fetchone() == (2,)

def test_leaks(db):
    KEPT.append(psycopg.connect(db.dsn))

@pytest.fixture
def broken():
    raise ZeroDivisionError

def test_errs(broken):
    pass

@pytest.mark.skip(reason="not today")
def test_skipped():
    pass

@pytest.mark.xfail(strict=True)
def test_expected():
    assert False

@pytest.mark.xfail
def test_unexpected():
    pass

TRIES = []

@pytest.mark.flaky(reruns=2)
def test_second_try():
    TRIES.append(1)
    assert len(TRIES) > 1
"""
OUTCOMES = {
    "1 failed",
    "2 errors",
    "4 passed",
    "1 skipped",
    "1 failed as expected",
    "1 passed unexpectedly",
    "1 left something open",
}


@pytest.fixture
def salon(project: pytest.Pytester) -> pytest.Pytester:
    project.makepyprojecttoml(
        '[tool.trueup]\nschema = "migrations"\ncontracts = ["contracts:TABLES"]\n'
        '[tool.pytest.ini_options]\npythonpath = ["."]\n'
    )
    project.makepyfile(contracts=CONTRACTS)
    return project


def run(project: pytest.Pytester, *options: str) -> pytest.RunResult:
    return project.runpytest_subprocess("-p", "no:randomly", "--trueup-report", "out/of/it", *options, timeout=100)


def page_of(project: pytest.Pytester) -> str:
    return (project.path / "out/of/it/tests.html").read_text(encoding="utf-8")


def words(markup: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", markup)).strip()


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["one process", "two workers"])
def test_page_and_xml_beside_it_tell_what_ran(salon: pytest.Pytester, options: tuple[str, ...]) -> None:
    salon.makepyfile(test_salon=TESTS)

    done = run(salon, *options)

    page = page_of(salon)
    counts = {words(found) for found in re.findall(r"<li><a .*?</a></li>", page)}
    assert counts == OUTCOMES, done.stdout.str()
    assert "3 of 10 tests failed" in page
    assert "ZeroDivisionError" in page
    assert "ran 2 times" not in page, "what passed at last is no failure"
    leaks = words(page.partition('id="leaks"')[2].partition("</section>")[0])
    assert "test_leaks" in leaks
    assert "connection" in leaks
    factories = words(page.partition('id="factories"')[2].partition("</section>")[0])
    assert "client 1 3 " in factories
    assert "not today" in page.partition('id="skipped"')[2]
    done.stdout.fnmatch_lines(["trueup: *% of the tests' time was the database's, 1 test left something open; *"])
    cases = ET.parse(salon.path / "out/of/it/tests.xml").findall(".//testcase")
    assert {case.get("name") for case in cases} == set(re.findall(r"def (test_\w+)", TESTS)), (
        "it stands beside the page"
    )


def test_time_is_the_databases_where_the_server_was_waited_for_and_xml_is_where_it_was_asked_for(
    salon: pytest.Pytester,
) -> None:
    """Also that of coroutines; what the harness itself asks the server counts for set-up and tear-down."""
    salon.makepyfile(test_salon=TESTS)

    run(salon, "-k", "waits", "--junitxml=own.xml")

    page = page_of(salon)
    [share] = re.findall(r"(\d+)% of their time waiting", page)
    trips = [int(number) for number in re.findall(r'data-label="Round trips">(\d+)', page)]
    assert int(share) > 30
    assert len(trips) == 2
    assert min(trips) >= 1
    assert (salon.path / "own.xml").exists()
    assert not (salon.path / "out/of/it/tests.xml").exists(), "it was asked for elsewhere"


def test_session_that_was_stopped_is_not_green_and_shows_no_password(salon: pytest.Pytester) -> None:
    salon.makepyfile(test_salon="def test_one(): pass\ndef test_two(): raise KeyboardInterrupt\ndef test_three(): pass")

    run(salon, "--trueup-server=postgresql://app:s3cr%40t@127.0.0.1:1/x", "-p", "no:cacheprovider")

    page = page_of(salon)
    assert '<body class="passed">' not in page
    assert "stopped before its end" in page
    assert "postgresql://app:…@127.0.0.1:1/x" in words(page)
    assert "s3cr" not in page
    assert "on a provided server" in page


def test_file_that_can_not_be_imported_is_on_the_page(salon: pytest.Pytester) -> None:
    salon.makepyfile(test_salon="import nothing_of_that_name")

    run(salon)

    assert "1 of 1 test failed" in page_of(salon)
    assert "nothing_of_that_name" in page_of(salon)


def test_worker_that_is_killed_has_failed_its_test(salon: pytest.Pytester) -> None:
    salon.makepyfile(test_salon="import os\ndef test_one(): os._exit(1)\ndef test_two(): pass")

    run(salon, "-n", "1")

    assert "1 of 2 tests failed" in page_of(salon)


def test_folder_that_can_not_be_made_is_told_before_any_test(salon: pytest.Pytester, tmp_path: Path) -> None:
    salon.makepyfile(test_salon="def test_one(): pass")
    (salon.path / "out").write_text("a file", encoding="utf-8")

    done = run(salon)

    done.stderr.fnmatch_lines(["*--trueup-report: cannot make the folder*"])


def test_plain_output_stays_plain_without_the_option(salon: pytest.Pytester) -> None:
    salon.makepyfile(test_salon="def test_one(): pass")

    done = salon.runpytest_subprocess()

    assert [line for line in done.outlines if "trueup" in line and not line.startswith(("plugins:", "rootdir"))] == [
        "trueup: embedded PostgreSQL 18, started when a test asks for it"
    ]
