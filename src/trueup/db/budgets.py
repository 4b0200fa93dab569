"""Whether the connections that services may open fit into what the server, the database and the roles allow."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from trueup.db.connection import Connection
from trueup.settings import Service


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Is what a server allows, and who uses it at the moment."""

    role: str
    database: str
    max_connections: int
    reserved: int
    """Slots kept for superusers and for pg_use_reserved_connections."""
    database_limit: int | None
    role_limits: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """Of the roles that have one."""
    in_use: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """Connections to the whole server by service, as the part of application_name before the process id."""

    @property
    def available(self) -> int:
        """The slots that ordinary roles share."""
        return self.max_connections - self.reserved


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetFinding:
    """Is one limit that is exceeded, or can be."""

    subject: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Is the sum of what services may open, beside the room there is."""

    services: Sequence[Service]
    room: Room
    findings: Sequence[BudgetFinding]

    @property
    def most(self) -> int:
        """The most connections that all services open together."""
        return sum(service.most for service in self.services)


def budget(connection: Connection, services: Iterable[Service]) -> Budget:
    """Return the budget of services on the server of a connection."""
    declared, room = tuple(services), measure(connection)
    return Budget(services=declared, room=room, findings=judge(declared, room))


def measure(connection: Connection) -> Room:
    """Read the limits, and who is connected."""
    row = connection.execute(
        "select current_user::text, d.datname::text, current_setting('max_connections')::int,"
        " current_setting('superuser_reserved_connections')::int"
        " + coalesce(current_setting('reserved_connections', true), '0')::int, nullif(d.datconnlimit, -1)"
        " from pg_database d where d.datname = current_database()"
    ).fetchone()
    assert row
    role, database, max_connections, reserved, database_limit = row
    limits = connection.execute(
        "select rolname::text, rolconnlimit from pg_roles where rolconnlimit <> -1 and not rolsuper"
    ).fetchall()
    sessions = connection.execute(
        "select a.application_name from pg_stat_activity a"
        " where a.datid is not null and coalesce(a.backend_type, 'client backend') = 'client backend'"
        " and a.pid <> pg_backend_pid()"
    ).fetchall()
    return Room(
        role=role,
        database=database,
        max_connections=max_connections,
        reserved=reserved,
        database_limit=database_limit,
        role_limits=MappingProxyType(dict(limits)),
        in_use=MappingProxyType(count_services(name for (name,) in sessions)),
    )


def count_services(names: Iterable[str]) -> dict[str, int]:
    """Return how many connections each service has."""
    return dict(Counter(map(service_of, names)))


def service_of(application_name: str) -> str:
    """Return the service that a connection belongs to; `api:4711` is one of `api`."""
    service, _, process = application_name.rpartition(":")
    return service if process.isdecimal() else application_name


def judge(services: Sequence[Service], room: Room) -> tuple[BudgetFinding, ...]:
    """Return what is wrong with the budget: what exceeds a limit first."""
    return (*compare_limits(services, room), *compare_usage(services, room))


def compare_limits(services: Sequence[Service], room: Room) -> Iterable[BudgetFinding]:
    """Hold the sums of what is declared against the limits."""
    most = sum(service.most for service in services)
    yield from over("server", most, room.available, "max_connections less the reserved ones")
    if room.database_limit is not None:
        yield from over(f"database {room.database}", most, room.database_limit, "its connection limit")
    by_role: Counter[str] = Counter()
    for service in services:
        by_role[service.role or room.role] += service.most
    for role, sum_of_role in sorted(by_role.items()):
        if role in room.role_limits:
            yield from over(f"role {role}", sum_of_role, room.role_limits[role], "its connection limit")


def over(subject: str, most: int, limit: int, name: str) -> Iterable[BudgetFinding]:
    """Say so if a sum exceeds a limit."""
    if most > limit:
        message = f"the services may open {most} connections, {name} allow{'s' * name.startswith('its')} {limit}"
        yield BudgetFinding(subject=subject, message=message)


def compare_usage(services: Sequence[Service], room: Room) -> Iterable[BudgetFinding]:
    """Hold what is declared against who is connected."""
    declared: dict[str, int] = Counter()
    for service in services:
        declared[service.name] += service.most
    for name, count in sorted(room.in_use.items()):
        if name in declared and count > declared[name]:
            message = f"it holds {count} connections and declares {declared[name]}"
            yield BudgetFinding(subject=f"service {name}", message=message)
    others = {name: count for name, count in sorted(room.in_use.items()) if name not in declared}
    most, strangers = sum(declared.values()), sum(others.values())
    if strangers and most + strangers > room.available >= most:
        listed = ", ".join(f"{name or 'without a name'} {count}" for name, count in others.items())
        message = (
            f"{strangers} connections belong to no declared service ({listed}); with the {most} of the services"
            f" they exceed {room.available}"
        )
        yield BudgetFinding(subject="server", message=message)
