"""What trueup does, on whatever server the run was given: `--trueup-server=postgresql://…` tries another version."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ai_admin.clients import Client, Clients
from trueup.cli.main import run
from trueup.db import Connection, Database
from trueup.db.block import Block
from trueup.errors import DatabaseError

Make = Any
ROOT = Path(__file__).parents[2]
CLOSED_SINCE = 150000
"""The first version in which not everybody may create tables in the schema public."""


@pytest.fixture
def trueup(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str]]:
    """Return what runs a command in the project's folder, and gives its exit code and what it prints."""
    monkeypatch.chdir(ROOT)

    def call(*words: str) -> tuple[int, str]:
        return run(list(words)), capsys.readouterr().out

    return call


def close_public(database: Database) -> None:
    """Leave the schema public to the owner of the database, as all versions but 14 do by themselves."""
    with database.connection() as connection:
        connection.execute("revoke create on schema public from public")
        connection.execute("alter schema public owner to pg_database_owner")


def test_work_of_a_transaction_is_stored_whole_or_not_at_all(db: Database, observer: Connection, make: Make) -> None:
    client = make.client()

    def work(block: Block) -> None:
        block.execute("update clients set name = 'changed'")
        block.execute("select 1 / 0")

    with pytest.raises(DatabaseError):
        db.run(work)

    stored = observer.execute("select name from clients where id = %s", [client.id]).fetchone()
    assert stored == (client.name,)


def test_rows_are_upserted_found_and_deleted(db: Database, make: Make) -> None:
    first = make.client()
    clients = Clients(db)

    result = clients.bulk_upsert([first], partial=True)

    assert result.unchanged == 1
    found = clients.find_one(company_id=first.company_id, id=first.id)
    assert isinstance(found, Client)
    assert found.phone == first.phone


def test_structure_of_the_template_is_the_declared_one(
    fresh_db: Database, trueup: Callable[..., tuple[int, str]]
) -> None:
    """Across versions: the declared schema is built on the newest embedded server."""
    close_public(fresh_db)

    code, printed = trueup("schema", "diff", "embedded", fresh_db.settings.conninfo.reveal())

    assert code == 0, printed


def test_that_everybody_may_create_tables_is_told_on_14(
    fresh_db: Database, trueup: Callable[..., tuple[int, str]]
) -> None:
    with fresh_db.connection() as connection:
        if connection.info.server_version >= CLOSED_SINCE:
            pytest.skip("the schema public is closed from the start")

    code, printed = trueup("schema", "diff", "embedded", fresh_db.settings.conninfo.reveal())

    assert code == 1
    assert "the schema's grants to public differs" in printed
    assert "2 differences found" in printed  # That, and whose the schema is.


def test_tables_are_what_the_contracts_say(dsn: str, trueup: Callable[..., tuple[int, str]]) -> None:
    code, printed = trueup("contracts", dsn)

    assert code == 0, printed


def test_rows_are_compared_across_versions(dsn: str, make: Make, trueup: Callable[..., tuple[int, str]]) -> None:
    make.client()

    code, printed = trueup("data", "diff", "embedded", dsn)

    assert code == 1
    assert "public.clients" in printed


def test_connections_are_added_up(dsn: str, trueup: Callable[..., tuple[int, str]]) -> None:
    assert trueup("budget", dsn)[0] == 0


def test_migrations_go_down_and_up_again(fresh_db: Database, trueup: Callable[..., tuple[int, str]]) -> None:
    close_public(fresh_db)
    named = fresh_db.settings.conninfo.reveal()

    assert trueup("migrate", "down", named)[0] == 0
    assert trueup("migrate", "up", named)[0] == 0
    assert trueup("schema", "diff", "embedded", named)[0] == 0
