"""A server of our own that may be restarted, and a wire to it that may be cut."""

import itertools
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from time import monotonic
from types import MappingProxyType
from typing import Any

import psycopg
import pytest

from trueup.conninfo import ConnInfo
from trueup.db import Database
from trueup.db.connection import Connection, connect
from trueup.db.events import Kind, PoolEvent
from trueup.settings import DatabaseSettings
from trueup.testing.faults import Proxy
from trueup.testing.lending.host import OwnServer

NUMBERS = itertools.count()


class Observer:
    """Sees a database from outside: a superuser's connection of its own, straight to the server."""

    def __init__(self, conninfo: ConnInfo) -> None:
        self.conninfo = conninfo
        self.connection: Connection | None = None

    def rows(self, query: Any, parameters: Any = None) -> list[tuple[Any, ...]]:
        for _ in range(2):
            if self.connection is None:
                self.connection = connect(self.conninfo, application_name="observer")
            try:
                return self.connection.execute(query, parameters).fetchall()
            except psycopg.OperationalError:
                self.connection = None
        raise AssertionError("the observer lost its connection twice")

    def value(self, query: Any, parameters: Any = None) -> Any:
        return self.rows(query, parameters)[0][0]

    def run(self, query: Any, parameters: Any = None) -> None:
        self.rows("select 1")
        assert self.connection
        self.connection.execute(query, parameters)

    def backends(self, application_name: str = "svc:%") -> list[int]:
        query = "select pid from pg_stat_activity where application_name like %s and datname = current_database()"
        return [pid for (pid,) in self.rows(query, [application_name])]

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()


def until(condition: Callable[[], Any], seconds: float = 5.0) -> Any:
    """Return what the condition returns once it is true."""
    deadline = monotonic() + seconds
    pause = threading.Event()
    while not (found := condition()):
        assert monotonic() < deadline, f"not within {seconds} s"
        pause.wait(0.005)
    return found


CONFIGURATION = {"synchronous_commit": "on", "deadlock_timeout": "50ms", "max_connections": "60"}


@pytest.fixture(scope="session", params=["embedded:16", "embedded:18"], ids=["pg16", "pg18"])
def own_server(request: pytest.FixtureRequest, session_server_on: Callable[..., OwnServer]) -> OwnServer:
    """Return a server on TCP that a test may restart."""
    return session_server_on(request.param, tcp=True, configuration=CONFIGURATION)


@pytest.fixture
def target(own_server: OwnServer) -> Iterator[ConnInfo]:
    """Return a database with one table for the test."""
    own_server.start()
    with own_server.emptied() as conninfo:
        with connect(conninfo) as connection:
            connection.execute("create table t (id int primary key, note text not null default '')")
        yield conninfo
        own_server.start()


@pytest.fixture
def observer(target: ConnInfo) -> Iterator[Observer]:
    found = Observer(target)
    yield found
    found.close()


@pytest.fixture
def proxy(own_server: OwnServer) -> Iterator[Proxy]:
    with Proxy(own_server.conninfo()) as found:
        yield found


class Log(list[PoolEvent]):
    """Is what a pool has told."""

    def kinds(self) -> list[Kind]:
        return [event.kind for event in self]


@pytest.fixture
def open_db(target: ConnInfo) -> Iterator[Callable[..., Database]]:
    """Return a function that makes a Database on the test's database, or through a proxy."""
    opened: list[Database] = []

    def make(wire: Proxy | None = None, *, log: Log | None = None, **settings: Any) -> Database:
        conninfo = wire.through(target) if wire else target
        chosen = replace(DatabaseSettings(conninfo=conninfo, service="svc", statement_timeout_s=5), **settings)
        database = Database(chosen, listener=log.append if log is not None else None)
        opened.append(database)
        return database

    yield make
    for database in opened:
        database.close(drain_s=0)


@pytest.fixture
def as_role(target: ConnInfo, observer: Observer) -> Iterator[Callable[..., ConnInfo]]:
    """Return a function that creates a role without rights and names the database as that role sees it."""
    created: list[str] = []

    def make(attributes: str = "") -> ConnInfo:
        name = f"role_{next(NUMBERS)}"
        observer.run(f"create role {name} login {attributes}")
        observer.run(f"grant all on schema public to {name}; grant all on all tables in schema public to {name}")
        created.append(name)
        return ConnInfo(MappingProxyType({**target.parameters, "user": name}))

    yield make
    for name in created:
        observer.run(f"drop owned by {name}; drop role {name}")
