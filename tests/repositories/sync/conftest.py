"""A salon at YClients, its sync, and what is stored of it."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.repositories.sync.salon_server import PARTNER, USER, SalonServer

from ai_admin.sync.api import YClients
from ai_admin.sync.pace import Limit, Pace
from ai_admin.sync.salon import SalonSync
from trueup.conninfo import Secret
from trueup.db import Connection, Database

FIXTURES = Path(__file__).parents[3] / "fixtures" / "payloads"
SALON = 4564


def fixture(name: str) -> Any:
    return json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))["data"]


@pytest.fixture
def salon() -> Iterator[SalonServer]:
    """Return a server that has the salon of the fixtures; only who is active has a schedule."""
    server = SalonServer()
    server.company = fixture("company") | {"id": SALON}
    server.lists = {
        f"company/{SALON}/service_categories": fixture("service_categories"),
        f"company/{SALON}/services": fixture("services"),
        f"company/{SALON}/staff": fixture("staff"),
        f"company/{SALON}/clients/search": fixture("clients"),
        f"records/{SALON}": fixture("records"),
    }
    yield server
    server.stop()


@pytest.fixture
def api(salon: SalonServer) -> Iterator[YClients]:
    api = YClients(salon.url, partner=Secret(PARTNER), user=Secret(USER), pace=Pace((Limit(1000, 1.0),)), timeout_s=1.0)
    yield api
    api.close()


@pytest.fixture
def sync(committing: Database, api: YClients) -> SalonSync:
    return SalonSync(committing, api, SALON)


@pytest.fixture
def read(observer: Connection) -> Callable[[str], list[tuple[Any, ...]]]:
    """Return what runs a query on what is committed."""
    return lambda query: observer.execute(query.encode()).fetchall()
