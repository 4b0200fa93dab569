"""Who holds connections: what each service may open, what it has open, and whether its failures are reported."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

import msgspec
import urllib3

from trueup.db import Connection
from trueup.db.budgets import Room, measure, service_of
from trueup.settings import Service

ANSWER_WITHIN_S = 1.0
MOST_BYTES = 65_536
MEANINGS: Mapping[str, str] = MappingProxyType({"ok": "live", "warn": "off"})
LAST_SEEN = """
select application_name, max(greatest(backend_start, state_change))
from pg_stat_activity
where datid is not null and pid <> pg_backend_pid() and backend_start is not null
group by application_name
"""


class Page(msgspec.Struct):
    """Is what `/health/tracking` says to everybody."""

    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceState:
    """Is one service as it stands."""

    name: str
    connections: int
    """Open now."""
    most: int
    """That it may open."""
    last_seen: datetime | None
    """When one of its open connections began or ended a statement, by the server's clock; None: it has none, or the
    role may not see it."""
    tracking: str
    """`live`, `off`, or why that isn't known."""


def service_states(connection: Connection, services: Iterable[Service]) -> tuple[ServiceState, ...]:
    """Return each declared service as it stands, in the order of the configuration."""
    room, seen = measure(connection), last_seen(connection)
    return tuple(state_of(service, room, seen) for service in services)


def state_of(service: Service, room: Room, seen: Mapping[str, datetime]) -> ServiceState:
    """Return one service as it stands."""
    return ServiceState(
        name=service.name,
        connections=room.in_use.get(service.name, 0),
        most=service.most,
        last_seen=seen.get(service.name),
        tracking=ask_tracking(service.health),
    )


def last_seen(connection: Connection) -> dict[str, datetime]:
    """Return when each service was last seen at work."""
    found: dict[str, datetime] = {}
    for name, at in connection.execute(LAST_SEEN):
        service = service_of(name)
        found[service] = max(at, found.get(service, at))
    return found


def ask_tracking(health: str | None) -> str:
    """Return what a service's page of health says of its error tracking, or why that isn't known."""
    if health is None:
        return "unknown: declares no health"
    try:
        page = urllib3.request(
            "GET", f"{health}/tracking", timeout=ANSWER_WITHIN_S, retries=False, preload_content=False
        )
        said = msgspec.json.decode(page.read(MOST_BYTES), type=Page)
    except urllib3.exceptions.HTTPError:
        return "unknown: no answer"
    except msgspec.MsgspecError:
        return "unknown: not a page of health"
    return MEANINGS.get(said.status, "unknown: a failure")
