"""Structures and edits at random: every edit is found, and the plan for it is proved."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st
from tests.integration.parity.schema.planning.edited import EDITS, edited
from tests.integration.parity.schema.planning.invented import OWNER, ROLE, Invented, invent

from trueup.conninfo import ConnInfo
from trueup.db import connect
from trueup.parity.schema import diff
from trueup.parity.schema.planning import planned, prove, stated
from trueup.parity.schema.planning.dumps import dump, same_dumps
from trueup.parity.schema.planning.proof import structure
from trueup.parity.schema.planning.running import execute
from trueup.servers import EmbeddedServer
from trueup.settings import Settings

OBJECTS = 50
NUMBERS = itertools.count()
MOST_EDITS = 10
EXAMPLES = {16: 10, 18: 15}
MANY = 250
"""On each version."""
BOUNDED = settings(
    deadline=None,
    database=None,
    # A failure names its edits; to look for fewer of them would take minutes.
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
ORDER = "the order of columns stays another one than the source's in "
NO_ROWS = "no rows were tried in "


@pytest.fixture
def build(server: EmbeddedServer) -> Iterator[Callable[[Invented], ConnInfo]]:
    """Return what makes a database of an invented structure; it is gone after the test."""
    names: list[str] = []

    def build(invented: Invented) -> ConnInfo:
        names.append(f"invented_{next(NUMBERS)}")
        conninfo = server.create_database(names[-1])
        with connect(conninfo) as connection:
            connection.execute(invented.script().encode())
        return conninfo

    with connect(server.conninfo()) as connection:
        for role in (ROLE, OWNER):
            connection.execute(f"create role {role} superuser".encode())
        yield build
        for name in names:
            server.drop_database(name)
        for role in (ROLE, OWNER):
            connection.execute(f"drop role {role}".encode())


def changed(start: Invented, end: Invented) -> set[str]:
    """Return the objects that are not alike; of a table that is new or gone, only the table."""
    apart = {f"public.{name}" for name in start.tables.keys() ^ end.tables.keys()}
    shared = start.tables.keys() & end.tables.keys()
    before, after = (
        dict(replace(side, tables={name: side.tables[name] for name in shared}).objects()) for side in (start, end)
    )
    return apart | {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def hold(server: EmbeddedServer, target: ConnInfo, source: ConnInfo, edits: set[str]) -> None:
    """See that each edit is found, and that the plan for all of them is proved and does what was proved."""
    wanted, start = structure(source), structure(target)
    found = {each.object for each in diff(wanted.catalog, start.catalog)}
    plan = planned(wanted, start, "postgres")
    with EmbeddedServer(server.version, cache_folder=Settings.load().cache_folder) as scratch:
        proof = prove(plan, wanted, start, maker="postgres", server=scratch)
    execute(target, "postgres", stated(plan.up, allow_loss=True), "on the target")

    assert edits - found == set()
    assert proof.failures == ()
    assert [each for each in proof.remarks if not each.startswith((ORDER, NO_ROWS))] == []
    assert len([*same_dumps(dump(server, target), dump(server, source))]) <= 1


NAMES = st.lists(st.sampled_from(sorted(EDITS)), min_size=1, max_size=MOST_EDITS)


def edits_hold(server: EmbeddedServer, build: Callable[[Invented], ConnInfo], bounds: settings) -> None:
    @settings(bounds)
    @given(st.integers(0, 2**32), NAMES)
    def holds(seed: int, names: list[str]) -> None:
        random = Random(seed)
        start = invent(random, OBJECTS)
        end = edited(start, names, random)
        note(f"{seed} {names}: {sorted(changed(start, end))}")
        hold(server, build(start), build(end), changed(start, end))

    holds()


def test_edits_are_found_and_plans_proved(server, build):
    """The same examples on every run: what is new is looked for by the long one."""
    edits_hold(server, build, settings(BOUNDED, max_examples=EXAMPLES[server.version], derandomize=True))


@pytest.mark.long
def test_many_edits_are_found_and_plans_proved(server, build):
    edits_hold(server, build, settings(BOUNDED, max_examples=MANY))
