"""A row is never called different while it may be on its way."""

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trueup.parity.data.reading.sighting import Kinds, Outcome, Seen, Sighting, outcome


def row(content: int, version: int = 1) -> Seen:
    return Seen(content=(((content,), 1),), versions=(version,))


NOTHING = Seen()


@pytest.mark.parametrize(
    ("before", "now", "is_fenced", "expected"),
    [
        (None, Sighting(row(1), row(1, 9)), False, Outcome.SETTLED),
        (Sighting(row(1), row(2)), Sighting(row(3, 2), row(3, 2)), True, Outcome.SETTLED),
        (Sighting(row(1), row(2)), Sighting(NOTHING, NOTHING), True, Outcome.SETTLED),
        (None, Sighting(row(1), row(2)), True, Outcome.MOVING),
        (Sighting(row(1), row(2)), Sighting(row(1), row(2)), True, Outcome.DIFFERENT),
        (Sighting(row(1), NOTHING), Sighting(row(1), NOTHING), True, Outcome.DIFFERENT),
        (Sighting(NOTHING, row(1)), Sighting(NOTHING, row(1)), True, Outcome.DIFFERENT),
        (Sighting(row(1), row(2)), Sighting(row(1), row(2)), False, Outcome.MOVING),
        (Sighting(row(1, 1), row(2)), Sighting(row(1, 3), row(2)), True, Outcome.MOVING),
        (Sighting(row(1), row(2, 1)), Sighting(row(1), row(2, 3)), True, Outcome.MOVING),
        (Sighting(row(1), row(2)), Sighting(row(1), NOTHING), True, Outcome.MOVING),
    ],
    ids=[
        "agrees", "agrees at last", "is gone from both", "first sight", "stays another", "stays missing", "stays extra",
        "no fence", "came back on the source", "came back on the target", "is on its way",
    ],
)  # fmt: skip
def test_outcome(before: Sighting | None, now: Sighting, is_fenced: bool, expected: Outcome) -> None:
    assert outcome(before and before.fingerprint, now, is_fenced=is_fenced) is expected


@pytest.mark.parametrize(
    ("source", "target", "kinds"),
    [
        (row(1), NOTHING, Kinds(1, 0, 0)),
        (NOTHING, row(1), Kinds(0, 1, 0)),
        (row(1), row(2), Kinds(0, 0, 1)),
        (Seen(content=(((1,), 2),)), row(1), Kinds(1, 0, 0)),
        (Seen(content=(((1,), 1), ((2,), 1))), row(3), Kinds(1, 0, 1)),
        (Seen(content=(((5,), 3),)), Seen(content=(((5,), 7),)), Kinds(0, 4, 0)),
    ],
)
def test_rows_of_a_key_differ_as_a_multiset(source: Seen, target: Seen, kinds: Kinds) -> None:
    assert Sighting(source, target).kinds == kinds


CONTENTS = st.none() | st.integers(0, 2)
"""Of a row after each write; None: it is deleted. So few that contents come back again and again."""


@given(
    st.lists(CONTENTS, min_size=1, max_size=12),
    st.lists(st.tuples(*[st.integers(0, 3)] * 3), min_size=2, max_size=6),
)
@example([0, 1, 0, 1, 0, 1], [(0, 0, 1), (1, 2, 1)])
def test_a_replica_that_lags_is_never_called_different(
    writes: list[int | None], steps: list[tuple[int, int, int]]
) -> None:
    """Whatever is written between the readings of both sides, and however late it is applied behind the fence."""
    history = [row(content, number) if content is not None else NOTHING for number, content in enumerate(writes)]
    written = applied = 0
    before: Sighting | None = None
    outcomes = []
    for since, more, between in steps:
        fence = written
        written = min(written + since, len(history) - 1)
        applied = max(fence, min(applied + more, written))
        target = history[applied]
        written = min(written + between, len(history) - 1)
        now = Sighting(history[written], target)
        outcomes.append(outcome(before and before.fingerprint, now, is_fenced=before is not None))
        before = now

    assert Outcome.DIFFERENT not in outcomes


@given(st.lists(CONTENTS, min_size=2, max_size=8), st.integers(3, 5))
def test_a_row_that_is_wrong_on_the_target_never_settles(writes: list[int | None], planted: int) -> None:
    sightings = [
        Sighting(row(content, number) if content is not None else NOTHING, row(planted))
        for number, content in enumerate(writes)
    ]

    found = [outcome(before.fingerprint, now, is_fenced=True) for before, now in pairwise([*sightings, sightings[-1]])]

    assert Outcome.SETTLED not in found
    assert found[-1] is Outcome.DIFFERENT
