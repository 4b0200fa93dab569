"""Migrations are applied, undone and applied again while tables hold rows: what doesn't lead back is found."""
# ruff: noqa: ISC004 - tables of statements

from pathlib import Path

import pytest

from trueup.migrations import read_migrations
from trueup.report.model import Section, Verdict
from trueup.verify.rehearsal import rehearse

CLIENTS = (
    "create table clients (id int generated always as identity primary key, phone text not null unique, note text,"
    " age int check (age between 18 and 99))",
    "drop table clients",
)
GOOD = {
    "001_clients": CLIENTS,
    "002_visits": (
        "create table visits (client int not null references clients, day date, primary key (client, day))"
        " partition by range (day); create table visits_rest partition of visits default",
        "drop table visits",
    ),
    "003_state": (
        "create type state as enum ('new', 'done'); alter table visits add state state not null default 'new'",
        "alter table visits drop state; drop type state",
    ),
}


@pytest.fixture
def rehearsed(tmp_path: Path, cache_folder: Path):
    """Return what comes of files: each its SQL up and down, and what it declares."""

    def write(files: dict[str, tuple[str, ...]]) -> Section:
        for name, (up, down, *declared) in files.items():
            text = "".join(f"-- trueup:{line}\n" for line in declared)
            (tmp_path / f"{name}.sql").write_text(f"{text}-- migrate:up\n{up};\n-- migrate:down\n{down}\n")
        said: list[str] = []
        section = rehearse(read_migrations(tmp_path), version=18, cache_folder=cache_folder, announce=said.append)
        assert len(said) <= len(files)
        return section

    return write


def found(section: Section) -> list[tuple[str, str]]:
    return [(each.object.removesuffix(".sql"), each.message) for each in section.findings]


def test_sound_migrations_pass_and_say_what_was_tried(rehearsed):
    section = rehearsed(GOOD)

    assert found(section) == []
    assert section.verdict is Verdict.PASSED
    assert section.compared["migrations"] == section.compared["undone and applied again"] == 3
    assert section.compared["tables"] == 3
    assert section.compared["made-up rows"] >= 4
    assert section.notes == ("Migrations: tried on PostgreSQL 18.",)


def test_each_defect_is_found_and_the_files_behind_it_are_tried(rehearsed):
    """A column that is dropped and made again is empty; a NOT NULL that empty tables take stops a full one."""
    section = rehearsed(
        {
            "001_clients": CLIENTS,
            "002_leftover": ("create table drafts (id int); create index i on clients (note)", "drop table drafts;"),
            "003_one_way": ("select 1", ""),
            "004_loses": ("alter table drafts drop id", "alter table drafts add id int;"),
            "005_empties": ("delete from clients", "select;"),
            "006_required": ("alter table clients add email text not null", "alter table clients drop email;"),
            "007_stuck": ("alter table clients drop phone", "alter table clients add phone text not null unique;"),
            "008_good": ("create table last (id int)", "drop table last;"),
            "009_half": (
                "do $$ begin if to_regrole('half') is null then create role half; create table h ();"
                " else create table h (n int); end if; end $$",
                "drop table h;",
            ),
        }
    )

    changed, lost = "the structure is not as it was", "tables don't hold what they held"
    assert found(section) == [
        ("002_leftover", f"when it is undone, {changed}"),
        ("003_one_way", "nothing undoes it"),
        ("004_loses", f"when it is undone, {lost}"),
        ("005_empties", f"when it is undone, {lost}"),
        ("006_required", "it can't be applied to a table that holds rows"),
        ("007_stuck", "it can't be undone"),
        ("009_half", f"when it is applied again, {changed}"),
    ]
    details = {each.object[:3]: each.details for each in section.findings}
    assert details["002"] == ("index public.i is left over",)
    assert details["004"] == ("values of public.drafts.id",)
    assert details["005"] == ("rows of public.clients",)
    assert "contains null values (SQLSTATE 23502)" in details["006"][0]
    assert all(each.verdict is Verdict.FAILED and each.meaning and each.remedy for each in section.findings)
    assert section.compared["undone and applied again"] == 3


def test_file_is_held_to_what_it_declares_and_to_no_more(rehearsed):
    section = rehearsed(
        {
            "001_clients": CLIENTS,
            "002_loses": (
                "alter table clients drop note, drop age",
                "alter table clients add note text, add age int check (age between 18 and 99)",
                "loses public.clients.note nobody reads it",
            ),
            "003_one_way": ("update clients set phone = lower(phone)", "", "irreversible the letters are gone"),
        }
    )

    assert [each.details for each in section.findings] == [("values of public.clients.age",)]
    assert "003_one_way.sql: not undone, the letters are gone." in section.notes


def test_rule_that_made_up_rows_break_is_tried_without_them(rehearsed):
    section = rehearsed(
        {
            "001_clients": CLIENTS,
            "002_visits": GOOD["002_visits"],
            "003_raises": ("do $$ begin if exists (select from clients) then raise 'no'; end if; end $$", "select"),
            "004_part": (
                "alter table visits_rest add constraint k check (client > 1000000)",
                "alter table visits_rest drop constraint k",
            ),
            "005_check": (
                "alter table clients add constraint k check (phone ~ '^[[:alpha:]]{9}$')",
                "alter table clients drop constraint k",
            ),
        }
    )

    assert found(section) == []
    every = "public.clients, public.visits, public.visits_rest"
    assert [note for note in section.notes if "tried without" in note] == [
        f"003_raises.sql: tried without rows in {every}; it refuses made-up ones (P0001).",
        f"004_part.sql: tried without rows in {every}; it refuses made-up ones (23514).",
        "005_check.sql: tried without rows in public.clients; it refuses made-up ones (23514).",
    ]


@pytest.mark.parametrize("up", ["insert into clients (phone) values (null)", "insert into clients (phone) values ('')"])
def test_file_that_its_own_rows_stop_can_not_be_applied(rehearsed, up):
    """Empty tables don't help it, so that they are not what is said."""
    broken = f"alter table clients add check (phone <> ''); {up}"

    section = rehearsed({"001_clients": CLIENTS, "002_broken": (broken, "select")})

    assert found(section) == [("002_broken", "it can't be applied")]


def test_file_that_can_not_be_applied_leaves_those_behind_it_open(rehearsed):
    section = rehearsed({"001_bad": ("create tabel x ()", "select"), "002_b": ("select 1", "select")})

    assert found(section) == [("001_bad", "it can't be applied"), ("001_bad", "the file behind it could not be tried")]
    assert "001_bad.sql:2" in section.findings[0].details[0]
    assert [each.verdict for each in section.findings] == [Verdict.FAILED, Verdict.INCONCLUSIVE]


def test_extension_that_no_scratch_server_has_is_no_failure_of_the_file(rehearsed):
    section = rehearsed({"001_x": ("create extension nosuch", "drop extension nosuch")})

    assert found(section) == [("001_x", "scratch servers have no extensions")]
    assert section.verdict is Verdict.INCONCLUSIVE
