"""The pairs of structures whose plans were tried, and those plans: decided once in a process, whoever asks."""

import json
import runpy
from functools import cache
from itertools import groupby
from pathlib import Path

from trueup.parity.schema.planning import Plan, Structure

ROOT = Path(__file__).parents[5]
SCRIPT = runpy.run_path(str(ROOT / "scripts/write_plans.py"))
PLANS: dict[str, dict[str, list[str]]] = json.loads((ROOT / "fixtures/plans/plans.json").read_text(encoding="utf-8"))
GROUPS = {kind: list(names) for kind, names in groupby(sorted(PLANS), lambda name: name.partition(":")[0])}


@cache
def pairs() -> dict[str, tuple[Structure, Structure]]:
    return dict(SCRIPT["pairs"]())


@cache
def plan_of(name: str) -> Plan:
    plan: Plan = SCRIPT["between"](pairs()[name])
    return plan


def told(name: str) -> dict[str, list[str]]:
    facts: dict[str, list[str]] = SCRIPT["told"](pairs()[name], plan_of(name))
    return facts
