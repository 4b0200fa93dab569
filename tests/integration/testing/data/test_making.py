"""The rows that `make` makes, seen from a project that uses it."""

import re
from collections.abc import Mapping

import pytest
from tests.integration.testing.projects import Ran, run_tests, write

ROWS = """
from decimal import Decimal

from salon import Booking, Client, Clients, Company
from salon_factories import CLIENT


def test_row_is_stored_and_related_rows_with_it(conn, make):
    booking = make.booking(price=Decimal("9.50"))

    client = Clients(conn).find_one(id=booking.client_id, company_id=booking.company_id)
    assert isinstance(booking, Booking) and isinstance(client, Client)
    assert [type(row) for row in make.made] == [Company, Client, Booking]
    assert (booking.price, client.level, client.visits) == (Decimal("9.50"), "new", 0)
    assert conn.execute("select count(*), bool_and(is_test) from companies").fetchone() == (1, True)

def test_whole_chain_has_one_tenant(make):
    note = make.note()

    company, client, booking, note = make.made
    assert (client.company_id, booking.company_id, note.booking_id) == (company.id, company.id, booking.id)

def test_given_rows_and_keys_are_taken(make):
    client = make.client()
    row = make.booking(client=client)
    key = make.booking(company_id=client.company_id, client_id=client.id)

    assert (row.client_id, row.company_id) == (key.client_id, key.company_id)
    assert len(make.made) == 4

def test_other_rows_are_told_what_to_be(make):
    booking = make.booking(client__name="Ann", client__company__title="Salon")

    assert [row.title for row in make.made if hasattr(row, "title")] == ["Salon"]
    assert [row.name for row in make.made if hasattr(row, "name")] == ["Ann"]

def test_traits_and_overrides(make):
    assert (make.client(gold=True).level, make.client(gold=True).visits) == ("gold", 100)
    assert make.client(gold=True, visits=3).visits == 3
    assert make.client().level == "new"

def test_batch_shares_what_it_is_given(make):
    company = make.company()
    first, second, third = make.batch("client", 3, company=company)

    assert {row.company_id for row in (first, second, third)} == {company.id}
    assert len({row.phone for row in (first, second, third)}) == 3
    assert make.batch(CLIENT, 0) == []

def test_factory_itself_is_called(make):
    assert isinstance(make(CLIENT, name=None), Client)

def test_sequences_of_a_test_begin_anew(make):
    assert make.client().phone == "+70000000001"

def test_commits_are_seen(db, make, observer):
    make.client()

    assert observer.execute("select count(*) from clients").fetchone() == (1,)

def test_nothing_is_left_of_them(db, observer):
    assert observer.execute("select count(*) from clients").fetchone() == (0,)
"""
MISTAKES = """
import pytest

from salon import CLIENTS, NOTES, Note
from trueup.errors import UsageError
from trueup.tables import Table, UnknownColumn
from trueup.testing import factory


def test_factory_that_is_not_there(make):
    with pytest.raises(UsageError, match='"clint" .known: booking, client, company, note'):
        make.clint()

def test_column_that_is_not_there(make):
    with pytest.raises(UnknownColumn, match="nam"):
        make.client(nam="Ann")
    with pytest.raises(UnknownColumn, match="nam"):
        factory(CLIENTS, nam="Ann")

@pytest.mark.parametrize("number", [-1, True, "3"])
def test_number_that_is_none(make, number):
    with pytest.raises(UsageError, match="number of rows"):
        make.batch("client", number)

@pytest.mark.parametrize("name", ["batch", "made", "a b"])
def test_name_that_cannot_be_called(name):
    with pytest.raises(UsageError, match="can't be called"):
        factory(CLIENTS, name)

def test_row_that_would_lose_its_mark(make):
    "W-T5: an explicit value without the marker is refused before it is left anywhere."
    with pytest.raises(UsageError, match=r"public\\.clients\\.phone: the row as it is stored does not carry"):
        make.client(phone="89001234567")
"""
MARKED = """
import pytest

pytestmark = pytest.mark.rows(company=1)

@pytest.mark.rows(client=3, booking=1)
def test_rows(rows, conn):
    assert [len(rows.company), len(rows.client), len(rows.booking)] == [1, 3, 1]
    assert conn.execute("select count(*) from clients").fetchone() == (4,)
    with pytest.raises(AttributeError, match="it makes company, client, booking"):
        rows.note

@pytest.mark.rows(client=2)
def test_rows_that_nobody_asks_for_by_name(conn):
    assert conn.execute("select count(*) from clients").fetchone() == (2,)
"""
CREATED = """
from dataclasses import dataclass
from trueup.tables import Table
from trueup.testing import factory

@dataclass(frozen=True, slots=True)
class Tag:
    client_id: int
    label: str

TAG = factory(Table("public.tags", Tag, primary_key=("label",)))

def test_tag(conn, make):
    conn.execute("create table tags (client_id bigint not null references clients, label text primary key)")

    assert make(TAG, client__name="Ann").client_id == make.made[1].id
"""
FAILING = """
def test_fails(make):
    assert make.client().name == ""
"""
MEANINGLESS = {
    "3": "takes the names of factories",
    "": "takes the names of factories",
    "client=0": "takes the names of factories",
    "client=True": "takes the names of factories",
    "clint=1": 'no factory is called "clint"',
}
TESTS = {
    "test_rows.py": ROWS,
    "test_mistakes.py": MISTAKES,
    "test_marked.py": MARKED,
    "test_created.py": CREATED,
    "test_failing.py": FAILING,
    "test_meaningless.py": "import pytest\n"
    + "".join(
        f"\n@pytest.mark.rows({mark})\ndef test_mark_{number}():\n    pass\n" for number, mark in enumerate(MEANINGLESS)
    ),
}


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory, salon_files: Mapping[str, str]) -> Ran:
    """Return what became of all these tests in one run."""
    folder = tmp_path_factory.mktemp("salon")
    write(folder, {**salon_files, **TESTS})
    return run_tests(folder, "--trueup-seed=42")


def test_rows_and_what_they_point_to_are_made(ran: Ran) -> None:
    assert ran.has_passed("test_rows", 10), ran.printed


def test_mistakes_say_what_to_do(ran: Ran) -> None:
    """W-T5: also a row that would lose its mark is one."""
    assert ran.has_passed("test_mistakes", 9), ran.printed


def test_mark_makes_rows_before_the_test(ran: Ran) -> None:
    assert ran.has_passed("test_marked", 2), ran.printed


def test_table_that_the_test_creates_is_known(ran: Ran) -> None:
    assert ran.has_passed("test_created", 1), ran.printed


def test_failure_tells_the_seed(ran: Ran) -> None:
    assert ran.of("test_failing") == {"test_fails": "failed"}
    assert "--trueup-seed=42 makes the same data again" in ran.printed


@pytest.mark.parametrize("number", range(len(MEANINGLESS)))
def test_mark_that_means_nothing_fails_its_test(ran: Ran, number: int) -> None:
    assert ran.of("test_meaningless")[f"test_mark_{number}"] == "error"
    assert list(MEANINGLESS.values())[number] in ran.texts[f"test_mark_{number}"]


OTHER_FACTORIES = """
from factory import Faker

from salon import CLIENTS, COMPANIES, NOTES
from trueup.testing import Unique, factory

COMPANY = factory(COMPANIES)
CLIENT = factory(CLIENTS, phone=Unique("+7000{n:07}"), name=Faker("name"))
NOTE = factory(NOTES)
"""
OTHER_CONFIGURATION = """
[tool.trueup]
schema = "migrations"

[tool.pytest.ini_options]
pythonpath = ["."]
trueup_factories = ["salon_factories"]
trueup_locale = "ru_RU"
"""
OTHER_TESTS = """
def test_note(make):
    make.note()

def test_name(make):
    assert not make.client().name.isascii()
"""


def test_configuration_chooses_the_locale_and_the_factories(
    tmp_path_factory: pytest.TempPathFactory, salon_files: Mapping[str, str]
) -> None:
    """A row without a factory for what it points to says so."""
    folder = tmp_path_factory.mktemp("other")
    own = {"pyproject.toml": OTHER_CONFIGURATION, "salon_factories.py": OTHER_FACTORIES, "test_other.py": OTHER_TESTS}
    write(folder, {**salon_files, **own})

    ran = run_tests(folder)

    assert ran.of("test_other") == {"test_note": "failed", "test_name": "passed"}
    told = "public.notes.booking_id points to public.bookings, for which there is no factory"
    assert told in ran.texts["test_note"]


SEEDED = """
def test_data(make, record_property):
    record_property("data", [make.client().name, make.client().phone, str(make.booking().id), make.company().title])

def test_more(make, record_property):
    record_property("data", [make.client().name, make.company().title])

"""
DUMP = """
import json
import pathlib

CONTROLLER = []

def pytest_configure(config):
    if not hasattr(config, "workerinput"):
        CONTROLLER.append(config)

def pytest_runtest_logreport(report):
    found = [value for name, value in report.user_properties if name == "data"]
    if CONTROLLER and report.when == "call" and found:
        with pathlib.Path("data.jsonl").open("a") as file:
            file.write(json.dumps([report.nodeid, found]) + "\\n")
"""


def data_of(salon, *options):
    """Return what a run has made, by test."""
    file = salon.path / "data.jsonl"
    file.unlink(missing_ok=True)
    salon.runpytest_subprocess(*options).assert_outcomes(passed=2)
    return sorted(file.read_text().splitlines())


@pytest.mark.long
def test_seed_makes_the_same_data_in_every_order_and_process(salon):
    """W-T13: what runs before a test, and where, changes nothing."""
    salon.makeconftest(DUMP)
    salon.makepyfile(test_seed=SEEDED)

    plain = data_of(salon, "--trueup-seed=7", "-p", "no:randomly")
    shuffled = data_of(salon, "--trueup-seed=7", "-p", "randomly")
    spread = data_of(salon, "--trueup-seed=7", "-n2")
    other = data_of(salon, "--trueup-seed=8", "-p", "no:randomly")

    assert plain == shuffled == spread
    assert plain != other


def test_workers_and_tests_that_share_a_database_make_no_value_twice(salon):
    """W-T8: neither random ids without a check nor fixed ones."""
    salon.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize("number", range(4))
        def test_shared(session_db, make, number, record_property):
            for row in make.batch("client", 3):
                record_property("data", row.phone)
        """
    )
    salon.makeconftest(DUMP)

    salon.runpytest_subprocess("-n2", "-p", "no:randomly").assert_outcomes(passed=4)

    phones = re.findall(r"\+7000\d+", (salon.path / "data.jsonl").read_text())
    assert len(phones) == len(set(phones)) == 12


def test_test_that_only_makes_rows_runs_on_each_server(salon: pytest.Pytester) -> None:
    salon.makepyfile(
        """
    import pytest

    def version_of(database):
        with database.connection() as connection:
            return connection.info.server_version // 10_000

    def test_made(make, conn, request):
        assert f"pg{version_of(conn)}" in request.node.name

    @pytest.mark.rows(client=2)
    def test_rows(rows, conn, request):
        assert f"pg{version_of(conn)}" in request.node.name

    def test_made_alone(make):
        make.batch("client", 1)

    @pytest.mark.rows(client=2)
    def test_rows_alone(): ...
    """
    )

    result = salon.runpytest_subprocess("--trueup-server=embedded:16 embedded:18", "-v")

    result.assert_outcomes(passed=8)
    result.stdout.fnmatch_lines_random(
        [f"*::test_{name}_alone?pg1{n}? PASSED*" for name in ("made", "rows") for n in (6, 8)]
    )
