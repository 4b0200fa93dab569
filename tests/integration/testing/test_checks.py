"""The built-in tests, on a sound project and on one that breaks each of them."""

import pytest

SOUND = {
    "001_clients.sql": """
        create table clients (id bigint primary key, phone text not null unique);
        -- migrate:down
        drop table clients;""",
    "002_bookings.sql": """
        create table bookings (id bigint primary key, client_id bigint not null references clients);
        create index on bookings (client_id);
        -- migrate:down
        drop table bookings;""",
}
CONTRACTS = """
from dataclasses import dataclass
from trueup.tables import Begins, Follows, Table

@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    id: int
    phone: str

@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    id: int
    client_id: int

TABLES = [
    Table("public.clients", Client, primary_key=("id",), marker=Begins("phone", "+7000")),
    Table("public.bookings", Booking, primary_key=("id",), marker=Follows("public.clients", {"client_id": "id"})),
]
"""
CONFIGURATION = """
[tool.trueup]
schema = "migrations"
contracts = ["contracts:TABLES"]

[tool.pytest.ini_options]
filterwarnings = ["error"]
pythonpath = ["."]
"""
CHECKS = [
    "migrations_can_be_undone_and_applied_again",
    "contracts_match_the_schema",
    "factories_make_valid_rows_of_every_table",
    "markers_cover_every_factory",
    "every_table_has_a_primary_key",
    "every_foreign_key_has_an_index",
]


def write(pytester: pytest.Pytester, migrations: dict[str, str], contracts: str = CONTRACTS) -> None:
    folder = pytester.mkdir("migrations")
    for name, text in migrations.items():
        (folder / name).write_text(f"-- migrate:up\n{text}".replace("        ", ""), encoding="utf-8")
    pytester.makepyfile(contracts=contracts)
    pytester.makepyprojecttoml(CONFIGURATION)


def run(pytester: pytest.Pytester, *options: str) -> pytest.RunResult:
    return pytester.runpytest_subprocess(
        "--trueup-checks", "-rA", "-p", "no:randomly", "-p", "no:faker", *options, timeout=100
    )


def outcomes(found: pytest.RunResult) -> dict[str, str]:
    lines = [line for line in found.outlines if "trueup::" in line]
    words = [line.split()[:2] for line in lines if line.split()[0] in {"PASSED", "FAILED", "ERROR"}]
    return {name.removeprefix("trueup::"): outcome for outcome, name in words}


def test_sound_project_passes_every_check(pytester: pytest.Pytester) -> None:
    write(pytester, SOUND)

    found = run(pytester)

    assert outcomes(found) == dict.fromkeys(CHECKS, "PASSED"), found.stdout.str()


BROKEN = {
    "003_name.sql": "alter table clients add name text;\n-- migrate:down\nselect;",
    "004_check.sql": "alter table clients add constraint c check (length(phone) > 99);\n-- migrate:down\n"
    "alter table clients drop constraint c;",
    "005_notes.sql": "create table notes (id int primary key);\n-- migrate:down\ndrop table notes;",
    "006_more.sql": "create table more (id int);\n-- migrate:down\ndrop table more;",
    "007_index.sql": "drop index bookings_client_id_idx;\n-- migrate:down\n"
    "create index bookings_client_id_idx on bookings (client_id);",
}
TOLD = (
    ["003_name.sql: when it is undone*", "*+    name text*", "*To do: let*migrate:down*"],
    ["public.bookings.client_id: the type is not*", "*contract: boolean*", "*schema:   bigint*"],
    ["public.clients: the factory client can't make 2 rows*", "*To do: give make.client*"],
    ["public.notes: no factory makes rows of it*", "*To do: declare a contract*"],
    ["public.bookings: rows of the factory booking carry no marker*", "*To do: declare marker=*"],
    ["public.more: the table has no primary key*", "*To do: alter table public.more*"],
    ["public.bookings (client_id): no index*", "*To do: create index on public.bookings (client_id)*"],
)


def test_each_check_fails_with_the_object_and_the_remedy(pytester: pytest.Pytester) -> None:
    contracts = CONTRACTS
    for sound, broken in [
        ("    client_id: int", "    client_id: bool"),
        (', marker=Follows("public.clients", {"client_id": "id"})', ""),
    ]:
        assert sound in contracts
        contracts = contracts.replace(sound, broken)
    write(pytester, SOUND | BROKEN, contracts)

    found = run(pytester)

    assert outcomes(found) == dict.fromkeys(CHECKS, "FAILED"), found.stdout.str()
    for lines in TOLD:
        found.stdout.fnmatch_lines(lines)


def test_check_without_anything_to_look_at_is_skipped_with_the_reason(pytester: pytest.Pytester) -> None:
    """Nothing compared is not equal."""
    write(pytester, {"001_clients.sql": SOUND["001_clients.sql"]})
    pytester.makepyprojecttoml("[tool.trueup]\n")

    found = run(pytester)

    found.stdout.fnmatch_lines(["SKIPPED*no contract is declared*"])
    found.stdout.fnmatch_lines(["SKIPPED*no folder of migrations is named*"])
    found.stdout.fnmatch_lines(["SKIPPED*the database of the tests has no table*"])
    assert found.parseoutcomes() == {"skipped": 6}


def test_project_without_markers_has_none_to_miss(pytester: pytest.Pytester) -> None:
    contracts = CONTRACTS.replace(', marker=Follows("public.clients", {"client_id": "id"})', "")
    write(pytester, SOUND, contracts.replace(', marker=Begins("phone", "+7000")', ""))

    found = run(pytester, "-k", "markers")

    found.stdout.fnmatch_lines(["SKIPPED*no contract declares a marker*"])


def test_contracts_that_can_not_be_imported_fail(pytester: pytest.Pytester) -> None:
    write(pytester, SOUND, "TABLES = 7")

    found = run(pytester, "-k", "contracts_match")

    assert outcomes(found) == {"contracts_match_the_schema": "FAILED"}
    found.stdout.fnmatch_lines(["*contracts:TABLES is not a Table*"])


def test_nothing_is_added_without_the_option(pytester: pytest.Pytester) -> None:
    write(pytester, SOUND)
    pytester.makepyfile("def test_one(): pass")

    assert pytester.runpytest_subprocess().parseoutcomes() == {"passed": 1}


@pytest.mark.long
def test_checks_follow_the_tests_over_several_workers_and_the_last_failed(pytester: pytest.Pytester) -> None:
    write(pytester, SOUND | {"003_more.sql": "create table notes (id int);\n-- migrate:down\ndrop table notes;"})
    pytester.makepyfile("def test_one(db): pass")

    first = run(pytester, "-n", "2")
    again = run(pytester, "--lf")

    assert first.parseoutcomes() == {"passed": 5, "failed": 2}, first.stdout.str()
    assert set(outcomes(again)) == {
        "factories_make_valid_rows_of_every_table",
        "every_table_has_a_primary_key",
    }
