"""A salon at YClients, its sync, and what is stored of it."""

import datetime as dt
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.repositories.sync.salon_server import PARTNER, USER, SalonServer

from ai_admin.sync.api import YClients
from ai_admin.sync.pace import Limit, Pace
from ai_admin.sync.salon import SalonSync
from ai_admin.zones import day_of, zone_named
from trueup.conninfo import Secret
from trueup.db import Connection, Database

FIXTURES = Path(__file__).parents[3] / "fixtures" / "payloads"
SALON = 4564
SERVICES, STAFF = f"company/{SALON}/services", f"company/{SALON}/staff"
CLIENTS, RECORDS = f"company/{SALON}/clients/search", f"records/{SALON}"
MOSCOW = zone_named("Europe/Moscow")
TODAY = day_of(dt.datetime.now(dt.UTC), MOSCOW)


def fixture(name: str) -> Any:
    return json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))["data"]


def at(day: int, hour: int) -> str:
    """Return a moment some days from today, on the clock of the salon."""
    return dt.datetime.combine(TODAY + dt.timedelta(days=day), dt.time(hour), MOSCOW).isoformat()


def record(number: int, day: int, hour: int, **more: object) -> dict[str, object]:
    return {
        "id": number,
        "staff_id": 8886,
        "staff": {"id": 8886, "name": "[TEST] Анна"},
        "client": {"id": 66440316, "name": "[TEST] Анна", "phone": "+70001230022"},
        "services": [{"id": 79067, "title": "Стрижка", "cost": 1000, "amount": 1}],
        "datetime": at(day, hour),
        "seance_length": 3600,
        "attendance": 0,
        "deleted": False,
        **more,
    }


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
def schedule(salon: SalonServer) -> Callable[..., None]:
    """Return what gives somebody working days, some days from today."""

    def give(staff_id: int, *days: int, slots: Sequence[tuple[str, str]] = (("10:00", "12:00"),)) -> None:
        path = f"schedule/{SALON}/{staff_id}/{TODAY}/{TODAY + dt.timedelta(days=29)}"
        salon.lists[path] = [
            {
                "date": str(TODAY + dt.timedelta(days=day)),
                "is_working": 1,
                "slots": [{"from": begins, "to": ends} for begins, ends in slots],
            }
            for day in days
        ]

    give(8886, 0, 1, 2)
    give(8887, 1)
    return give


@pytest.fixture
def api(salon: SalonServer) -> Iterator[YClients]:
    api = YClients(
        salon.url,
        partner=Secret(PARTNER),
        user=Secret(USER),
        pace=Pace((Limit(1000, 1.0),)),
        timeout_s=1.0,
        backoff_s=0.01,
    )
    yield api
    api.close()


@pytest.fixture
def sync(committing: Database, api: YClients) -> SalonSync:
    return SalonSync(committing, api, SALON)


@pytest.fixture
def read(observer: Connection) -> Callable[[str], list[tuple[Any, ...]]]:
    """Return what runs a query on what is committed."""
    return lambda query: observer.execute(query.encode()).fetchall()
