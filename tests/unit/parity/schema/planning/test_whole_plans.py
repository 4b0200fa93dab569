"""Plans are to the letter those that were tried on a server, there and back: `python scripts/write_plans.py`."""

import pytest
from tests.unit.parity.schema.planning.tried_pairs import GROUPS, PLANS, pairs, told

from trueup.parity.schema.planning import steps


def test_every_pair_has_its_plan():
    assert pairs().keys() == PLANS.keys()


@pytest.mark.parametrize("group", GROUPS)
def test_plans_are_those_that_were_tried(group):
    for name in GROUPS[group]:
        assert told(name) == PLANS[name], f"{name}: if it is meant to differ, run `python scripts/write_plans.py`"


@pytest.mark.parametrize("group", GROUPS)
def test_nothing_is_planned_between_equals(group):
    for name in GROUPS[group]:
        source, _ = pairs()[name]
        assert steps(source, source, "postgres") == (), name
