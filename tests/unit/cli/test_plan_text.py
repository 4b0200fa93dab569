"""The printed script of a plan is its statements, in their order, and nothing else that changes anything."""

import pytest
from tests.unit.parity.schema.planning.tried_pairs import GROUPS, plan_of

from trueup.cli.plan_text import script, settings, way
from trueup.parity.schema.planning import Statement, stated

FRAME = {
    *settings(),
    "begin;",
    "commit;",
    "",
    "set lock_timeout = 0; -- it waits for open transactions, and blocks nobody",
}
BACK = "-- The way back, after which everything is as it was:"


def run_by_psql(lines: list[str]) -> list[str]:
    """Return the lines that are neither comments nor settings nor frames of transactions."""
    return [line for line in lines if line not in FRAME and not line.startswith("--")]


def lines_of(statements: tuple[Statement, ...]) -> list[str]:
    sql = "\n".join(f"{each.sql};" for each in statements if not each.is_withheld)
    return run_by_psql(sql.splitlines())


@pytest.mark.parametrize("allow_loss", [True, False])
@pytest.mark.parametrize("group", GROUPS)
def test_script_is_the_statements_that_json_has(group, allow_loss):
    for name in GROUPS[group]:
        plan = plan_of(name)
        up, down = (stated(found, allow_loss=allow_loss) for found in (plan.up, plan.down))

        there, _, back = script(up, down, ["made up"]).partition(BACK)

        assert run_by_psql(there.splitlines()) == lines_of(up), name
        uncommented = [line.removeprefix("-- ") if line != "--" else "" for line in back.splitlines()[2:]]
        assert run_by_psql(uncommented) == lines_of(down), name


@pytest.mark.parametrize("group", GROUPS)
def test_what_cannot_share_a_transaction_stands_outside_of_one(group):
    for name in GROUPS[group]:
        statements = stated(plan_of(name).up, allow_loss=True)

        depth, framed = 0, []
        for line in way(statements):
            depth += (line == "begin;") - (line == "commit;")
            framed += [(line, depth)] if run_by_psql([line]) else []

        assert depth == 0, name
        inside = {line: 0 if each.is_alone else 1 for each in statements for line in f"{each.sql};".splitlines()}
        assert framed == [(line, inside[line]) for each in statements for line in lines_of((each,))], name
