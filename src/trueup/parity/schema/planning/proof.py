"""A plan is run on a scratch server, up and down, before anybody runs it where it counts.

Source: PostgreSQL manual, "pg_dump".
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from typing import NamedTuple

from psycopg import sql

from trueup.conninfo import ConnInfo
from trueup.db import connect, snapshot
from trueup.parity.schema.catalog import catalog
from trueup.parity.schema.diff import diff
from trueup.parity.schema.model import Catalog
from trueup.parity.schema.names import QualifiedName
from trueup.parity.schema.planning.annotating import GRANTED
from trueup.parity.schema.planning.dependencies import dependencies
from trueup.parity.schema.planning.dumps import MOST, dump, listed, other_names, same_dumps
from trueup.parity.schema.planning.plan import Plan, steps, unreached
from trueup.parity.schema.planning.running import RowsRefused, Unproved, execute
from trueup.parity.schema.planning.sides import Structure
from trueup.parity.schema.planning.stating import stated
from trueup.parity.schema.planning.survival import Kept, Rows, kept, lost_rows, rows
from trueup.parity.schema.planting import plant
from trueup.servers import EmbeddedServer

READER = "trueup"
"""The superuser of the scratch server that neither database knows: nothing was granted to it."""
VERSIONS = (16, 18)
ROWS = 2
"""So many are planted in each table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Is what came of running a plan and its way back."""

    version: int
    """Of the PostgreSQL that it was run on."""
    failures: tuple[str, ...]
    """Why it is not proved; empty: it is."""
    remarks: tuple[str, ...] = ()
    """What differs and no statement can change."""


class Outcome(NamedTuple):
    """Is where a plan starts, and where it has to lead."""

    source: Structure
    target: Structure
    dumps: tuple[list[str], list[str]]
    """Of databases that were built from the source alone, and from the target alone."""


def scratch_version(major: int) -> int:
    """Return the version to prove a plan on for a target of some version: its own where we have it."""
    return major if major in VERSIONS else VERSIONS[-1]


def prove(plan: Plan, source: Structure, target: Structure, *, maker: str, server: EmbeddedServer) -> Proof:
    """Build the target on the server, run the plan, compare with the source, run the way back, compare with the start.

    `maker` is the role that will run the plan on the target.
    """
    trial = Trial(server=server, maker=maker)
    reach = [f"no statement is known for {kind} {identity}" for kind, identity in plan.unreached]
    reach += beyond(source.catalog.not_compared, target.catalog.not_compared)
    try:
        bound = grantors(source.catalog) | grantors(target.catalog)
        trial.create_roles({maker, *roles(source.catalog), *roles(target.catalog)}, bound - {maker})
        remarks = tuple(trial.run(plan, source, target))
    except Unproved as error:
        return Proof(version=server.version, failures=(*reach, str(error)))
    return Proof(version=server.version, failures=tuple(reach), remarks=remarks)


BESIDE = frozenset({
    "comment or label of the database", "grant on the database", "large object",
    "name of a NOT NULL constraint", "name of a domain's check", "setting of the database",
    "value of a user mapping's option",
})  # fmt: skip
"""What no comparison looks at, and yet no plan lacks: it has it in another way, or no dump of a structure shows it."""


def beyond(source: Mapping[str, int], target: Mapping[str, int]) -> Iterator[str]:
    """Yield what no comparison looks at, where the sides have other amounts of it: the plan can't make them alike."""
    for kind in sorted((source.keys() | target.keys()) - BESIDE):
        amounts = source.get(kind, 0), target.get(kind, 0)
        if amounts[0] != amounts[1]:
            yield f"not compared, and so not planned: {kind} ({amounts[0]} in the source, {amounts[1]} in the target)"


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
        """Run the plan up and down; yield what differs that no statement can change, and what was not tried.

        Raises:
            Unproved: with the first thing that is not as it should be.
        """
        bases = [self.server.create_database(f"proof_{self.number}_{name}") for name in ("target", "source")]
        start, whole = (each.with_parameters(user=READER) for each in bases)
        empty = structure(start)
        self.build(start, empty, target, "the start could not be rebuilt")
        self.build(whole, empty, source, "the source could not be rebuilt, so that dumps could be compared")
        dumps = dump(self.server, whole), dump(self.server, start)
        wanted = Outcome(source=source, target=target, dumps=dumps)
        bare = self.plant(start, with_shared_labels(target.catalog, source.catalog))
        remarks, emptied = self.tried(plan, wanted, start)
        yield from remarks
        if bare or emptied:
            yield f"no rows were tried in {listed(sorted({*map(str, bare), *emptied}))}: made-up ones are refused there"

    def tried(
        self, plan: Plan, wanted: "Outcome", start: ConnInfo, emptied: frozenset[str] = frozenset()
    ) -> tuple[tuple[str, ...], frozenset[str]]:
        """Run both ways, again and again without the rows that a statement refuses as it said that it may."""
        try:
            return tuple(self.there_and_back(plan, wanted, self.clone(start, emptied))), emptied
        except RowsRefused as error:
            if error.table in emptied:
                raise
            more = {error.table} if len(emptied) < MOST else set(map(str, wanted.target.catalog.tables))
            return self.tried(plan, wanted, start, emptied | more)

    def there_and_back(self, plan: Plan, wanted: "Outcome", scratch: ConnInfo) -> Iterator[str]:
        """Run the plan up and down on a copy of the start with its rows."""
        up, down = (stated(way, allow_loss=True) for way in (plan.up, plan.down))
        source, target = wanted.source, wanted.target
        there, back = kept(target.catalog, source.catalog, up), kept(target.catalog, source.catalog, (*up, *down))
        before, at_first = rows(scratch, there), rows(scratch, back)
        execute(scratch, self.maker, up, "the plan fails")
        reached = structure(scratch)
        hold(reached.catalog, source.catalog, "after the plan it is not like the source")
        survived(there, before, rows(scratch, there), "the plan loses, without saying so,")
        if odd := other_names(source, reached):
            yield f"what dumps show beside the structure differs: {listed(odd)}"
        yield from same_dumps(dump(self.server, scratch), wanted.dumps[0])
        execute(scratch, self.maker, down, "the way back fails")
        hold(read(scratch), target.catalog, "the way back does not lead to the start")
        yield from same_dumps(dump(self.server, scratch), wanted.dumps[1], of="the start")
        survived(back, at_first, rows(scratch, back), "the way back loses, without saying so,")

    def plant(self, conninfo: ConnInfo, found: Catalog) -> Collection[QualifiedName]:
        """Put rows into every table; returns the tables that refuse what can be made up."""
        with connect(conninfo) as connection:
            refused = [plant(connection, found, number=number) for number in range(1, ROWS + 1)]
        return refused[0].keys()

    def clone(self, start: ConnInfo, emptied: Collection[str]) -> ConnInfo:
        """Copy the start, without the rows of some tables and of those that refer to them."""
        name = f"proof_{self.number}_{next(NUMBERS)}"
        conninfo = self.server.create_database(name, template=start.parameters["dbname"]).with_parameters(user=READER)
        with connect(conninfo) as connection:
            for table in emptied:
                connection.execute(f"truncate {table} cascade".encode())
        return conninfo

    def build(self, conninfo: ConnInfo, empty: Structure, wanted: Structure, doing: str) -> None:
        """Build a structure in an empty database, and see that it is what was wanted."""
        found = steps(empty, wanted, self.maker)
        if unknown := unreached(found):
            raise Unproved(f"{doing}: no statement is known for {listed(f'{kind} {each}' for kind, each in unknown)}")
        execute(conninfo, self.maker, stated(found, allow_loss=True), doing)
        hold(read(conninfo), wanted.catalog, doing)

    def create_roles(self, names: Iterable[str], bound: Collection[str]) -> None:
        """Create the roles that both databases name; each may own anything here, but for the bound ones.

        Those grant in their own name, which a superuser never does.
        """
        with connect(self.server.conninfo()) as connection:
            there = {name for (name,) in connection.execute("select rolname from pg_roles").fetchall()}
            for name in sorted({READER, *names} - there):
                rights = sql.SQL("login" if name in bound else "superuser login")
                connection.execute(sql.SQL("create role {} {}").format(sql.Identifier(name), rights))


def read(conninfo: ConnInfo) -> Catalog:
    """Read a structure alone."""
    with snapshot(conninfo) as seen:
        return catalog(seen)


def hold(found: Catalog, wanted: Catalog, doing: str) -> None:
    """Compare what was made with what was wanted.

    Raises:
        Unproved: they differ.
    """
    if left := diff(wanted, found):
        raise Unproved(f"{doing}: {listed(f'{each.kind} {each.object} ({each.change})' for each in left)}")


def with_shared_labels(start: Catalog, end: Catalog) -> Catalog:
    """Return the start with those labels of its enums that rows can keep, where there are any."""
    types = dict(start.types)
    for name, type_ in start.types.items():
        other = end.types.get(name)
        if type_.kind == "enum type" and other and (shared := set(type_.parts) & set(other.parts)):
            types[name] = replace(type_, parts=tuple(label for label in type_.parts if label in shared))
    return replace(start, types=types)


def survived(wanted: Collection[Kept], before: Rows, after: Rows, doing: str) -> None:
    """See that the rows are there that have to be.

    Raises:
        Unproved: some are not, or hold something else.
    """
    if lost := [*lost_rows(wanted, before, after)]:
        raise Unproved(f"{doing} {listed(lost)}")


def roles(found: Catalog) -> frozenset[str]:
    """Return the roles that a structure names: owners, and those whom something is granted or forbidden."""
    names: set[str] = set()
    for key, said in found.annotations.items():
        names |= {unquoted(part.removeprefix("grants to ")) for part in said if part.startswith("grants to ")}
        names |= {unquoted(role) for part in said if (by := GRANTED.fullmatch(part)) for role in by.groups()}
        names |= {said["owner"]} if "owner" in said else set()
        if key.kind == "default acl" and (named := re.match(rf"for role ({NAME})", key.identity)):
            names.add(unquoted(named[1]))
    for defined in found.objects.values():
        if "roles" in defined.parts:
            names |= {unquoted(name) for name in re.findall(NAME, defined.parts["roles"])}
        if defined.kind == "user mapping":
            names.add(defined.identity.partition(" on server ")[0])
    return frozenset(names - {"public", "its owner"})


def grantors(found: Catalog) -> frozenset[str]:
    """Return the roles that grant what others own."""
    parts = (GRANTED.fullmatch(part) for said in found.annotations.values() for part in said)
    return frozenset(unquoted(part[1]) for part in parts if part)


NAME = r'"(?:[^"]|"")+"|[^\s,"]+'


def unquoted(name: str) -> str:
    """Return a name as the server keeps it."""
    return name[1:-1].replace('""', '"') if name.startswith('"') else name
