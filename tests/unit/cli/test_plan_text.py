"""The printed script of a plan is its statements, in their order, and nothing else that changes anything."""

import runpy
from pathlib import Path

import pytest

from trueup.cli.plan_text import script, settings, way
from trueup.parity.schema.planning import Plan, Statement, planned, stated

ROOT = Path(__file__).parents[3]
SCRIPT = runpy.run_path(str(ROOT / "scripts/write_plans.py"))
FRAME = {
    *settings(),
    "begin;",
    "commit;",
    "",
    "set lock_timeout = 0; -- it waits for open transactions, and blocks nobody",
}
BACK = "-- The way back, after which everything is as it was:"


@pytest.fixture(scope="module")
def plans() -> dict[str, Plan]:
    return {name: planned(*pair, "postgres") for name, pair in SCRIPT["pairs"]()}


def run_by_psql(lines: list[str]) -> list[str]:
    """Return the lines that are neither comments nor settings nor frames of transactions."""
    return [line for line in lines if line not in FRAME and not line.startswith("--")]


def lines_of(statements: tuple[Statement, ...]) -> list[str]:
    sql = "\n".join(f"{each.sql};" for each in statements if not each.is_withheld)
    return run_by_psql(sql.splitlines())


@pytest.mark.parametrize("allow_loss", [True, False])
def test_script_is_the_statements_that_json_has(plans, allow_loss):
    for name, plan in plans.items():
        up, down = (stated(found, allow_loss=allow_loss) for found in (plan.up, plan.down))

        there, _, back = script(up, down, ["made up"]).partition(BACK)

        assert run_by_psql(there.splitlines()) == lines_of(up), name
        uncommented = [line.removeprefix("-- ") if line != "--" else "" for line in back.splitlines()[2:]]
        assert run_by_psql(uncommented) == lines_of(down), name


def test_what_cannot_share_a_transaction_stands_outside_of_one(plans):
    for name, plan in plans.items():
        statements = stated(plan.up, allow_loss=True)

        depth, framed = 0, []
        for line in way(statements):
            depth += (line == "begin;") - (line == "commit;")
            framed += [(line, depth)] if run_by_psql([line]) else []

        assert depth == 0, name
        inside = {line: 0 if each.is_alone else 1 for each in statements for line in f"{each.sql};".splitlines()}
        assert framed == [(line, inside[line]) for each in statements for line in lines_of((each,))], name
