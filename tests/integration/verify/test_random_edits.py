"""Edits of the sample's rows, at random and over every type, are found exactly: each of them, and nothing else."""

from collections import Counter, defaultdict
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from tests.integration.verify.arena import Arena, build_arena, destroy
from tests.integration.verify.editor import STATEMENTS
from tests.integration.verify.edits import Edit, every_update, plans

from trueup.servers import EmbeddedServer

EDITS_AT_ONCE = 200
EXAMPLES = {"16-to-18": 8, "18-to-16": 2}
FEWEST_EDITS = {"16-to-18": 1_000, "18-to-16": 100}
BOUNDED = settings(
    deadline=None,
    database=None,
    derandomize=False,
    # Shrinking would take minutes; a failure names the tables that are wrong, their rows and their edits.
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module", params=["16-to-18", pytest.param("18-to-16", marks=pytest.mark.long)])
def arena(request: pytest.FixtureRequest, server16: EmbeddedServer, server18: EmbeddedServer) -> Iterator[Arena]:
    source, target = (server16, server18) if request.param == "16-to-18" else (server18, server16)
    arena = build_arena(request.param, source, target)
    yield arena
    destroy(arena, source)


@pytest.mark.timeout(300)
def test_random_edits_are_found_exactly(arena: Arena) -> None:
    """1,000 edits and more from 16 to 18, besides those that keep every value."""
    done: Counter[str] = Counter()

    @settings(BOUNDED, max_examples=EXAMPLES[arena.name])
    @given(plans(arena.tables.values(), arena.respellings, size=EDITS_AT_ONCE))
    def hold(planned: list[Edit]) -> None:
        done.update(arena.hold_to(planned)[1])

    hold()
    assert done.keys() == STATEMENTS.keys()
    assert done.total() - done["keep"] - done["reinsert"] >= FEWEST_EDITS[arena.name]


def test_every_awkward_value_and_nudge_of_every_column_is_found_exactly(arena: Arena) -> None:
    """M-23: a document that was a string of digits and became a number is among them."""
    rounds: defaultdict[tuple[bool, int], list[Edit]] = defaultdict(list)
    columns = {column.path: column for table in arena.tables.values() for column in table.columns}
    in_key = {f"{table.name}.{name}" for table in arena.tables.values() for name in table.key}
    for path, column in columns.items():
        if not column.is_generated:
            for number, edit in every_update(column, rows=len(arena.rows[column.table])):
                rounds[path in in_key, number].append(edit)

    results = [arena.hold_to(planned) for planned in rounds.values()]

    assert sum((done for _, done in results), Counter()).total() > 600
    changed = {
        f"{table}.{column}"
        for differences, _ in results
        for table, found in differences.items()
        for names, _ in found.changed.values()
        for column in names
    }
    assert changed == {path for path, column in columns.items() if arena.tables[column.table].key} - in_key


def test_other_spellings_of_equal_values_are_found_and_called_equal(arena: Arena) -> None:
    differences, _ = arena.hold_to(arena.respellings)

    changed = {(table, *change) for table, found in differences.items() for change in found.changed.values()}
    assert changed == {
        ("chinook.invoice", ("billing",), True),
        ("chinook.track", ("length",), True),
        ("flights.airport", ("utc_offset",), True),
        ("flights.flight", ("air_time",), True),
    }
    assert differences["flights.weather"]
