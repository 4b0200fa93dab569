"""Plans are to the letter those that were tried on a server, there and back: `python scripts/write_plans.py`."""

import json
import runpy
from itertools import groupby
from pathlib import Path

import pytest

from trueup.parity.schema.planning import steps

ROOT = Path(__file__).parents[5]
SCRIPT = runpy.run_path(str(ROOT / "scripts/write_plans.py"))
PLANS = json.loads((ROOT / "fixtures/plans/plans.json").read_text(encoding="utf-8"))
PAIRS = dict(SCRIPT["pairs"]())
GROUPS = {kind: list(names) for kind, names in groupby(sorted(PLANS), lambda name: name.partition(":")[0])}


@pytest.mark.parametrize("group", GROUPS)
def test_plans_are_those_that_were_tried(group):
    for name in GROUPS[group]:
        found = SCRIPT["plan"](PAIRS[name])
        assert found == PLANS[name], f"{name}: if it is meant to differ, run `python scripts/write_plans.py`"


@pytest.mark.parametrize("group", GROUPS)
def test_nothing_is_planned_between_equals(group):
    for name in GROUPS[group]:
        source, _ = PAIRS[name]
        assert steps(source, source, "postgres") == (), name
