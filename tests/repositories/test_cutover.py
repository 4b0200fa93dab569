"""Every mismatch that the team met after it was told "1:1, all green", and what says so now.

M-1 to M-26 of the earlier project, in `fixtures/databases/cutover`: what one run over the pair reports, and what the
contracts of the code of the time report. The rows are of the shapes that were there.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import pytest

from ai_admin.appointments import Appointments
from trueup.cli.main import run
from trueup.conninfo import ConnInfo
from trueup.db import Connection, connect
from trueup.servers import EmbeddedServer
from trueup.tables import Sql, Table, check_contract

PAIR = [str(Path(__file__).parents[2] / f"fixtures/databases/cutover/{side}.sql") for side in ("source", "target")]


def reported(capsys: pytest.CaptureFixture[str], *command: str) -> dict[str, Any]:
    code = run([*command, *PAIR, "--json"])
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert (code, said["verdict"]) == (1, "failed")
    return said


# -- structure ---------------------------------------------------------------------------------------------------------

STRUCTURE = {
    "M-5": [
        ("constraint", "services.services_yclients_id_key", "missing"),
        ("constraint", "staff.staff_yclients_id_key", "missing"),
    ],
    "M-8": [("table", name, "missing") for name in ("appointments_cache", "reminders", "sync_status")],
    "M-10": [("constraint", "companies.companies_company_id_key", "missing")],
    "M-11": [("constraint", "dialog_contexts.dialog_contexts_user_id_key", "missing")],
    "M-13": [("column", "clients.last_services", "type")],
    "M-14": [("column", "companies.working_hours", "type"), ("column", "staff_schedules.working_hours", "type")],
    "M-15": [
        ("column", f"{table}.{name}", "type")
        for table, names in {
            "companies": ("created_at", "updated_at", "last_sync_at"),
            "dialog_contexts": ("created_at", "updated_at", "last_activity"),
        }.items()
        for name in names
    ],
    "M-17": [
        ("column", f"{table}.{name}", "type")
        for table in ("clients", "services", "staff")
        for name in ("id", "yclients_id", "company_id")
    ],
    "M-18": [("column", "dialog_contexts.company_id", "type")],
    "M-19": [
        ("column", name, "nullability")
        for name in (
            "clients.name",
            "clients.company_id",
            "services.company_id",
            "staff.company_id",
            "companies.title",
            "dialog_contexts.messages",
            "staff_schedules.staff_name",
            "staff_schedules.is_working",
            "staff_schedules.last_updated",
        )
    ],
    "M-20": [
        ("column", name, "default")
        for name in (
            "staff_schedules.is_working",
            "staff_schedules.has_booking_slots",
            "companies.ai_enabled",
            "companies.timezone",
            "companies.currency",
            "clients.loyalty_level",
            "clients.client_segment",
            "clients.source",
            "clients.tags",
            "dialog_contexts.state",
            "dialog_contexts.session_type",
        )
    ],
    "M-21": [
        ("column", "clients.discount", "type"),
        ("column", "dialog_contexts.last_booking_id", "type"),
        ("column", "staff_schedules.id", "type"),
    ],
    "M-24": [("column", "staff.avatar_url", "missing"), ("column", "staff.avatar", "extra")],
    "M-25": [("column", "booking_notifications.id", "type")],
}
SEVERITIES = {
    "M-5": {"breaking"},
    "M-8": {"breaking"},
    "M-10": {"breaking"},
    "M-11": {"breaking"},
    "M-13": {"breaking"},
    "M-14": {"breaking"},
    "M-15": {"lossy"},
    "M-17": {"lossy"},
    "M-18": {"breaking"},
    "M-19": {"behavioural"},
    "M-20": {"behavioural"},
    "M-21": {"lossy", "breaking", "behavioural"},
    "M-24": {"breaking", "behavioural"},
    "M-25": {"breaking"},
}


def test_schema_diff_reports_what_the_structure_had_lost(capsys: pytest.CaptureFixture[str]) -> None:
    """M-5, M-8, M-10, M-11, M-13, M-14, M-15, M-17, M-18, M-19, M-20, M-21, M-24, M-25."""
    said = reported(capsys, "schema", "diff")

    found = {
        (each["kind"], each["object"].removeprefix("public."), each["change"]): each["severity"]
        for each in said["differences"]
    }
    assert {drift: [each for each in wanted if each not in found] for drift, wanted in STRUCTURE.items()} == {
        drift: [] for drift in STRUCTURE
    }
    assert {drift: {found[each] for each in wanted} for drift, wanted in STRUCTURE.items()} == SEVERITIES


BELIEVED = str(Path(__file__).parents[2] / "fixtures/databases/believed/source.sql")
NAMES = {
    "M-1": ("services.active", "may be is_active now (1.00)"),
    "M-2": ("staff.fired", "may be is_active now, which means the opposite: copy it as `not`, never as it is"),
    "M-3": ("bookings.yclients_id", "may be yclients_record_id now (0.86)"),
    "M-4": ("bookings.client_id", "may be client_yclients_id now (0.86)"),
}


def test_schema_diff_says_what_columns_that_code_named_are_called(capsys: pytest.CaptureFixture[str]) -> None:
    """M-1, M-2, M-3, M-4: statements of the time as a structure, held against the one that they ran on."""
    run(["schema", "diff", BELIEVED, PAIR[1], "--json"])

    found = {each["object"]: each for each in json.loads(capsys.readouterr().out)["differences"]}
    said = {drift: found[f"public.{column}"] for drift, (column, _) in NAMES.items()}
    assert {drift: each["hint"] for drift, each in said.items()} == {drift: hint for drift, (_, hint) in NAMES.items()}
    assert {(each["change"], each["severity"]) for each in said.values()} == {("missing", "breaking")}


FOUR_WEEKS_LATER = str(Path(__file__).parents[2] / "fixtures/databases/december/target.sql")
SHARED = ("appointments_cache", "clients", "companies", "dialog_contexts", "services", "staff", "staff_schedules")


def test_schema_diff_counts_what_four_weeks_of_repairs_had_left(capsys: pytest.CaptureFixture[str]) -> None:
    """What was "1:1, 100 % aligned": M-7 and M-8 had been repaired, M-10, M-11, M-13 to M-21 had not.

    A count of the time gave 64 types and 48 defaults; of these, 60 and 34 are listed anywhere.
    """
    run(["schema", "diff", PAIR[0], FOUR_WEEKS_LATER, "--json"])

    found = json.loads(capsys.readouterr().out)["differences"]
    columns = Counter(
        each["change"] for each in found if each["kind"] == "column" and each["object"].split(".")[1] in SHARED
    )
    tables = {each["object"] for each in found if (each["kind"], each["change"]) == ("table", "missing")}
    gone = {each["object"] for each in found if (each["kind"], each["change"]) == ("constraint", "missing")}
    assert columns == {"type": 60, "default": 34, "nullability": 10, "missing": 10, "extra": 33}
    assert tables == {"public.reminders", "public.sync_status"}, "M-8"
    assert {"public.companies.companies_company_id_key", "public.dialog_contexts.dialog_contexts_user_id_key"} <= gone


@pytest.mark.parametrize("target", [PAIR[1], FOUR_WEEKS_LATER], ids=["cutover", "december"])
def test_plan_of_the_pair_is_proved_there_and_back(capsys: pytest.CaptureFixture[str], target: str) -> None:
    code = run(["schema", "plan", PAIR[0], target, "--json"])

    said = json.loads(capsys.readouterr().out)
    assert (code, said["proved"], said["findings"]) == (0, True, [])
    assert len(said["up"]) > 100
    assert len(said["down"]) > 100


# -- rows --------------------------------------------------------------------------------------------------------------


def test_data_diff_reports_what_the_rows_had_lost(capsys: pytest.CaptureFixture[str]) -> None:
    """M-2, M-13, M-14, M-15, M-16, M-18, M-20, M-23, M-26; and the rows of the hours between copy and cutover."""
    said = reported(capsys, "data", "diff")

    tables = {each["table"].removeprefix("public."): each for each in said["tables"]}
    changed = {
        name: {column for row in table["changed"] for column in row["columns"]} for name, table in tables.items()
    }
    left_out = {name: " ".join(table["columns_not_compared"]) for name, table in tables.items()}
    assert changed["staff"] == {"is_active"}, "M-2: renamed where it had to be turned round"
    assert "last_services (jsonb, text[])" in left_out["clients"], "M-13"
    assert "working_hours (jsonb, character varying(50))" in left_out["staff_schedules"], "M-14"
    assert "last_activity (timestamp with time zone" in left_out["dialog_contexts"], "M-15"
    assert changed["staff_schedules"] == {"date"}, "M-16"
    assert "company_id" in changed["dialog_contexts"], "M-18"
    assert tables["whatsapp_auth"]["extra"] == [["company_-7"]], "M-18: two forms of one id, two sets of credentials"
    assert {"loyalty_level", "branch_ids"} < changed["clients"], "M-20"
    assert changed["companies"] == {"ai_enabled", "timezone", "currency"}, "M-20: inverted and lost"
    assert changed["whatsapp_keys"] == {"value"}, "M-23"
    assert "favorite_staff_ids" in changed["clients"], "M-26"
    assert "visit_history" in changed["clients"], "W-R16: [] became {}"
    assert tables["clients"]["missing"] == [["5030"]], "the window between copy and cutover"
    assert tables["services"]["extra"] == [["307"]], "M-5: copied twice"


def test_verify_reports_the_sequences_that_stayed_behind(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """M-22: the next insert takes a number that is taken."""
    sides = ["--source", PAIR[0], "--target", PAIR[1]]

    code = run(["verify", *sides, "--check", "sequences", "--report", str(tmp_path), "--json"])

    said = json.loads(capsys.readouterr().out)
    behind = {finding["object"] for finding in said["findings"]}
    assert code == 1
    assert {f"public.{table}_id_seq" for table in ("companies", "clients", "services", "staff")} <= behind


# -- code --------------------------------------------------------------------------------------------------------------

Int4 = Annotated[int, Sql("integer")]


@dataclass(frozen=True)
class OldService:
    id: Int4
    active: bool | None


@dataclass(frozen=True)
class OldStaff:
    id: Int4
    fired: bool | None


@dataclass(frozen=True)
class OldBooking:
    yclients_id: Int4 | None
    client_id: Int4 | None
    id: str


@dataclass(frozen=True)
class OldCompany:
    id: Int4
    name: str | None
    yclients_company_id: Int4
    settings: Annotated[Any, Sql("jsonb")]


BELIEFS = {
    "M-1": (Table("public.services", OldService, primary_key=("id",)), ["services.active"]),
    "M-2": (Table("public.staff", OldStaff, primary_key=("id",)), ["staff.fired"]),
    "M-3": (Table("public.bookings", OldBooking, primary_key=("id",)), ["bookings.yclients_id"]),
    "M-4": (Table("public.bookings", OldBooking, primary_key=("id",)), ["bookings.client_id"]),
    "M-6": (
        Table("public.companies", OldCompany, primary_key=("id",)),
        ["companies.name", "companies.yclients_company_id", "companies.settings"],
    ),
}


@pytest.fixture(scope="module")
def cutover(server: EmbeddedServer) -> Iterator[Connection]:
    """Return a connection to the earlier target, which tests leave as it is."""
    server.drop_database("cutover")
    with connect(server.create_database("cutover")) as connection:
        connection.execute(Path(PAIR[1]).read_bytes())
        yield connection


@pytest.mark.parametrize("drift", BELIEFS)
def test_contract_reports_what_code_believed(cutover: Connection, drift: str) -> None:
    """Each was found one 42703 at a time."""
    table, columns = BELIEFS[drift]

    found = {each.object for each in check_contract(cutover, table) if each.kind == "column"}

    assert {f"public.{name}" for name in columns} <= found


def test_table_of_the_same_name_and_another_meaning_is_reported(empty: ConnInfo) -> None:
    """M-9: a cache of days under the name of a table of records."""
    with connect(empty) as connection:
        connection.execute(
            "create table appointments_cache (id serial primary key, company_id integer not null,"
            " cache_key text not null, appointments jsonb, expires_at timestamptz not null,"
            " unique (company_id, cache_key))"
        )
        found = {(str(each.kind), each.object) for each in check_contract(connection, Appointments.table)}

    assert {
        ("column", "public.appointments_cache.yclients_record_id"),
        ("conflict key", "public.appointments_cache"),
    } < found
    assert ("required", "public.appointments_cache.cache_key") in found
