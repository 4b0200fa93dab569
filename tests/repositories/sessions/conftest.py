"""A real session as Baileys keeps it, its store, and what tells what is committed."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ai_admin.sessions.store import SessionStore
from trueup.conninfo import ConnInfo
from trueup.db import Connection, Database
from trueup.settings import DatabaseSettings

SAMPLE = Path(__file__).parents[3] / "fixtures" / "baileys" / "sample.jsonl"
COMPANY = 962302

Stored = Callable[[str], list[tuple[Any, ...]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    creds: dict[str, Any]
    keys: dict[str, dict[str, Any]]
    """By type and id."""


@pytest.fixture(scope="session")
def sample() -> Session:
    """Return a session with every type of key; tests leave it as it is."""
    rows = [json.loads(line) for line in SAMPLE.read_text(encoding="utf-8").splitlines()]
    keys: dict[str, dict[str, Any]] = {}
    for row in rows[1:]:
        keys.setdefault(row["key_type"], {})[row["key_id"]] = row["value"]
    return Session(creds=rows[0]["value"], keys=keys)


@pytest.fixture
def db(database: ConnInfo) -> Iterator[Database]:
    with Database(DatabaseSettings(conninfo=database, lock_timeout_s=5)) as db:
        yield db


@pytest.fixture
def store(db: Database) -> SessionStore:
    return SessionStore(db, COMPANY)


@pytest.fixture
def other(db: Database) -> SessionStore:
    """Return the store of another program that runs the same session, as none should."""
    return SessionStore(db, COMPANY)


@pytest.fixture
def stored(observer: Connection) -> Stored:
    """Return what reads columns of whatsapp_keys as they are committed, in the order of their keys."""

    def read(columns: str) -> list[tuple[Any, ...]]:
        return observer.execute(f"select {columns} from whatsapp_keys order by key_type, key_id".encode()).fetchall()

    return read


@pytest.fixture
def expire(observer: Connection) -> Callable[..., int]:
    """Return what lets the time of keys run out, of all types or of some, and counts them."""

    def run(*types: str, ago: str = "1 minute") -> int:
        return observer.execute(
            "update whatsapp_keys set expires_at = now() - %s::interval where %s::text[] is null or key_type = any(%s)",
            [ago, list(types) or None, list(types) or None],
        ).rowcount

    return run
