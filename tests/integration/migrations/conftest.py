"""A connection, a folder of migrations, and what an independent observer sees."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from trueup.conninfo import ConnInfo
from trueup.db import connect
from trueup.db.connection import Connection
from trueup.migrations import Migrations, read_migrations


@pytest.fixture
def connection(database: ConnInfo) -> Iterator[Connection]:
    with connect(database) as opened:
        yield opened


@pytest.fixture
def observer(database: ConnInfo) -> Iterator[Connection]:
    with connect(database, application_name="observer") as opened:
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "migrations"
    made.mkdir()
    return made


@pytest.fixture
def written(folder: Path) -> Callable[..., Migrations]:
    """Return what writes files numbered from 001 into the folder and reads them."""

    def write(*texts: str) -> Migrations:
        for number, text in enumerate(texts, start=1):
            (folder / f"{number:03}_file.sql").write_text(text, encoding="utf-8", newline="")
        return read_migrations(folder)

    return write


@pytest.fixture
def tables(observer: Connection) -> Callable[[], set[str]]:
    """Return what lists the tables that others have committed."""

    def read() -> set[str]:
        rows = observer.execute(
            "select relname from pg_class where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace"
        )
        return {name for (name,) in rows} - {"schema_migrations"}

    return read


@pytest.fixture
def applied(observer: Connection) -> Callable[[], list[str]]:
    """Return what lists the recorded versions."""

    def read() -> list[str]:
        rows = observer.execute("select version from schema_migrations order by version")
        return [version for (version,) in rows]

    return read
