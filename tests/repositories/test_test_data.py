"""What tests leave in the salon's tables can be told from everything else, counted, and deleted without it.

The earlier clean-up deleted every row whose id was above 9,900,000, and matched a real person's phone.
"""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any

import msgspec
import pytest
from factory.declarations import BaseDeclaration
from tests.repositories import rows
from tests.repositories.conftest import ROOT

from ai_admin.bookings import Bookings
from ai_admin.clients import Clients
from ai_admin.companies import Companies
from ai_admin.contracts import CONTRACTS
from ai_admin.data_layer import DataLayer
from ai_admin.services import Services
from ai_admin.sessions import CREDENTIALS, KEYS, SessionStore
from ai_admin.staff import Staff
from ai_admin.sync import SyncRun, SyncRuns
from ai_admin.sync.payloads import CompanyPayload, decode
from ai_admin.sync.rows import company_row
from ai_admin.sync.runs import Recorder
from ai_admin.testing import command, test_phone
from trueup.cli.exits import ExitCode
from trueup.cli.main import run as trueup
from trueup.conninfo import ConnInfo
from trueup.db import Connection, Database, connect
from trueup.errors import Refused
from trueup.servers import EmbeddedServer
from trueup.settings import DatabaseSettings
from trueup.tables import CleanUpRefused, Table
from trueup.tables.markers import clean, create_journal, stats
from trueup.testing import Make
from trueup.testing.data.making import Blueprints
from trueup.testing.data.registry import read_registry
from trueup.testing.data.relations import read_relations
from trueup.testing.live.database import LiveDatabase
from trueup.testing.live.making import LiveMaker

REGISTRY = read_registry(["ai_admin.testing.factories"], CONTRACTS)
NAMES = [table.name for table in CONTRACTS]
SITUATIONS = [(found.name, trait) for found in REGISTRY.by_table.values() for trait in ("", *found.parameters)]

Counts = Callable[[], dict[str, int]]
Cleanup = Callable[..., tuple[int, str]]


@pytest.fixture(scope="module")
def template(server: EmbeddedServer) -> str:
    """Return the name of a database where tests may leave rows, with one real salon's."""
    server.drop_database("live")
    conninfo = server.create_database("live", template="salon")
    with connect(conninfo) as connection:
        create_journal(connection)
    with Database(DatabaseSettings(conninfo=conninfo)) as db:
        leave_real_rows(db)
    return "live"


@pytest.fixture
def live(database: ConnInfo) -> Iterator[LiveDatabase]:
    """Return a database where tests may leave rows, with one real salon's."""
    with LiveDatabase(DatabaseSettings(conninfo=database, lock_timeout_s=5), CONTRACTS) as live:
        yield live


def leave_real_rows(db: Database) -> None:
    """Store what a real salon has: rows that the earlier clean-up took for test data among them."""
    Companies(db).insert(rows.company(company_id=999999, title="[TEST] Демо"))
    Clients(db, company_id=999999).insert(
        rows.client(yclients_id=9_900_001, name="[TEST] Анна", email="a@example.test")
    )
    Services(db, company_id=999999).insert(rows.service())
    Bookings(db, company_id=999999).insert(rows.booking(yclients_record_id=1_400_000_000, client_phone=rows.PHONE))


def worker_on(live: LiveDatabase) -> Make:
    """Return what makes rows as a run on a live database does; nothing is deleted, as when it is killed."""
    with live.connection() as connection:
        blueprints = Blueprints(registry=REGISTRY, relations=read_relations(connection))
    return Make(LiveMaker.on(live, CONTRACTS, blueprints, seed=7))


@pytest.fixture
def leave(live: LiveDatabase) -> Make:
    """Return what makes rows as a run on a live database that is killed."""
    return worker_on(live)


@pytest.fixture
def counts(observer: Connection) -> Counts:
    """Return what counts the rows of every table that has any, as others see them."""

    def count() -> dict[str, int]:
        found = {name: observer.execute(f"select count(*) from {name}".encode()).fetchone() for name in NAMES}
        return {name: row[0] for name, row in found.items() if row and row[0]}

    return count


@pytest.fixture
def everything(leave: Make) -> Make:
    """Make a row of every table."""
    for found in REGISTRY.by_table.values():
        leave(found)
    return leave


@pytest.mark.parametrize(("name", "trait"), SITUATIONS, ids=[f"{name}-{trait}" for name, trait in SITUATIONS])
def test_row_of_every_table_is_made_in_every_situation(db: Database, make: Make, name: str, trait: str) -> None:
    """W-T7, N7: a row that a test has said nothing about is valid, marked, and has all its fields."""
    row = getattr(make, name)(**{trait: True} if trait else {})

    found = REGISTRY.by_name[name]
    assert found.table.marker is not None
    assert found.table.marker.matches(row)
    assert type(row) is found.table.row
    for column, value in (found.parameters[trait].overrides if trait else {}).items():
        assert getattr(row, column) == value or isinstance(value, BaseDeclaration)


def test_every_table_of_the_database_is_marked(db: Database) -> None:
    """W-T7: the clean-up knew 3 tables of 16. None is left to a foreign key's action: each has a marker of its own."""
    with db.connection() as connection:
        found = connection.execute(
            "select 'public.' || relname from pg_class where relnamespace = 'public'::regnamespace"
            " and relkind in ('r', 'p') and not relispartition and relname <> 'schema_migrations'"
        ).fetchall()

    assert {name for (name,) in found} == {table.name for table in CONTRACTS if table.marker}
    assert set(REGISTRY.by_table) == set(NAMES)


def test_people_see_that_a_row_is_a_test(db: Database, make: Make) -> None:
    company, client, member = make.company(), make.client(), make.staff_member()

    assert company.company_id < -1_000_000_000
    assert company.marketplace_user_email.endswith("@example.test")
    for text in (company.title, client.name, member.name, make.service().title):
        assert text.startswith("[TEST] ")
    for row in (company, client, member):
        assert row.email.endswith("@example.test")
        assert row.phone.startswith("+7000")
    assert client.raw_phone == client.phone.removeprefix("+")


def test_rows_are_made_for_the_salon_that_is_given(db: Database, make: Make) -> None:
    company = make.company(far_east=True)

    client = make.client(company=company)
    rows = [make.booking(company=company, client_yclients_id=client.yclients_id), make.sync_run(company=company)]
    event = make.marketplace_event(salon=company, connected=True)

    assert {row.company_id for row in (client, *rows, event)} == {company.company_id}
    assert event.salon_id == company.company_id
    assert [type(row).__name__ for row in make.made].count("Company") == 1


@pytest.mark.parametrize("table", CONTRACTS[1:], ids=lambda table: table.name)
def test_one_salon_has_as_many_rows_as_a_test_wants(db: Database, make: Make, table: Table[Any]) -> None:
    """W-T8: no two of them have the same key, and no two bookings are of one person at one time."""
    owner = make.credentials() if table is KEYS else make.company()
    given = {table.tenant: owner.company_id} if table is not CREDENTIALS else {}

    made = make.batch(REGISTRY.by_table[table.name], 3, **given)

    assert len({tuple(getattr(row, column) for column in table.key) for row in made}) == 3
    assert len(make.made) == 4


def test_stats_show_every_marked_row(live: LiveDatabase, everything: Make) -> None:
    """B28, C26, W-T9: test clients were counted by phone alone, and nothing else was."""
    everything.client(without_phone=True, name="Анна", email=None)

    found = {each.table: each for each in stats(live, CONTRACTS)}

    made = [type(row) for row in everything.made]
    assert {name: (each.marked, each.made) for name, each in found.items()} == {
        table.name: (made.count(table.row),) * 2 for table in CONTRACTS
    }
    assert found["public.clients"].marked == 2


def test_rows_of_all_tables_go_and_no_other(live: LiveDatabase, everything: Make, counts: Counts) -> None:
    """W-T7, W-T2, W-T4, W-T6: by key; the rows of a real salon stay, whatever their ids, numbers and names are."""
    dry = clean(live, CONTRACTS, dry_run=True)
    before = counts()

    done = clean(live, CONTRACTS)

    assert (done.tables, done.rows) == (dry.tables, len(everything.made))
    assert set(done.tables) == set(NAMES)
    assert sum(before.values()) == sum(counts().values()) + done.rows
    real = {"companies": 3, "clients": 1, "services": 1, "bookings": 1}
    assert counts() == {f"public.{name}": number for name, number in real.items()}


def test_rows_go_before_those_that_they_point_to(live: LiveDatabase, everything: Make) -> None:
    order = list(clean(live, CONTRACTS, dry_run=True).tables)

    others = set(NAMES) - {"public.companies", "public.whatsapp_auth", "public.whatsapp_keys"}
    assert max(order.index(name) for name in others) < order.index("public.companies")
    assert order.index("public.dialog_contexts") < min(order.index("public.clients"), order.index("public.bookings"))
    assert order.index("public.whatsapp_keys") < order.index("public.whatsapp_auth")


def test_what_the_code_under_test_wrote_goes_with_its_company(live: LiveDatabase, leave: Make, counts: Counts) -> None:
    """W-T5: rows of the normal code path were stored in another form than the clean-up looked for."""
    before = counts()
    company = leave.company()
    data = DataLayer(live, company.company_id)

    data.upsert_client(rows.client(name="Анна", phone="8 (000) 000-00-22", email=None))
    data.upsert_staff_member(rows.staff_member(name="Мастер"))
    data.upsert_booking(rows.booking(client_phone=None))
    with Recorder(live, company.company_id).running("services"):
        pass

    assert data.get_client_by_phone("+70000000022") is not None
    assert clean(live, CONTRACTS).rows == 5
    assert counts() == before


def test_company_keeps_its_mark_when_it_is_synced(live: LiveDatabase, leave: Make) -> None:
    """W-T10: what YClients says of a salon replaces all that people see of it."""
    company = leave.company()
    payload = (ROOT / "fixtures/payloads/company.json").read_bytes()
    (item,), _ = decode(CompanyPayload, [msgspec.json.encode(json.loads(payload)["data"])])

    done = Companies(live).upsert(replace(company_row(item), company_id=company.company_id))

    assert done.row.title != company.title
    assert clean(live, CONTRACTS).tables["public.companies"] == 1


def test_keys_that_a_test_session_stored_go_with_its_credentials(
    live: LiveDatabase, leave: Make, counts: Counts
) -> None:
    """W-T11: keys of tests stayed in the production salon's session for ever."""
    before = counts()
    credentials = leave.credentials()
    store = SessionStore(live, credentials.company_id)

    store.set({"session": {"a.0": ["1"], "b.0": ["2"]}})

    assert counts()["public.whatsapp_keys"] == 2
    assert clean(live, CONTRACTS).rows == 3
    assert counts() == before


def test_session_that_no_test_made_is_told_and_kept(live: LiveDatabase, leave: Make, counts: Counts) -> None:
    """W-T11: what nobody wrote down is for people to look at."""
    leave.client()
    SessionStore(live, -5).save_creds({"registered": False})
    before = counts()

    with pytest.raises(CleanUpRefused, match=r"public\.whatsapp_auth: 1 row with the marker, and no test made it"):
        clean(live, CONTRACTS)

    assert counts() == before


@pytest.mark.parametrize(
    "store",
    [
        lambda live: Companies(live).insert(rows.company()),
        lambda live: SyncRuns(live, company_id=-5).insert(SyncRun(entity="clients")),
        lambda live: SessionStore(live, -5).set({"session": {"a.0": ["1"]}}),
    ],
    ids=["company", "sync run of no company", "keys of no session"],
)
def test_what_no_clean_up_would_find_is_not_stored(
    live: LiveDatabase, counts: Counts, store: Callable[[Database], object]
) -> None:
    """W-T7, W-T11: rows of tests sat in production for three weeks."""
    before = counts()

    with pytest.raises(Refused, match="without its marker"):
        store(live)

    assert counts() == before


@pytest.mark.parametrize("repository", [Clients, Services, Staff], ids=lambda found: found.__name__)
def test_real_salon_is_not_written_to(live: LiveDatabase, leave: Make, repository: Any) -> None:
    """W-T1, W-T3, W-T10: whatever a row looks like, in a salon that no test has made it is refused."""
    name = {Clients: "client", Services: "service", Staff: "staff_member"}[repository]

    with pytest.raises(Refused, match="without its marker"):
        getattr(leave, name)(company_id=999999)

    before = 0 if repository is Staff else 1
    assert repository(live, company_id=999999).count() == before


def test_phone_for_a_row_is_given_as_it_is_stored(live: LiveDatabase, leave: Make) -> None:
    """W-T5, W-T8."""
    phone = test_phone()

    assert leave.client(phone=phone).phone == phone


def test_two_workers_never_make_the_same(live: LiveDatabase, leave: Make) -> None:
    """W-T8: random ids collided in one run, fixed ones between two."""
    other = worker_on(live)

    made = [one for _ in range(3) for one in (leave.company(), other.company(), leave.client(), other.client())]

    companies = [row.company_id for row in made]
    phones = [row.phone for row in made]
    assert len(set(companies)) == len(set(phones)) == 12


@pytest.fixture
def cleanup(database: ConnInfo, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cleanup:
    """Return what runs the command and returns its exit code with all that it printed."""
    monkeypatch.setenv("TRUEUP_DATABASE", database.reveal())

    def run(*arguments: str) -> tuple[int, str]:
        code = command.main(CONTRACTS, list(arguments))
        return code, "".join(capsys.readouterr())

    return run


def script(database: ConnInfo, *arguments: str, cwd: Path = ROOT) -> "subprocess.Popen[str]":
    """Start the script in a process of its own."""
    return subprocess.Popen(
        [sys.executable, ROOT / "scripts/cleanup_test_data.py", *arguments],
        cwd=cwd,
        env={"TRUEUP_DATABASE": database.reveal(), "PATH": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_until_blocked(observer: Connection) -> None:
    """Return once somebody waits for a lock."""
    deadline = monotonic() + 30
    while observer.execute("select from pg_locks where not granted").rowcount == 0:
        assert monotonic() < deadline
        Event().wait(0.01)


def test_command_counts_says_what_it_would_delete_and_deletes_it(cleanup: Cleanup, leave: Make, counts: Counts) -> None:
    before = counts()
    leave.booking()

    counted, dry = cleanup("--stats"), cleanup("--dry-run")
    assert sum(counts().values()) == sum(before.values()) + 2
    done, again = cleanup(), cleanup()

    assert {code for code, _ in (counted, dry, done, again)} == {ExitCode.PASSED}
    lines = counted[1].splitlines()
    assert [line.split()[0] for line in lines] == NAMES
    assert [line for line in lines if " 1 marked,      1 made by tests" in line] == [lines[0], lines[5]]
    assert dry[1].splitlines() == ["     1 public.bookings", "     1 public.companies", "Would delete 2 test records"]
    assert re.fullmatch(r"Deleted 2 test records in [\d,]+ ms", done[1].splitlines()[2])
    assert again[1].startswith("Deleted 0 test records in ")
    assert counts() == before


def test_stats_and_a_dry_run_are_told_together(cleanup: Cleanup, leave: Make, counts: Counts) -> None:
    leave.client()
    before = counts()

    code, said = cleanup("--dry-run", "--stats")

    assert code == ExitCode.PASSED
    assert said.splitlines()[0].startswith("public.companies ")
    assert said.splitlines()[-1] == "Would delete 2 test records"
    assert counts() == before


def test_more_than_the_limit_is_refused_and_all_of_it_stays(cleanup: Cleanup, leave: Make, counts: Counts) -> None:
    leave.batch("client", 3)
    before = counts()

    code, said = cleanup("--max-delete", "5")

    assert (code, counts()) == (ExitCode.REFUSED, before)
    assert "nothing was deleted" in said
    assert "more than 5 rows would be deleted" in said
    assert cleanup("--max-delete", "6")[0] == ExitCode.PASSED


def test_company_that_only_looks_like_one_of_tests_stops_everything(
    cleanup: Cleanup, leave: Make, observer: Connection, counts: Counts
) -> None:
    """W-T4, W-T9: it is counted, and told; no row of it, nor any other, is deleted."""
    leave.client()
    observer.execute(
        "insert into companies (company_id, title, marketplace_user_email) values (7, 'Салон', 'a@example.test')"
    )
    observer.execute("insert into clients (company_id, yclients_id, name) values (7, 1, 'Анна')")
    before = counts()

    stats, refused = cleanup("--stats"), cleanup()

    assert (stats[0], refused[0]) == (ExitCode.FAILED, ExitCode.REFUSED)
    for said in (stats[1], refused[1]):
        assert "public.companies: 1 row with the marker, and no test made it" in said
        assert "public.clients: 1 row with the marker, and no test made it" in said
    assert counts() == before


def test_real_row_that_hangs_on_a_test_row_stops_everything(
    cleanup: Cleanup, leave: Make, observer: Connection, counts: Counts
) -> None:
    """W-T2: a foreign key that sets NULL would have changed a real salon's dialog without a word."""
    client = leave.client()
    observer.execute(
        "insert into dialog_contexts (company_id, user_id, client_id) values (999999, 'u', %s)", [client.id]
    )
    before = counts()

    code, said = cleanup()

    assert (code, counts()) == (ExitCode.REFUSED, before)
    assert "public.dialog_contexts: 1 row that is no test data points to test data of public.clients" in said


@pytest.mark.parametrize(
    ("arguments", "code"), [(["--help"], ExitCode.PASSED), (["--all"], ExitCode.USAGE), (["--max-delete", "-1"], 2)]
)
def test_usage_is_told(cleanup: Cleanup, arguments: list[str], code: int) -> None:
    assert cleanup(*arguments)[0] == code


def test_interrupted_run_deletes_nothing_and_has_its_own_exit_code(
    leave: Make, database: ConnInfo, observer: Connection, counts: Counts
) -> None:
    client = leave.client()
    before = counts()

    with observer.transaction(), script(database) as running:
        observer.execute("select from clients where id = %s for update", [client.id])
        wait_until_blocked(observer)
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=30)

    assert (running.returncode, out, err.strip()) == (ExitCode.INTERRUPTED, "", "interrupted")
    assert counts() == before


def test_script_runs_wherever_it_is_called(leave: Make, database: ConnInfo, tmp_path: Path) -> None:
    leave.client()

    with script(database, "--dry-run", cwd=tmp_path) as running:
        out, err = running.communicate(timeout=30)

    assert (running.returncode, err) == (ExitCode.PASSED, "")
    assert out.splitlines()[-1] == "Would delete 2 test records"


@pytest.mark.parametrize("arguments", [["testdata", "stats"], ["contracts"]], ids=" ".join)
def test_configuration_of_the_project_names_every_table(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """W-T7, W-T9."""
    monkeypatch.chdir(ROOT)

    code = trueup([*arguments, "embedded", "--json"])

    found = json.loads(capsys.readouterr().out)
    assert (code, found["verdict"]) == (ExitCode.PASSED, "passed")
    assert found["compared"]["tables"] == len(NAMES)
