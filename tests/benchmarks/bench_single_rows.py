"""Race reads and single writes: `python tests/benchmarks/bench_single_rows.py`.

find_one, find_many of 1000 rows, upsert, and a transaction of two upserts, over a unix socket.
"""

from functools import partial
from inspect import iscoroutinefunction
from typing import Any

from arena import arena, fill
from clients import COMPANY, changing, client, values
from contenders import DRIVERS, EVERY, connected, versions
from race import Entrant, Target, race, report, result_of, say

from trueup.conninfo import ConnInfo
from trueup.db import Connection

BASE = "psycopg class_row"
ROWS = 1000


def bind(method: Any, *arguments: Any) -> Any:
    """Return a call with its arguments, a coroutine function if it was one."""
    if iscoroutinefunction(method):

        async def call() -> Any:
            return await method(*arguments)

        return call
    return partial(method, *arguments)


def feed(method: Any, *sources: Any) -> Any:
    """Return a call that takes the next row of each source every time."""
    if iscoroutinefunction(method):

        async def call() -> Any:
            return await method(*map(next, sources))

        return call
    return lambda: method(*map(next, sources))


def race_find_one(contenders: list[Any], observer: Connection) -> None:
    wanted = client(500)
    for each in contenders:
        assert values(result_of(each.find_one, COMPANY, wanted.phone)) == values(wanted), each.name
    entrants = [Entrant(name=each.name, run=bind(each.find_one, COMPANY, wanted.phone)) for each in contenders]
    targets = [Target(of="trueup", by=BASE, limit=0.75)]
    report(
        "find_one by a unique key",
        race(entrants, observer, rounds=40, calls=50, budget_s=8),
        base=BASE,
        targets=targets,
    )


def race_find_many(contenders: list[Any], observer: Connection, version: int) -> None:
    wanted = [values(client(number)) for number in range(ROWS)]
    for each in contenders:
        found = result_of(each.find_many, COMPANY)
        assert sorted(map(values, found), key=lambda row: row[1]) == wanted, each.name
    entrants = [Entrant(name=each.name, run=bind(each.find_many, COMPANY)) for each in contenders]
    targets = [Target(of="trueup", by=BASE, limit=0.55)]
    title = f"find_many, {ROWS} rows, PostgreSQL {version}"
    report(title, race(entrants, observer, rounds=25, calls=2, budget_s=8), base=BASE, targets=targets)


def race_upsert(contenders: list[Any], observer: Connection, version: int) -> None:
    wanted = client(500, visits=-1)
    for each in contenders:
        assert values(result_of(each.upsert, wanted)) == values(wanted), each.name
        assert values(result_of(each.upsert, client(500))) == values(client(500)), each.name
    entrants = [Entrant(name=each.name, run=feed(each.upsert, changing(500))) for each in contenders]
    targets = [Target(of="trueup", by=BASE, limit=0.85)]
    title = f"upsert that changes a row and returns it, PostgreSQL {version}; trueup tells inserted from updated"
    report(title, race(entrants, observer, rounds=25, calls=30, budget_s=8), base=BASE, targets=targets)


def race_two_upserts(contenders: list[Any], observer: Connection) -> None:
    for each in contenders:
        result_of(each.two_upserts, client(1, visits=5), client(2, visits=6))
        query = "select visits from clients where company_id = %s and phone = any(%s) order by phone"
        stored = observer.execute(query, (COMPANY, [client(1).phone, client(2).phone])).fetchall()
        assert stored == [(5,), (6,)], each.name
        result_of(each.two_upserts, client(1), client(2))
    entrants = [Entrant(name=each.name, run=feed(each.two_upserts, changing(1), changing(2))) for each in contenders]
    limited = next(each for each in contenders if each.name == BASE)
    run = feed(limited.two_upserts_with_limits, changing(1), changing(2))
    entrants.append(Entrant(name=f"{BASE}, set local x3", run=run))
    title = "transaction of two upserts; trueup with lock, statement and transaction timeout and a number for COMMIT"
    report(title, race(entrants, observer, rounds=25, calls=20, budget_s=8), base=BASE)


def fresh(conninfo: ConnInfo, observer: Connection) -> None:
    """Fill the table with ten companies of clients."""
    rows = [client(number, company_id=company) for company in range(COMPANY - 5, COMPANY + 5) for number in range(ROWS)]
    fill(observer, rows)


def main() -> None:
    say(versions())
    with arena(18) as (conninfo, observer):
        fresh(conninfo, observer)
        with connected(EVERY, conninfo) as contenders:
            race_find_one(contenders, observer)
            race_find_many(contenders, observer, 18)
            race_upsert(contenders, observer, 18)
            fresh(conninfo, observer)
            race_two_upserts(contenders, observer)
    with arena(16) as (conninfo, observer):
        fresh(conninfo, observer)
        with connected(DRIVERS, conninfo) as contenders:
            race_find_many(contenders, observer, 16)
            race_upsert(contenders, observer, 16)


if __name__ == "__main__":
    main()
