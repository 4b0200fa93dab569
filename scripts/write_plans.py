"""Write fixtures/plans/plans.json: how the structures beside it differ, and what is planned between them.

    python scripts/write_plans.py              # after a change of plans
    python scripts/write_plans.py structures   # after a change of cases or catalogs: asks a server for both

Before either: `pytest tests/integration/parity/schema/planning/test_plan.py`, which tries every plan there and back.
"""

import gzip
import json
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import astuple
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from trueup.conninfo import ConnInfo
from trueup.db import Connection, Snapshot, connect
from trueup.db.snapshots import PINNED
from trueup.parity.schema import Saved, catalog, diff, encode_structure
from trueup.parity.schema.planning import Plan, Statement, Structure, dependencies, planned, stated
from trueup.parity.schema.planning.plan import Step
from trueup.parity.schema.saved import decode_structure
from trueup.servers import EmbeddedServer
from trueup.settings import Settings

ROOT = Path(__file__).parents[1]
STRUCTURES = ROOT / "fixtures/plans/structures.jsonl.gz"
PLANS = ROOT / "fixtures/plans/plans.json"
INTERNAL = re.compile(r"(?<=RI_ConstraintTrigger_[ac]_)\d+")
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)

Pair = tuple[Structure, Structure]


# -- structures --------------------------------------------------------------------------------------------------------


def write_structures() -> None:
    """Build both sides of each case on a server, and keep what they are made of."""
    sys.path.insert(0, str(ROOT))
    from tests.integration.parity.schema.planning.case_table import CASES  # noqa: PLC0415 — found from here on

    with EmbeddedServer(18, cache_folder=Settings.load().cache_folder) as server, ExitStack() as stack:
        sides = [
            (each, stack.enter_context(connect(each))) for each in map(server.create_database, ("source", "target"))
        ]
        kept = [
            [
                name,
                *(built(*side, statements) for side, statements in zip(sides, (case.source, case.target), strict=True)),
            ]
            for name, case in sorted(CASES.items())
        ]
    text = "".join(json.dumps(each, separators=(",", ":"), ensure_ascii=False) + "\n" for each in kept)
    STRUCTURES.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


def built(conninfo: ConnInfo, connection: Connection, statements: str) -> Any:
    """Return the structure that statements make, as JSON has it; they are rolled back, so nothing has to be dropped."""
    with connection.transaction(force_rollback=True):
        connection.execute(statements.encode())
        connection.execute("reset role")
        for setting in PINNED:
            connection.execute("select set_config(%s, %s, true)", setting)
        name = connection.info.dbname
        seen = Snapshot(conninfo, connection, connection.info.server_version, name, connection.info.user, identity="")
        found = Saved(
            catalog=catalog(seen),
            needs=dependencies(seen),
            database=name,
            user="postgres",
            server_version=180_000,
            taken_at=LONG_AGO,
            trueup="",
        )
    return json.loads(numbered(encode_structure(found).decode()))


def numbered(structure: str) -> str:
    """Return a structure whose internal triggers are counted, where their names hold the numbers of this server."""
    numbers = sorted(set(INTERNAL.findall(structure)), key=int)
    return INTERNAL.sub(lambda found: str(numbers.index(found[0]) + 1), structure)


def pairs() -> Iterator[tuple[str, Pair]]:
    """Yield source and target of each case, by its name."""
    for line in gzip.decompress(STRUCTURES.read_bytes()).splitlines():
        name, *sides = json.loads(line)
        source, target = (decode_structure(json.dumps(side).encode(), name) for side in sides)
        yield name, (Structure(source.catalog, source.needs), Structure(target.catalog, target.needs))


# -- plans -------------------------------------------------------------------------------------------------------------


def between(pair: Pair) -> Plan:
    """Return the plan that makes one structure like the other."""
    return planned(*pair, "postgres")


def told(pair: Pair, found: Plan) -> dict[str, list[str]]:
    """Return how two structures differ, the plan that makes one like the other, the one back, and what none reaches."""
    source, target = pair
    differences = [" | ".join(map(str, astuple(each))) for each in diff(source.catalog, target.catalog)]
    unreached = [f"{kind} {identity}" for kind, identity in found.unreached]
    return {"differences": differences, "up": shown(found.up), "down": shown(found.down), "unreached": unreached}


def shown(way: Iterable[Step]) -> list[str]:
    """Return statements with what is said of them."""
    return [text(statement) for statement in stated(way, allow_loss=False)]


def text(statement: Statement) -> str:
    """Return a statement with what is said of it, as a comment."""
    said = [*["withheld"] * statement.is_withheld, *statement.hazards]
    return f"{statement.sql}  -- {'; '.join(said)}" if said else statement.sql


def main(arguments: list[str]) -> None:
    """Write the plans, and before them the structures where asked."""
    PLANS.parent.mkdir(exist_ok=True)
    if arguments == ["structures"]:
        write_structures()
    plans = {name: told(pair, between(pair)) for name, pair in pairs()}
    PLANS.write_text(json.dumps(plans, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
