"""The budget against a server's real limits and sessions."""

from collections.abc import Callable

from tests.integration.db.conftest import Observer

from trueup.conninfo import ConnInfo
from trueup.db import Database
from trueup.db.budgets import budget
from trueup.db.connection import connect
from trueup.settings import Service

OpenDb = Callable[..., Database]


def test_limits_and_sessions_are_read(
    open_db: OpenDb, target: ConnInfo, observer: Observer, as_role: Callable[..., ConnInfo]
) -> None:
    """W-P5, W-P8."""
    limited = as_role("connection limit 4")
    observer.run(f"alter database {target.parameters['dbname']} connection limit 5")
    db = open_db(conninfo=limited)
    role = limited.parameters["user"]

    with db.connection(), db.connection(), connect(limited) as own:
        found = budget(own, [Service(name="svc", connections=1), Service(name="other", connections=5)])

    assert (found.room.role, found.room.max_connections, found.room.database_limit) == (role, 60, 5)
    assert found.room.available == 57
    assert found.room.role_limits[role] == 4
    assert found.room.in_use["svc"] == 2
    assert [finding.subject for finding in found.findings] == [
        f"database {target.parameters['dbname']}",
        f"role {role}",
        "service svc",
    ]
