"""Plans run on real servers: the target becomes like the source, and the way back leads to the start."""

import itertools
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from tests.integration.parity.schema import test_differences, test_objects

from trueup.conninfo import ConnInfo
from trueup.db import connect, snapshot
from trueup.parity.schema import catalog, diff
from trueup.parity.schema.dependencies import dependencies
from trueup.parity.schema.plan import Structure, steps, unreached
from trueup.servers import EmbeddedServer

NUMBERS = itertools.count()

ADDED = test_objects.OBJECTS | test_objects.SETTINGS
CASES = {
    **{f"{name} is gone": (base or "select", base + added) for name, (base, added, *_) in ADDED.items()},
    **{f"{name} is changed": case[:2] for name, case in test_objects.CHANGED.items()},
    **{name: case[:2] for name, case in test_differences.CASES.items()},
}
NO_WAY_BACK = frozenset(
    f"{name} is gone"
    for name in (
        "user mapping", "operator family", "base type", "conversion", "text search parser", "text search template",
        "language", "access method", "transform",
    )
)  # fmt: skip
"""Nobody knows the statement that makes these from their parts; the plan says so."""
UNREACHED = frozenset({"foreign key that nothing enforces", "foreign key whose parent is not watched"})


class Pair(NamedTuple):
    source: ConnInfo
    target: ConnInfo


@pytest.fixture
def pair(server: EmbeddedServer) -> Iterator[Pair]:
    names = [f"plan_{next(NUMBERS)}" for _ in Pair._fields]
    yield Pair(*map(server.create_database, names))
    for name in names:
        server.drop_database(name)


def structure(conninfo: ConnInfo) -> Structure:
    with snapshot(conninfo) as seen:
        return Structure(catalog(seen), dependencies(seen))


def run(conninfo: ConnInfo, *statements: str) -> None:
    with connect(conninfo) as connection:
        for statement in statements:
            connection.execute(statement)


def apply(conninfo: ConnInfo, have: Structure, want: Structure) -> None:
    run(conninfo, *(statement for step in steps(have, want) for statement in step.statements))


@pytest.mark.parametrize(("source", "target"), [CASES[name] for name in sorted(CASES)], ids=sorted(CASES))
def test_target_becomes_like_the_source_and_goes_back(
    request: pytest.FixtureRequest, pair: Pair, source: str, target: str
) -> None:
    name = request.node.callspec.id.partition("-")[2]
    run(pair.source, source)
    run(pair.target, target)
    before, wanted = structure(pair.target), structure(pair.source)

    apply(pair.target, before, wanted)
    if name not in UNREACHED:
        assert diff(wanted.catalog, structure(pair.target).catalog) == ()
    assert not unreached(steps(before, wanted))

    apply(pair.target, wanted, before)
    left = diff(before.catalog, structure(pair.target).catalog)
    if name in NO_WAY_BACK:
        [key] = unreached(steps(wanted, before))
        assert [(found.kind, found.object) for found in left] == [key]
    elif name not in UNREACHED:
        assert left == ()
