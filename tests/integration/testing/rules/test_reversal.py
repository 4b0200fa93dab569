"""The rule that migrations can be undone and done again, on folders that break it at each step."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from trueup.conninfo import ConnInfo, Secret
from trueup.db import Connection, connect
from trueup.errors import MigrationFailed, Unverifiable
from trueup.migrations import read_migrations
from trueup.report.model import Finding
from trueup.testing.rules import dump
from trueup.testing.rules.dump import dump_program, dump_structure
from trueup.testing.rules.reversal import find_irreversible_migrations

GOOD = {"001_a": ("create table a (id int primary key)", "drop table a")}


@pytest.fixture
def connection(database: ConnInfo) -> Iterator[Connection]:
    connection = connect(database)
    yield connection
    connection.close()


def findings(
    connection: Connection, database: ConnInfo, folder: Path, files: dict[str, tuple[str, str]]
) -> tuple[Finding, ...]:
    for name, (up, down) in files.items():
        declared = "-- trueup:irreversible it is so\n" if "one_way" in name else ""
        text = f"{declared}-- migrate:up\n{up};\n-- migrate:down\n{down + ';' if down else ''}\n"
        (folder / f"{name}.sql").write_text(text, encoding="utf-8")
    program = dump_program(connection.info.server_version // 10_000)
    return find_irreversible_migrations(connection, read_migrations(folder), partial(dump_structure, database, program))


@pytest.mark.parametrize(
    ("file", "up", "down", "message", "line"),
    [
        ("002_b", "create table b (id int)", "select", "when it is undone", "+CREATE TABLE public.b ("),
        ("002_b", "alter table a add n int", "alter table a drop id", "when it is undone", "+    n integer"),
        ("002_b", "create index i on a (id)", "drop index wrong", "it can't be undone", 'index "wrong" does not exist'),
        (
            "002_b",
            "create table if not exists b (id int); comment on table b is 'x'",
            "comment on table b is null; drop table b; create table b (n int); comment on table b is 'left'",
            "when it is undone",
            "+CREATE TABLE public.b (",
        ),
    ],
)
def test_migration_that_does_not_lead_back_is_named(
    connection: Connection,
    database: ConnInfo,
    tmp_path: Path,
    file: str,
    up: str,
    down: str,
    message: str,
    line: str,
) -> None:
    files = {**GOOD, file: (up, down), "003_c": ("create table c ()", "drop table c")}

    [finding] = findings(connection, database, tmp_path, files)

    assert finding.object == f"{file}.sql"
    assert message in finding.message
    assert line in "\n".join(finding.details)


def test_good_migrations_lead_back(connection: Connection, database: ConnInfo, tmp_path: Path) -> None:
    files = {
        **GOOD,
        "002_b": ("create table b (a_id int references a); create index on b (a_id)", "drop table b"),
        "003_c": ("alter table b add n int", "alter table b drop n"),
    }

    assert findings(connection, database, tmp_path, files) == ()


def test_migration_that_leaves_what_its_second_time_stumbles_on_is_named(
    connection: Connection, database: ConnInfo, tmp_path: Path
) -> None:
    """What is left need not be in the structure."""
    role = f"left_{database.parameters['dbname']}"
    try:
        [finding] = findings(connection, database, tmp_path, {**GOOD, "002_role": (f"create role {role}", "select")})
    finally:
        connection.execute(f"drop role {role}".encode())

    assert (finding.object, finding.message) == ("002_role.sql", "it can't be applied again")


def test_migration_whose_second_time_differs_is_named(
    connection: Connection, database: ConnInfo, tmp_path: Path
) -> None:
    role = f"left_{database.parameters['dbname']}"
    up = (
        f"do $$ begin if to_regrole('{role}') is null then create role {role}; create table b ();"
        " else create table b (n int); end if; end $$"
    )
    try:
        [finding] = findings(connection, database, tmp_path, {"001_b": (up, "drop table b")})
    finally:
        connection.execute(f"drop role {role}".encode())

    assert (finding.object, finding.message) == (
        "001_b.sql",
        "when it is applied again, the structure is not as it was",
    )
    assert "+    n integer" in finding.details


def test_migrations_without_a_way_back_are_all_named(
    connection: Connection, database: ConnInfo, tmp_path: Path
) -> None:
    found = findings(connection, database, tmp_path, {**GOOD, "002_b": ("select 1", ""), "003_c": ("select 1", "")})

    assert [(finding.object, finding.message) for finding in found] == [
        ("002_b.sql", "nothing undoes it"),
        ("003_c.sql", "nothing undoes it"),
    ]
    assert "`select;`" in found[0].remedy


def test_nothing_below_a_migration_that_is_declared_irreversible_is_undone(
    connection: Connection, database: ConnInfo, tmp_path: Path
) -> None:
    below = {"001_a": ("create table a (id int)", "drop table wrong"), "002_one_way": ("create table b ()", "")}

    sound = findings(connection, database, tmp_path, {**below, "003_c": ("create table c ()", "drop table c")})
    connection.execute("drop table a, b, c, schema_migrations")
    [broken] = findings(connection, database, tmp_path, {**below, "003_c": ("create table c ()", "select")})

    assert sound == ()
    assert (broken.object, broken.message) == ("003_c.sql", "when it is undone, the structure is not as it was")


def test_migration_that_fails_at_once_is_an_error_of_its_own(
    connection: Connection, database: ConnInfo, tmp_path: Path
) -> None:
    with pytest.raises(MigrationFailed, match="001_bad"):
        findings(connection, database, tmp_path, {"001_bad": ("selec", "select")})


def test_dump_is_the_same_each_time_and_tells_every_change(connection: Connection, database: ConnInfo) -> None:
    program = dump_program(connection.info.server_version // 10_000)
    before = dump_structure(database, program)

    connection.execute("create table schema_migrations (version text)")
    assert dump_structure(database, program) == before
    connection.execute("create function f() returns int language sql as 'select 1'")
    assert dump_structure(database, program) != before


def test_dump_that_fails_says_why_without_the_password(database: ConnInfo) -> None:
    wrong = ConnInfo(database.with_parameters(dbname="s3cret").parameters, secrets={"password": Secret("s3cret")})

    with pytest.raises(Unverifiable, match="does not exist") as caught:
        dump_structure(wrong, dump_program(18))

    assert "s3cret" not in str(caught.value).partition("failed")[2]


def test_missing_program_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dump, "installations", tuple)

    with pytest.raises(Unverifiable, match="pip install"):
        dump_program(18)
