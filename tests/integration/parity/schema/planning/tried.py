"""A plan that is proved on a scratch server, and then run by psql on the database that it is for."""

import itertools
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from trueup.cli.plan_text import script
from trueup.conninfo import ConnInfo
from trueup.db import connect
from trueup.parity.schema import diff
from trueup.parity.schema.planning import planned, prove, stated
from trueup.parity.schema.planning.dumps import dump, same_dumps
from trueup.parity.schema.planning.proof import structure
from trueup.servers import EmbeddedServer
from trueup.settings import Settings

NUMBERS = itertools.count()
ROLES = ("invented", "invented_owner", "app", "web", "report")
BEARABLE = ("the order of columns stays another one than the s", "no rows were tried in ")


class Outcome(NamedTuple):
    """Is what came of a plan."""

    found: set[str]
    """The objects that differed."""
    failures: tuple[str, ...]
    remarks: tuple[str, ...]
    """Those that name an object whose structure is another one."""


@contextmanager
def databases(server: EmbeddedServer) -> Iterator[Callable[[str], ConnInfo]]:
    """Give what makes a database by a script; all are gone after the block, and so are the roles that scripts name."""
    names: list[str] = []

    def build(statements: str) -> ConnInfo:
        names.append(f"tried_{next(NUMBERS)}")
        conninfo = server.create_database(names[-1])
        with connect(conninfo) as connection:
            connection.execute(statements.encode())
        return conninfo

    with connect(server.conninfo()) as connection:
        for role in ROLES:
            connection.execute(f"create role {role} superuser".encode())
        yield build
        for name in names:
            server.drop_database(name)
        for role in ROLES:
            connection.execute(f"drop role {role}".encode())


def tried(server: EmbeddedServer, *, target: ConnInfo, source: ConnInfo, for_good: bool) -> Outcome:
    """Plan and prove; `for_good`: let psql run what is printed, and compare what pg_dump prints of target and source.

    Raises:
        Unproved: the dumps differ.
    """
    wanted, start = structure(source), structure(target)
    plan = planned(wanted, start, "postgres")
    with EmbeddedServer(server.version, cache_folder=Settings.load().cache_folder) as scratch:
        proof = prove(plan, wanted, start, maker="postgres", server=scratch)
    up, down = (stated(way, allow_loss=True) for way in (plan.up, plan.down))
    psql = server.installation.program("psql")
    if for_good and not proof.failures:
        subprocess.run(
            [psql, "-X", "-q", "-o", "/dev/null", "-d", target.reveal()],
            input=script(up, down, []),
            text=True,
            check=True,
        )
        list(same_dumps(dump(server, target), dump(server, source)))
    return Outcome(
        found={each.object for each in diff(wanted.catalog, start.catalog)},
        failures=proof.failures,
        remarks=tuple(each for each in proof.remarks if not each.startswith(BEARABLE)),
    )
