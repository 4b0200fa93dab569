"""Race writers of 10,000 rows: `python tests/benchmarks/bench_many_rows.py`.

bulk_upsert where half of the rows exist, and a sync where nothing has changed, with the log and the identity values
that it costs.

The verdict is by the time that the processors work, for the client and for the server's process together: all that is
done for the rows counts, by whomever. By the clock, what a client does while the server works costs nothing as long as
a second processor is free: psycopg's executemany hides nearly half of its work so, trueup less, for it has less, and
the server alone none. That ratio is printed beside it and tells how long one caller waits on an idle machine. Where two
processors share a core, each is slower while the other works, and what is done side by side counts for more.
"""

from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
from arena import COLUMNS, arena, content, keep, restore
from bench_single_rows import bind
from clients import DATA, Client, client, some_clients
from contenders import DRIVERS, WITHOUT_POOLS, connected, versions
from race import Entrant, Target, race, report, result_of, say, say_number

from trueup.db import Connection

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS = 10_000
ROUNDS = 15
BUDGET_S = 20
"""How long one race may take: the slow ones run once or twice, the fast ones every round."""
EXECUTEMANY = "psycopg executemany"
ON_SERVER = "server only: insert .. select"
"""From a table that holds the rows, read and typed already, in the order in which everybody else is given them."""
SORTED = "the same from rows stored by key"
DO_UPDATE = "one statement, do update"
DISTINCT = "one statement, do update where distinct"
NAMES = {"psycopg class_row": EXECUTEMANY, "asyncpg": "asyncpg executemany"}

SETTING = ", ".join(f"{name} = excluded.{name}" for name in DATA)
CONFLICT = f"on conflict (company_id, phone) do update set {SETTING}, updated_at = now()"
DISTINCT_ROWS = (
    f"where ({', '.join(f'clients.{name}' for name in DATA)})"
    f" is distinct from ({', '.join(f'excluded.{name}' for name in DATA)})"
)
GIVEN_TYPES = (
    "company_id integer, phone text, name text, visits integer, spent numeric, tags text[], prefs jsonb,"
    " seen_at timestamptz"
)
FROM_JSON = (
    f"insert into clients ({COLUMNS}) select {COLUMNS} from json_to_recordset(%s::json) as given({GIVEN_TYPES})"
    f" order by company_id, phone {CONFLICT}"
)
FROM_TABLE = f"insert into clients ({COLUMNS}) select {COLUMNS} from {{}} {CONFLICT}"


def race_bulk_upsert(contenders: list[Any], observer: Connection, version: int, *, rounds: int) -> None:
    """Race 10,000 rows of which every second one exists, all of them changed."""
    existing = [client(number) for number in range(0, ROWS, 2)]
    given = some_clients(ROWS, visits=1)
    keep(observer, existing, "existing")
    keep(observer, given, "given")
    keep(observer, given, "came", in_order=False)
    prepare = partial(restore, observer, "existing")
    entrants = [
        Entrant(name=name, run=partial(observer.execute, FROM_TABLE.format(table)), prepare=prepare)
        for name, table in {ON_SERVER: "came", SORTED: "given"}.items()
    ]
    entrants += [
        Entrant(name=NAMES.get(each.name, each.name), run=bind(each.bulk_upsert, given), prepare=prepare)
        for each in contenders
    ]
    check(entrants, observer, content_of("given", observer))
    result = race(entrants, observer, rounds=rounds, budget_s=BUDGET_S)
    limits = {EXECUTEMANY: 0.32, ON_SERVER: 1.5}
    targets = [Target(of="trueup", by=by, limit=limit, measure="cpu") for by, limit in limits.items()]
    report(
        f"bulk_upsert of {ROWS} rows, half existing, PostgreSQL {version}", result, base=EXECUTEMANY, targets=targets
    )


def content_of(kept: str, observer: Connection) -> str:
    """Return what the table's content is when it is exactly these rows."""
    restore(observer, kept)
    return content(observer)


def check(entrants: list[Entrant], observer: Connection, wanted: str) -> None:
    """Run each once and look at what it has stored."""
    for entrant in entrants:
        entrant.prepare()
        result_of(entrant.run)
        assert content(observer) == wanted, entrant.name


def race_sync(contenders: list[Any], observer: Connection, version: int, *, rounds: int) -> None:
    """Race 10,000 rows that are all stored already as they are given."""
    given = some_clients(ROWS)
    keep(observer, given, "given")
    wal: dict[str, int] = {}
    ids: dict[str, int] = {}
    prepare = partial(restore, observer, "given")
    runs: dict[str, Callable[[], Any]] = {
        DO_UPDATE: lambda: observer.execute(FROM_JSON, (in_json(given),)),
        DISTINCT: lambda: observer.execute(f"{FROM_JSON} {DISTINCT_ROWS}", (in_json(given),)),
    }
    runs |= {NAMES.get(each.name, each.name): bind(each.bulk_upsert, given) for each in contenders}
    trueup = next(each for each in contenders if each.name == "trueup")
    runs["trueup"] = bind(trueup.sync, given)
    entrants = [Entrant(name=name, run=run, prepare=prepare) for name, run in runs.items()]
    wanted = content_of("given", observer)
    for entrant in entrants:
        wal[entrant.name], ids[entrant.name] = cost(entrant, observer)
        assert content(observer) == wanted, entrant.name
    result = race(entrants, observer, rounds=rounds, budget_s=BUDGET_S)
    for name, times in result.items():
        times.note = f"{wal[name] / 1e6:5.2f} MB of log, {ids[name]:5} ids"
    title = f"sync of {ROWS} rows, none changed, PostgreSQL {version}"
    target = Target(of="trueup", by=DO_UPDATE, limit=0.6, measure="cpu")
    report(title, result, base=DO_UPDATE, targets=[target])
    say_number("bytes of log", wal["trueup"], 0)
    say_number("identity values", ids["trueup"], 0)


def in_json(rows: list[Client]) -> str:
    """Return rows as the JSON that one statement takes."""
    return msgspec.json.encode(rows).decode()


def cost(entrant: Entrant, observer: Connection) -> tuple[int, int]:
    """Return the bytes of log and the identity values that a run takes.

    The preparation leaves old rows in the catalogs, above all the statistics of the table. Whoever reads them next
    cleans up, and logs that: here it is done before.
    """
    entrant.prepare()
    observer.execute("vacuum")
    before = spent(observer)
    result_of(entrant.run)
    bytes_of_log, numbers = (new - old for new, old in zip(spent(observer), before, strict=True))
    return bytes_of_log, numbers


def spent(observer: Connection) -> tuple[int, int]:
    """Return the position in the log, in bytes, and the last identity value."""
    query = "select (pg_current_wal_insert_lsn() - '0/0')::bigint, (select last_value from clients_id_seq)"
    ((position, number),) = observer.execute(query).fetchall()
    return position, number


def main() -> None:
    say(versions())
    with arena(18) as (conninfo, observer), connected(WITHOUT_POOLS, conninfo) as contenders:
        race_bulk_upsert(contenders, observer, 18, rounds=ROUNDS)
        race_sync(contenders, observer, 18, rounds=ROUNDS)
    with arena(16) as (conninfo, observer), connected(DRIVERS, conninfo) as contenders:
        race_bulk_upsert(contenders, observer, 16, rounds=ROUNDS)
        race_sync(contenders, observer, 16, rounds=ROUNDS)


if __name__ == "__main__":
    main()
