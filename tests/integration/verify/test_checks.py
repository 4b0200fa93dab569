"""Every check finds what it is for, is never green where it could not look, and stops no other."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass, replace
from threading import Event
from types import ModuleType, SimpleNamespace

import psycopg
import pytest
from tests.integration.verify.conftest import SHOP

from trueup.db import snapshot
from trueup.parity.schema import PROFILES
from trueup.report.model import Finding, Section, Severity, Verdict
from trueup.settings import Relation, Service
from trueup.tables import UNSET, Begins, Table
from trueup.tables.markers import create_journal
from trueup.verify import CHECKS, verify
from trueup.verify import deadline as deadlines
from trueup.verify.check import Check
from trueup.verify.identity import identity_findings, read_facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    phone: str
    note: str | None = UNSET
    id: int = UNSET


CLIENTS = Table("public.clients", Client, primary_key=("id",), conflict_key=("phone",), marker=Begins("phone", "test "))
UNMARKED = Table("public.clients", Client, primary_key=("id",))
NO_ARBITER = Table("public.clients", Client, primary_key=("id",), conflict_key=("note",), marker=Begins("phone", "t "))


@dataclass(frozen=True)
class Sessions:
    status: str
    total_keys: int


@pytest.fixture
def module(monkeypatch):
    """A module of the project under test, as its configuration names it."""
    found = ModuleType("shop_project")
    found.CLIENTS, found.UNMARKED, found.NO_ARBITER = CLIENTS, UNMARKED, NO_ARBITER
    monkeypatch.setitem(sys.modules, "shop_project", found)
    return found


def said(report):
    return " | ".join(f"{one.object}: {one.message}" for one in report.findings)


def failure(report):
    """Return what a report says that is red."""
    assert report.verdict is Verdict.FAILED, said(report)
    return said(report)


def open_reason(report):
    """Return what a report says that is neither green nor red."""
    assert report.verdict is Verdict.INCONCLUSIVE, said(report)
    return said(report)


def test_two_equal_databases_pass_everything_that_has_something_to_look_at(shops):
    report = shops.verify()

    assert report.verdict is Verdict.PASSED, said(report)
    assert [section.check for section in report.sections] == [
        *("identity", "schema", "data", "sequences", "constraints", "distributions", "security"),
    ]
    assert all(any(section.compared.values()) for section in report.sections)
    assert "Contracts: not looked at, no table contract is declared in the configuration." in report.notes


@pytest.mark.parametrize("check", CHECKS[1:], ids=lambda check: check.name)
def test_check_that_somebody_named_is_not_green_where_it_has_nothing_to_look_at(shops, check):
    shops.damage("drop table visits, clients")

    assert open_reason(shops.verify(check.name, alone=True))


def test_empty_database_alone_is_not_green(shops):
    """A wrong name leads to one: it keeps every promise, for it has made none."""
    shops.damage("drop table visits, clients")

    assert "the target has no table, view or sequence" in open_reason(shops.verify(alone=True))


def test_target_alone_is_held_against_what_it_promises_itself(shops):
    shops.damage("delete from clients where false; alter sequence visits_id_seq restart with 3")

    report = shops.verify(alone=True)

    assert "public.visits_id_seq: behind its column in the target" in failure(report)
    assert [side.role for side in report.sides] == ["target"]
    assert "Structure: not looked at, no source is named." in report.notes


def test_one_failing_check_stops_no_other(shops):
    def explode(subject, announce):
        raise ZeroDivisionError("secret 4711")

    def refuse(subject, announce):
        subject.target.snapshot.rows("select 1 / 0")

    bad = [Check(name=name, title=name, look=look) for name, look in (("bad", explode), ("worse", refuse))]
    report = verify(shops.source, shops.target, checks=[*bad, CHECKS[3]])

    assert [section.verdict for section in report.sections] == [*[Verdict.INCONCLUSIVE] * 2, Verdict.PASSED]
    assert "ZeroDivisionError" in said(report)
    assert "SQLSTATE 22012" in said(report)
    assert "4711" not in said(report)


def test_check_beyond_its_deadline_is_cancelled_and_the_next_one_runs(shops):
    def sleep(subject, announce):
        subject.source.snapshot.rows("select pg_sleep(60)")

    slow = Check(name="slow", title="Slow", look=sleep, deadline_s=0.05)
    report = verify(shops.source, shops.target, checks=[slow, CHECKS[3]])

    assert "it did not end within 0.05 s" in said(report)
    assert [section.verdict for section in report.sections] == [Verdict.INCONCLUSIVE, Verdict.PASSED]
    assert report.sections[0].seconds < 10


def test_projects_own_check_that_never_ends_is_left_behind(shops, module):
    never = Event()
    module.wait = lambda db: never.wait()

    report = shops.verify("wait", checks={"wait": "shop_project:wait"}, deadline_s=0.05)

    never.set()
    assert "it did not end within 0.05 s" in open_reason(report)


# -- identity ----------------------------------------------------------------------------------------------------------


def test_other_time_zone_is_found(shops):
    name = shops.target.parameters["dbname"]
    shops.damage(f"alter database {name} set timezone = 'Asia/Tokyo'")

    assert "time zone UTC in the source, Asia/Tokyo in the target" in failure(shops.verify("identity"))


def test_collation_of_a_column_that_changed_under_its_indexes_is_found(shops):
    shops.damage("create collation odd (provider = builtin, locale = 'C.UTF-8', version = '0')")
    assert shops.verify("identity").verdict is Verdict.PASSED, "nothing has it"

    shops.damage("alter table clients add name text collate odd")

    assert "the target's collation public.odd was made with version 0, the server has 1" in failure(
        shops.verify("identity")
    )


def test_other_version_of_the_same_collation_is_a_remark(shops):
    with snapshot(shops.target) as held:
        source = replace(read_facts(held), collate="en_US.UTF-8", actual_collation_version="2.28")

    [found] = identity_findings(source, replace(source, actual_collation_version="2.36"))

    assert found.verdict is Verdict.PASSED
    assert "in version 2.28 in the source, 2.36 in the target" in found.message
    assert list(identity_findings(source, source)) == []
    assert list(identity_findings(source, replace(source, actual_collation_version=""))) == [], "nobody knows"


def test_identity_that_the_server_does_not_tell_is_open(shops, reader):
    target = reader("")
    shops.damage("revoke execute on function pg_control_system() from public")

    assert "does not say whose its database is" in open_reason(shops.verify("identity", target=target))


# -- drift -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def schema(tmp_path):
    folder = tmp_path / "schema"
    folder.mkdir()
    (folder / "20260101000000_shop.sql").write_text(
        "-- migrate:up\ncreate table clients (id int primary key);\n-- migrate:down\ndrop table clients;\n"
    )
    return folder


def test_database_that_is_not_what_the_project_declares_is_found(shops, schema):
    report = shops.verify("drift", schema=schema, alone=True)

    assert "public.visits: the table is in the target only" in failure(report)


def test_record_of_migrations_is_no_drift_and_is_counted(shops, schema):
    """The declared schema is built by migrations; the target was not, and on another day it is."""
    (schema / "20260101000000_shop.sql").write_text(f"-- migrate:up\n{SHOP}\n-- migrate:down\n")
    built = shops.verify("drift", schema=schema, alone=True)
    shops.damage("create table schema_migrations (version varchar(128) primary key)")
    migrated = shops.verify("drift", "schema", schema=schema)

    assert [each.verdict for each in (built, migrated)] == [Verdict.PASSED, Verdict.PASSED]
    assert "Left out in the target: table public.schema_migrations (history of migrations) (1)." in migrated.notes


def test_what_a_host_adds_is_no_drift_even_where_migrations_stand_in_for_it(shops, schema):
    stand_in = "create schema auth; create function auth.uid() returns uuid language sql as 'select null::uuid';"
    (schema / "20260101000000_shop.sql").write_text(f"-- migrate:up\n{stand_in}{SHOP}\n-- migrate:down\n")
    shops.damage("create schema auth; create table auth.users (id uuid)")

    hosted, plain = (shops.verify("drift", schema=schema, profile=each) for each in (PROFILES["supabase"], None))

    assert hosted.verdict is Verdict.PASSED, said(hosted)
    assert "auth.users: the table is in the target only" in failure(plain)


def test_drift_from_migrations_that_fail_is_open(shops, schema):
    (schema / "20260101000000_shop.sql").write_text("-- migrate:up\ncreate tabel x ();\n-- migrate:down\n")

    assert "20260101000000_shop.sql" in open_reason(shops.verify("drift", schema=schema, alone=True))


# -- contracts, residue, budget ----------------------------------------------------------------------------------------


def test_contract_that_does_not_hold_is_found(shops, module):
    shops.damage("alter table clients drop constraint clients_phone_key")

    found = shops.verify("contracts", contracts=("shop_project:CLIENTS",))

    assert "public.clients: the conflict key is not what the contract says" in failure(found)


def test_row_that_a_test_left_is_found(shops, module):
    with psycopg.connect(shops.target.reveal()) as connection:
        create_journal(connection)
    shops.damage("insert into clients (phone) values ('test 1'), ('testament')")

    found = failure(shops.verify("residue", contracts=("shop_project:CLIENTS",)))

    assert "public.clients: 1 marked as test data, 0 made by tests" in found


def test_residue_is_open_without_a_marker_and_without_permission(shops, module, reader):
    unmarked = shops.verify("residue", contracts=("shop_project:UNMARKED",))
    unseen = shops.verify("residue", contracts=("shop_project:CLIENTS",), target=reader(""))

    assert "no table contract has a marker" in open_reason(unmarked)
    assert "permission denied" in open_reason(unseen)


def test_services_that_need_more_connections_than_there_are_are_found(shops):
    services = (Service(name="api", connections=100, processes=10),)

    assert "may open 1000 connections" in failure(shops.verify("budget", services=services))


# -- constraints -------------------------------------------------------------------------------------------------------


def test_row_that_points_to_nothing_is_found_though_the_foreign_key_is_valid(shops):
    shops.damage("set session_replication_role = replica; delete from clients where id in (1, 2)")

    found = failure(shops.verify("constraints"))

    assert "public.visits.visits_client_id_fkey: 2 rows point to a row of public.clients that is not there" in found


def test_rows_that_block_a_key_of_the_source_are_found_in_a_target_without_it(shops):
    """M-5, M-10: a unique key that was lost, and the duplicates that came since."""
    shops.damage("alter table clients drop constraint clients_phone_key; update clients set phone = 'c1' where id = 2")
    shops.damage(
        "alter table visits drop constraint visits_client_id_fkey; update visits set client_id = 99 where id = 1"
    )

    found = failure(shops.verify("constraints"))

    assert "public.clients.clients_phone_key: 1 key stands in several rows of the target, as the source's" in found
    assert "public.visits.visits_client_id_fkey: 1 row points to a row of public.clients" in found


def test_duplicates_below_a_damaged_unique_index_are_found_by_reading_the_table(shops):
    shops.damage("drop index if exists x; alter table clients drop constraint clients_phone_key")
    shops.damage("update clients set phone = 'c1' where id = 2; create index clients_phone_key on clients (phone)")
    shops.damage("update pg_index set indisunique = true where indexrelid = 'clients_phone_key'::regclass")

    assert "1 key stands in several rows of the target" in failure(shops.verify("constraints", alone=True))


def test_constraint_that_nobody_validated_is_found(shops):
    shops.damage("alter table clients add constraint has_phone check (phone <> '') not valid")

    assert "public.clients.has_phone: the check constraint of the target" in failure(shops.verify("constraints"))


def test_constraints_of_tables_that_the_role_may_not_read_are_open(shops, reader):
    target = reader("grant select on visits to READER")

    assert "not readable in the target" in open_reason(shops.verify("constraints", target=target))


# -- distributions -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        ("update visits set done = not done", "public.visits.done: true in 10% of the source's"),
        ("update visits set client_id = null where id > 15", "public.visits.client_id: NULL in 0%"),
        ("update clients set note = ''", "public.clients.note: empty in 0%"),
        ("alter table visits drop constraint visits_client_id_fkey; update visits set client_id = 10000 + client_id",
         "public.visits.client_id: the values of both sides share no range"),
        ("update clients set note = 'same'", "public.clients.note: 30 different values in the source, 1 in the target"),
    ],
    ids=["M-2-inverted-flag", "lost-values", "emptied-text", "M-26-external-ids", "cut-text"],
)  # fmt: skip
def test_what_a_copy_did_to_every_row_is_found_without_a_value(shops, damage, found):
    shops.damage(damage)

    assert found in failure(shops.verify("distributions"))


def test_distributions_of_a_table_that_the_role_may_not_read_are_open(shops, reader):
    target = reader("grant select on visits to READER")

    assert "public.clients" in open_reason(shops.verify("distributions", target=target))


def test_distributions_of_equal_rows_need_no_second_scan(shops):
    data, spread = shops.verify("data", "distributions").sections

    assert (data.verdict, spread.verdict) == (Verdict.PASSED, Verdict.PASSED)
    assert spread.compared == {"columns, proved by their rows": 6}


# -- row security ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("type_", ["date", "timestamp", "timestamptz"])
def test_day_without_a_partition_is_found(shops, type_):
    shops.damage(
        f"create table calls (at {type_}) partition by range (at);"
        "create table calls_old partition of calls for values from ('2020-01-01') to ('2021-01-01')"
    )
    assert "public.calls: in the target no partition is for rows of today" in failure(shops.verify("storage"))

    shops.damage("create table calls_other partition of calls default")
    assert shops.verify("storage").verdict is Verdict.PASSED, "as long as nothing is in it"

    shops.damage("insert into calls values ('2024-02-29')")
    assert "they fall into the default one" in failure(shops.verify("storage"))

    shops.damage("create table calls_now partition of calls for values from ('2025-01-01') to (maxvalue)")
    assert shops.verify("storage").verdict is Verdict.PASSED


def test_tables_cut_by_something_else_than_time_have_no_day(shops):
    shops.damage(
        "create table calls (id int, at date) partition by range (id); create table a (b int) partition by list (b)"
    )

    [section] = shops.verify("storage").sections

    assert (section.verdict, section.compared) == (Verdict.PASSED, {"partitioned tables": 2})


def test_view_that_stores_old_rows_is_found(shops):
    shops.damage("create materialized view loyal as select client_id, count(*) from visits group by 1")
    assert shops.verify("storage").verdict is Verdict.PASSED

    shops.damage("update visits set client_id = 1 where client_id = 2")
    found = failure(shops.verify("storage"))
    assert "public.loyal: the materialized view of the target shows other rows than its query gives now" in found

    shops.damage("refresh materialized view loyal with no data")
    assert "public.loyal: the materialized view of the target was never filled" in failure(shops.verify("storage"))


def test_view_that_the_role_may_not_read_is_open(shops, reader):
    shops.damage("create materialized view loyal as select 1 as one")

    assert "public.loyal" in open_reason(shops.verify("storage", target=reader("")))


def test_unlogged_table_is_a_remark(shops):
    shops.damage("create unlogged table hits (n int)")

    report = shops.verify("storage")

    assert report.verdict is Verdict.PASSED
    assert "public.hits: the table of the target is unlogged" in said(report)


def test_large_objects_that_were_not_copied_are_found(shops):
    shops.damage("select lo_from_bytea(0, 'x'), lo_from_bytea(0, 'y')")

    assert "0 large objects in the source, 2 in the target" in failure(shops.verify("storage"))
    assert shops.verify("storage", alone=True).verdict is Verdict.PASSED


def relate(shops, **columns):
    relations = tuple(Relation(column=f"public.{column}", references=f"public.{to}") for column, to in columns.items())
    return replace(shops, settings=replace(shops.settings, relations=relations))


def test_external_id_where_an_internal_one_is_looked_up_is_found(shops):
    """M-26: favourites held the ids of another system, and no foreign key could say so of an array."""
    for damage in ("alter table clients add favourites bigint[]", "update clients set favourites = array[null, id, 1]"):
        shops.damage(damage)
    declared = {"clients.favourites": "visits.id"}
    assert relate(shops, **declared).verify("constraints").verdict is Verdict.PASSED

    shops.damage("update clients set favourites = array[id, id + 5000] where id <= 3")
    found = failure(relate(shops, **declared).verify("constraints"))

    assert "public.clients.favourites: 3 rows point to a row of public.visits that is not there in the target" in found


def test_relation_of_single_values_is_held_on_both_sides(shops):
    shops.damage("update visits set client_id = null where id = 1; delete from visits where id = 2")

    found = failure(relate(shops, **{"clients.id": "visits.client_id"}).verify("constraints"))

    assert "public.clients.id: 2 rows point to a row of public.visits that is not there in the target" in found
    assert "in the source" not in found


def test_relation_of_columns_that_nobody_has_is_open(shops):
    found = open_reason(relate(shops, **{"clients.favorites": "visits.id"}).verify("constraints"))

    assert "public.clients.favorites: is declared to point to public.visits.id, and no side has both columns" in found


def test_policy_of_a_table_without_row_security_is_found(shops):
    shops.damage("create policy own on clients using (phone = current_user)")

    assert "policies for it, and row security is off" in failure(shops.verify("security"))


def test_rows_hidden_from_the_role_leave_row_security_open(shops, reader):
    target = reader("grant select on clients to READER; alter table clients enable row level security")

    assert "row security hides rows of the target" in open_reason(shops.verify("security", target=target))


# -- the project's own -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("result", "verdict", "message"),
    [
        (SimpleNamespace(status="critical", message="9 keys have expired"), Verdict.FAILED, "9 keys have expired"),
        (SimpleNamespace(status="healthy"), Verdict.INCONCLUSIVE, ""),
        (SimpleNamespace(status="warn", message="no session"), Verdict.INCONCLUSIVE, "no session"),
        (Sessions(status="warn", total_keys=9), Verdict.FAILED, "the status is warn"),
        (Sessions(status="healthy", total_keys=9), Verdict.PASSED, ""),
        (Section(check="x", title="Own", compared={"rows": 1}), Verdict.PASSED, ""),
        (Section(check="x", title="Own", compared={"rows": 1}, findings=(
            Finding(check="x", verdict=Verdict.FAILED, severity=Severity.LOSSY, object="o", message="m"),)),
         Verdict.FAILED, "m"),
    ],
    ids=["critical", "nothing-looked-at", "warns-of-nothing", "warns", "well", "section", "section-with-a-finding"],
)  # fmt: skip
def test_projects_own_function_is_a_check(shops, module, result, verdict, message):
    module.own = lambda db: result

    report = shops.verify("own", checks={"own": "shop_project:own"})

    assert (report.verdict, [one.check for one in report.sections]) == (verdict, ["own"])
    assert message in said(report)


def test_projects_own_check_can_not_write(shops, module):
    def write(db):
        with db.transaction() as block:
            block.execute("delete from clients")

    module.write = write

    assert "read-only" in open_reason(shops.verify("write", checks={"write": "shop_project:write"}))


# -- backup ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def dump(shops, server18, tmp_path):
    def make(*options, name="shop.dump"):
        file = tmp_path / name
        command = [server18.installation.program("pg_dump"), *options, "-f", str(file), shops.target.reveal()]
        subprocess.run(command, check=True, capture_output=True)
        return file

    return make


@pytest.mark.parametrize("options", [("-Fp",), ("-Fc",)], ids=["plain", "custom"])
def test_backup_that_restores_to_the_same_rows_passes(shops, dump, options):
    report = shops.verify("backup", backup=dump(*options))

    assert report.verdict is Verdict.PASSED, said(report)
    assert report.sections[0].compared["rows of the backup"] == 60


def test_backup_that_lacks_rows_is_found(shops, dump):
    file = dump("-Fc")
    shops.damage("insert into visits (done) values (true); update clients set note = 'new' where id = 1")

    found = failure(shops.verify("backup", backup=file))

    assert "public.visits: 1 row in the target only" in found
    assert "public.clients: 1 row that differ" in found


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"--\n-- PostgreSQL dat", "20 bytes that can't be restored: it restores without an error, and no table"),
        (b"", "0 bytes that can't be restored"),
        (b"PGDMP" + b"\0" * 15, "20 bytes that can't be restored"),
        (b"create tabel shop ()", "20 bytes that can't be restored: shop.dump:1: syntax error"),
    ],
    ids=["cut", "empty", "cut-archive", "no-sql"],
)
def test_twenty_bytes_are_no_backup(shops, tmp_path, content, said):
    file = tmp_path / "shop.dump"
    file.write_bytes(content)

    assert said in failure(shops.verify("backup", backup=file)).replace(str(tmp_path) + "/", "")


def test_backup_that_is_not_there_is_open(shops, tmp_path):
    assert "can't be read" in open_reason(shops.verify("backup", backup=tmp_path / "none.dump"))


# -- write probe -------------------------------------------------------------------------------------------------------


def test_probe_writes_all_four_ways_and_leaves_nothing(shops, module):
    report = shops.verify("probe", contracts=("shop_project:CLIENTS",), may_probe=True)

    assert report.verdict is Verdict.PASSED, said(report)
    assert report.sections[0].compared == {"tables": 1, "statements": 4}
    with psycopg.connect(shops.target.reveal()) as connection:
        assert connection.execute("select count(*), max(id) from clients").fetchone() == (30, 30)


def test_probe_finds_what_keeps_programs_from_writing(shops, module):
    shops.damage("create function no() returns trigger language plpgsql as 'begin return null; end'")
    no_arbiter = shops.verify("probe", contracts=("shop_project:NO_ARBITER",), may_probe=True)
    shops.damage("create trigger no before delete on clients for each row execute function no()")
    swallowed = shops.verify("probe", contracts=("shop_project:CLIENTS",), may_probe=True)

    assert "SQLSTATE 42P10" in failure(no_arbiter)
    assert "delete did not do what it says" in failure(swallowed)


def test_probe_is_open_without_its_switch_without_permission_and_without_a_row(shops, module, reader):
    contracts = ("shop_project:CLIENTS",)
    unswitched = shops.verify("probe", contracts=contracts)
    forbidden = shops.verify(
        "probe", contracts=contracts, may_probe=True, target=reader("grant select on clients to READER")
    )
    shops.damage("truncate clients, visits")
    empty = shops.verify("probe", contracts=contracts, may_probe=True)

    assert "nothing is written without --probe" in open_reason(unswitched)
    assert "permission denied" in open_reason(forbidden)
    assert "no row that the probe could be like" in open_reason(empty)


# -- live databases are only read --------------------------------------------------------------------------------------

COUNTERS = "select xact_commit >= 0, tup_inserted, tup_updated, tup_deleted from pg_stat_database where datname = %s"


def test_whole_run_needs_select_alone_and_writes_nothing(shops, module, reader, server18):
    """Proved by a role that may only read, and by the server's own counters."""
    target = reader("grant select on clients, visits, clients_id_seq, visits_id_seq to READER")
    name = target.parameters["dbname"]

    def counted():
        with psycopg.connect(server18.conninfo().reveal()) as connection:
            connection.execute("select pg_stat_force_next_flush(), pg_stat_clear_snapshot()")
            return connection.execute(COUNTERS, [name]).fetchone()

    before = counted()
    report = shops.verify(target=target, contracts=("shop_project:CLIENTS",), services=(Service(name="api"),))

    assert report.verdict is Verdict.PASSED, said(report)
    assert {"identity", "data", "residue", "budget", "contracts"} <= {section.check for section in report.sections}
    assert counted() == before


def test_unreachable_target_is_one_inconclusive_section(shops):
    report = shops.verify(target=shops.target.with_parameters(dbname="nosuch"))

    assert "does not exist" in open_reason(report)
    assert [section.check for section in report.sections] == ["identity"]


def test_server_that_does_not_answer_is_cut_off_after_the_deadline(shops, monkeypatch):
    """The backend stands still: no cancellation reaches it, and the run ends all the same."""
    monkeypatch.setattr(deadlines, "PATIENCE_S", 0.05)
    stopped = []

    def hang(subject, announce):
        connection = subject.target.snapshot.connection
        stopped.append(connection.info.backend_pid)
        os.kill(stopped[0], signal.SIGSTOP)
        subject.target.snapshot.rows("select 1")

    try:
        report = verify(
            shops.source,
            shops.target,
            checks=[Check(name="hang", title="Hang", look=hang, deadline_s=0.05), CHECKS[3]],
        )
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)

    assert "it did not end within 0.05 s" in said(report)
    assert [section.verdict for section in report.sections] == [Verdict.INCONCLUSIVE] * 2
