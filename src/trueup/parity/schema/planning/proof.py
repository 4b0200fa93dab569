"""A plan is run on a scratch server, up and down, before anybody runs it where it counts.

Source: PostgreSQL manual, "pg_dump".
"""

import re
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count

import psycopg
from psycopg import sql

from trueup.conninfo import ConnInfo
from trueup.db import connect, snapshot
from trueup.errors import ServerUnavailable
from trueup.parity.schema.catalog import catalog
from trueup.parity.schema.diff import diff
from trueup.parity.schema.model import Catalog
from trueup.parity.schema.planning.dependencies import dependencies
from trueup.parity.schema.planning.hazards import Statement, stated, transactions
from trueup.parity.schema.planning.plan import Plan, steps, unreached
from trueup.parity.schema.planning.sides import Structure
from trueup.servers import EmbeddedServer

SETTINGS = ("set lock_timeout = '5s'", "set check_function_bodies = off", "set search_path = ''")
"""What a plan runs with: it waits for nobody for long, and means exactly what it names."""
READER = "trueup"
"""The superuser of the scratch server that neither database knows: nothing was granted to it."""
VERSIONS = (16, 18)
MOST = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Is what came of running a plan and its way back."""

    version: int
    """Of the PostgreSQL that it was run on."""
    failures: tuple[str, ...]
    """Why it is not proved; empty: it is."""
    remarks: tuple[str, ...] = ()
    """What differs and no statement can change."""


class Unproved(Exception):
    """Is why a plan is not proved."""


def scratch_version(major: int) -> int:
    """Return the version to prove a plan on for a target of some version: its own where we have it."""
    return major if major in VERSIONS else VERSIONS[-1]


def prove(plan: Plan, source: Structure, target: Structure, *, maker: str, server: EmbeddedServer) -> Proof:
    """Build the target on the server, run the plan, compare with the source, run the way back, compare with the start.

    `maker` is the role that will run the plan on the target.
    """
    trial = Trial(server=server, maker=maker)
    reach = [f"no statement is known for {kind} {identity}" for kind, identity in plan.unreached]
    try:
        trial.create_roles({maker, *roles(source.catalog), *roles(target.catalog)})
        remarks = tuple(trial.run(plan, source, target))
    except Unproved as error:
        return Proof(version=server.version, failures=(*reach, str(error)))
    return Proof(version=server.version, failures=tuple(reach), remarks=remarks)


def structure(conninfo: ConnInfo) -> Structure:
    """Read a structure with what needs what in it."""
    with snapshot(conninfo) as seen:
        return Structure(catalog(seen), dependencies(seen))


NUMBERS = count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """Is one run of a plan on databases of its own."""

    server: EmbeddedServer
    maker: str
    number: int = field(default_factory=lambda: next(NUMBERS))

    def run(self, plan: Plan, source: Structure, target: Structure) -> Iterator[str]:
        """Run the plan up and down; yield what differs that no statement can change.

        Raises:
            Unproved: with the first thing that is not as it should be.
        """
        scratch = self.build("target", target, "the start could not be rebuilt")
        self.execute(scratch, stated(plan.up, allow_loss=True), "the plan fails")
        self.hold(scratch, source.catalog, "after the plan it is not like the source")
        if odd := other_names(source, structure(scratch)):
            yield f"what dumps show beside the structure differs: {listed(odd)}"
        whole = self.build("source", source, "the source could not be rebuilt, so that dumps could be compared")
        yield from same_dumps(self.dump(scratch), self.dump(whole))
        self.execute(scratch, stated(plan.down, allow_loss=True), "the way back fails")
        self.hold(scratch, target.catalog, "the way back does not lead to the start")

    def build(self, name: str, wanted: Structure, doing: str) -> ConnInfo:
        """Build a structure in a new database, and see that it is what was wanted."""
        conninfo = self.server.create_database(f"proof_{self.number}_{name}").with_parameters(user=READER)
        found = steps(structure(conninfo), wanted, self.maker)
        if beyond := unreached(found):
            raise Unproved(f"{doing}: no statement is known for {listed(f'{kind} {each}' for kind, each in beyond)}")
        self.execute(conninfo, stated(found, allow_loss=True), doing)
        self.hold(conninfo, wanted.catalog, doing)
        return conninfo

    def execute(self, conninfo: ConnInfo, statements: Iterable[Statement], doing: str) -> None:
        """Run statements as they would be run for good: as the role, with the settings, in the same transactions."""
        connection = connect(conninfo)
        try:
            connection.execute(sql.SQL("set role {}").format(sql.Identifier(self.maker)))
            for setting in SETTINGS:
                connection.execute(setting)
            for group in transactions(statements):
                if group[0].is_alone:
                    attempt(connection, group[0], doing)
                    continue
                with connection.transaction():
                    for statement in group:
                        attempt(connection, statement, doing)
        finally:
            connection.close()

    def hold(self, conninfo: ConnInfo, wanted: Catalog, doing: str) -> None:
        """Compare what was made with what was wanted."""
        with snapshot(conninfo) as seen:
            left = diff(wanted, catalog(seen))
        if left:
            raise Unproved(f"{doing}: {listed(f'{each.kind} {each.object} ({each.change})' for each in left)}")

    def create_roles(self, names: Iterable[str]) -> None:
        """Create the roles that both databases name; each may own anything here."""
        connection = connect(self.server.conninfo())
        try:
            for name in sorted({READER, *names} - {"postgres"}):
                if not name.startswith("pg_"):
                    connection.execute(sql.SQL("create role {} superuser login").format(sql.Identifier(name)))
        finally:
            connection.close()

    def dump(self, conninfo: ConnInfo) -> list[str]:
        """Return what `pg_dump -s` prints, without comments and what it makes anew each time."""
        done = subprocess.run(
            [self.server.installation.program("pg_dump"), "-s", "-d", conninfo.reveal()],
            env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        if done.returncode:
            printed = done.stderr.decode(errors="replace").strip()
            raise ServerUnavailable(f"pg_dump of the scratch database failed: {printed}")
        lines = done.stdout.decode().split("\n")
        return [line for line in lines if line and not line.startswith(("--", "\\restrict", "\\unrestrict"))]


def attempt(connection: psycopg.Connection[tuple[object, ...]], statement: Statement, doing: str) -> None:
    """Run one statement.

    Raises:
        Unproved: with what the server says.
    """
    try:
        connection.execute(statement.sql.encode())
    except psycopg.Error as error:
        said = error.diag.message_primary or str(error)
        kind, identity = statement.about
        raise Unproved(f"{doing}: {kind} {identity}: {said} (SQLSTATE {error.sqlstate or 'unknown'})") from error


def other_names(wanted: Structure, found: Structure) -> list[str]:
    """Return what dumps show otherwise than wanted, though no comparison looks at it."""
    kinds = {"server"} if wanted.names_not_null and found.names_not_null else {"server", "not null"}
    odd = wanted.names.items() - found.names.items()
    return sorted(f"{kind} {identity}" for (kind, identity), _ in odd if kind not in kinds)


def same_dumps(planned: list[str], built: list[str]) -> Iterator[str]:
    """Yield the remark that columns stand in another order, where only that differs.

    Raises:
        Unproved: more than that differs.
    """
    mine, theirs = (sorted(line.strip().removesuffix(",") for line in lines) for lines in (planned, built))
    if mine != theirs:
        odd = sorted(set(mine) ^ set(theirs)) or ["lines that repeat"]
        raise Unproved(f"the dumps of the outcome and of the source differ: {listed(odd)}")
    if planned != built:
        tables = [line for line in built if re.match(r"CREATE (UNLOGGED |FOREIGN )?TABLE ", line)]
        names = [table for table in tables if block(planned, table) != block(built, table)]
        where = listed(name.split("TABLE ")[1].removesuffix(" (") for name in names) or "some definitions"
        yield f"the order of columns stays another one than the source's in {where}"


def block(lines: list[str], first: str) -> list[str]:
    """Return the lines of a statement by its first line."""
    start = lines.index(first) if first in lines else 0
    end = next((n for n, line in enumerate(lines[start:], start) if line.endswith(";")), len(lines))
    return lines[start : end + 1]


def listed(names: Iterable[str]) -> str:
    """Return names in a row, the first few of many."""
    found = list(names)
    more = f" and {len(found) - MOST} more" if len(found) > MOST else ""
    return ", ".join(found[:MOST]) + more


def roles(found: Catalog) -> frozenset[str]:
    """Return the roles that a structure names: owners, and those whom something is granted or forbidden."""
    names: set[str] = set()
    for key, said in found.annotations.items():
        names |= {unquoted(part.removeprefix("grants to ")) for part in said if part.startswith("grants to ")}
        names |= {said["owner"]} if "owner" in said else set()
        if key.kind == "default acl" and (named := re.match(rf"for role ({NAME})", key.identity)):
            names.add(unquoted(named[1]))
    for defined in found.objects.values():
        if "roles" in defined.parts:
            names |= {unquoted(name) for name in re.findall(NAME, defined.parts["roles"])}
        if defined.kind == "user mapping":
            names.add(defined.identity.partition(" on server ")[0])
    return frozenset(names - {"public", "its owner"})


NAME = r'"(?:[^"]|"")+"|[^\s,"]+'


def unquoted(name: str) -> str:
    """Return a name as the server keeps it."""
    return name[1:-1].replace('""', '"') if name.startswith('"') else name
