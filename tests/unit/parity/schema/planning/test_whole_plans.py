"""Plans are to the letter those that were tried on a server, there and back: `python scripts/write_plans.py`."""

import json
import runpy
from pathlib import Path

import pytest

from trueup.parity.schema.planning import steps

ROOT = Path(__file__).parents[5]
SCRIPT = runpy.run_path(str(ROOT / "scripts/write_plans.py"))
PLANS = json.loads((ROOT / "fixtures/plans/plans.json").read_text(encoding="utf-8"))
PAIRS = dict(SCRIPT["pairs"]())


@pytest.mark.parametrize("name", PLANS)
def test_plan_is_the_one_that_was_tried(name):
    assert SCRIPT["plan"](PAIRS[name]) == PLANS[name], "if it is meant to differ: python scripts/write_plans.py"


@pytest.mark.parametrize("name", PLANS)
def test_nothing_is_planned_between_equals(name):
    for side in PAIRS[name]:
        assert steps(side, side, "postgres") == ()
