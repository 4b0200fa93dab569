"""What `trueup contracts` says of the schema, and of the one that the team was told was ready."""

import importlib
import json
import pkgutil
from pathlib import Path

import pytest

import ai_admin
from ai_admin.contracts import CONTRACTS
from trueup.cli.main import run
from trueup.conninfo import ConnInfo
from trueup.db import connect
from trueup.servers import EmbeddedServer
from trueup.tables import Table, check_contract

ROOT = Path(__file__).parents[2]
CUTOVER = ROOT / "fixtures/databases/cutover"


def test_every_table_contract_is_declared() -> None:
    """I-c: nothing held the code against the catalog."""
    found: set[Table[object]] = set()
    for module in pkgutil.walk_packages(ai_admin.__path__, "ai_admin."):
        for each in vars(importlib.import_module(module.name)).values():
            table = getattr(each, "table", None) if isinstance(each, type) else each
            if isinstance(table, Table):
                found.add(table)

    assert {table.name for table in found} == {table.name for table in CONTRACTS}


def test_contracts_hold_for_the_schema(database: ConnInfo) -> None:
    with connect(database) as connection:
        assert [each for table in CONTRACTS for each in check_contract(connection, table)] == []


def test_command_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)

    code = run(["contracts", "embedded", "--json"])

    said = json.loads(capsys.readouterr().out)
    assert (code, said["verdict"], said["findings"]) == (0, "passed", [])
    assert said["compared"]["tables"] == len(CONTRACTS)


LACKS = {
    "M-5": {
        ("conflict key", "public.clients"),
        ("conflict key", "public.services"),
        ("conflict key", "public.staff"),
        ("conflict key", "public.bookings"),
    },
    "M-7": {
        ("column", "public.staff_schedules.yclients_staff_id"),
        ("column", "public.staff_schedules.company_id"),
        ("conflict key", "public.staff_schedules"),
        ("required", "public.staff_schedules.staff_id"),
    },
    "M-8": {
        ("table", "public.webhook_events"),
        ("table", "public.marketplace_events"),
        ("table", "public.appointments_cache"),
    },
    "M-10": {("conflict key", "public.companies")},
    "M-11": {("conflict key", "public.dialog_contexts"), ("column", "public.dialog_contexts.last_command")},
    "M-12": {("column", "public.messages.phone")},
    "M-14": {("type", "public.companies.working_hours"), ("type", "public.companies.title")},
    "M-15": {("type", "public.dialog_contexts.last_activity"), ("type", "public.bookings.datetime")},
    "M-17": {("type", "public.clients.yclients_id"), ("type", "public.bookings.yclients_record_id")},
    "M-19": {("nullability", "public.clients.company_id"), ("nullability", "public.companies.title")},
    "M-24": {("column", "public.staff.avatar_url")},
}


@pytest.fixture(scope="module")
def lacks(server: EmbeddedServer) -> set[tuple[str, str]]:
    """Return what the earlier target lacks, each with its kind."""
    server.drop_database("cutover")
    with connect(server.create_database("cutover")) as connection:
        connection.execute((CUTOVER / "target.sql").read_bytes())
        return {(str(each.kind), each.object) for table in CONTRACTS for each in check_contract(connection, table)}


@pytest.mark.parametrize("drift", LACKS)
def test_contracts_report_what_the_earlier_target_lacks(lacks: set[tuple[str, str]], drift: str) -> None:
    assert LACKS[drift] <= lacks


def test_nothing_else_that_breaks_a_statement_is_reported(lacks: set[tuple[str, str]]) -> None:
    """Beyond them: what was added since, and the key of partitions."""
    breaking = {each for each in lacks if each[0] not in {"type", "nullability", "tenant"}}
    added = {("primary key", "public.messages"), ("conflict key", "public.messages")}
    added.add(("table", "public.sync_runs"))
    added |= {("column", f"public.whatsapp_{name}.version") for name in ("auth", "keys")}

    assert breaking - set().union(*LACKS.values()) - added == set()


def test_command_fails_on_the_earlier_target(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)

    code = run(["contracts", str(CUTOVER / "target.sql"), "--json"])

    assert (code, json.loads(capsys.readouterr().out)["verdict"]) == (1, "failed")
