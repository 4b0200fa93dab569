"""Structures and edits at random: every edit is found, and the plan for it is proved."""

from collections.abc import Callable
from dataclasses import replace
from random import Random, randrange

import pytest
from hypothesis import HealthCheck, Phase, given, note, seed, settings
from hypothesis import strategies as st
from tests.integration.parity.schema.planning.edited import EDITS, edited
from tests.integration.parity.schema.planning.invented import Invented, invent
from tests.integration.parity.schema.planning.tried import databases, tried

from trueup.conninfo import ConnInfo
from trueup.servers import EmbeddedServer

OBJECTS = 50
MOST_EDITS = 10
FEW, MANY = 5, 250
"""Examples of a test; the first is always the smallest one."""
BOUNDED = settings(
    deadline=None,
    database=None,
    # A failure names its edits; to look for fewer of them would take minutes.
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)


def changed(start: Invented, end: Invented) -> set[str]:
    """Return the objects that are not alike; of a table that is new or gone, only the table."""
    apart = {f"public.{name}" for name in start.tables.keys() ^ end.tables.keys()}
    shared = start.tables.keys() & end.tables.keys()
    before, after = (
        dict(replace(side, tables={name: side.tables[name] for name in shared}).objects()) for side in (start, end)
    )
    return apart | {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


NAMES = st.lists(st.sampled_from(sorted(EDITS)), min_size=1, max_size=MOST_EDITS)


def edits_hold(server: EmbeddedServer, build: Callable[[str], ConnInfo], *, examples: int, first: int) -> None:
    @seed(first)
    @settings(BOUNDED, max_examples=examples)
    @given(st.integers(0, 2**32), NAMES)
    def holds(number: int, names: list[str]) -> None:
        random = Random(number)
        start = invent(random, OBJECTS)
        end = edited(start, names, random)
        edits = changed(start, end)
        note(f"{number} {names}: {sorted(edits)}")
        target, source = build(start.script()), build(end.script())
        outcome = tried(server, target=target, source=source, for_good=examples == MANY)
        assert edits - outcome.found == set()
        assert (outcome.failures, outcome.remarks) == ((), ())

    holds()


@pytest.mark.parametrize(
    ("version", "first"),
    [
        (16, 1),
        pytest.param(16, 2, marks=pytest.mark.long),
        (18, 3),
        (18, 4),
        pytest.param(18, 5, marks=pytest.mark.long),
    ],
)
def test_edits_are_found_and_plans_proved(request, version, first):
    """The same examples on every run: what is new is looked for by the long ones."""
    server = request.getfixturevalue(f"server{version}")
    with databases(server) as build:
        edits_hold(server, build, examples=FEW, first=first)


@pytest.mark.long
def test_many_edits_are_found_and_plans_proved(server):
    with databases(server) as build:
        edits_hold(server, build, examples=MANY, first=randrange(2**32))
