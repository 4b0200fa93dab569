"""Count blocking round trips, and race bad rows over a distance: `python tests/benchmarks/bench_round_trips.py`.

Round trips are counted by a long line: the time that a call takes, in round trips of the line.
"""

import logging
from contextlib import suppress
from functools import partial
from typing import Any

from arena import arena, content, fill, keep, restore
from bench_single_rows import bind, feed
from clients import COMPANY, Client, changing, client, some_clients
from contenders import EVERY, WITHOUT_POOLS, connected, versions
from contenders.splitting import PATIENCE_S, TooSlow
from delay_line import delay_line
from race import Entrant, Target, race, report, result_of, say, say_number, time_calls

from trueup.conninfo import ConnInfo
from trueup.db import Connection

LONG_S = 0.02
SHORT_S = 0.001
WARM_CALLS = 6
"""Calls until every contender has prepared what it prepares."""
COUNTED_CALLS = 2
ROWS, BAD_ROWS = 10_000, 100
CLEAN, BAD = "trueup, none bad", "trueup"


def count_round_trips(direct: ConnInfo, observer: Connection) -> None:
    """Print how often each contender waits for the server in each call."""
    fill(observer, [client(number) for number in range(10)])
    with delay_line(direct, LONG_S) as far, connected(EVERY, far) as contenders:
        say(f"\nround trips\n  {'':26}  find_one  upsert  transaction of two upserts")
        counts = {each.name: count(each) for each in contenders}
        psycopg = next(each for each in contenders if each.name == "psycopg class_row")
        limited = round_trips(feed(psycopg.two_upserts_with_limits, changing(3), changing(4)))
    for name, (find_one, upsert, two_upserts) in counts.items():
        more = f", with set local x3: {limited}" if name == psycopg.name else ""
        more = ", with three timeouts and a number for COMMIT" if name == "trueup" else more
        say(f"  {name:26}  {find_one:8}  {upsert:6}  {two_upserts}{more}")
    say_number("round trips of trueup's find_one", counts["trueup"][0], 1)
    say_number("round trips of trueup's transaction of two upserts", counts["trueup"][2], 4)


def count(contender: Any) -> list[int]:
    """Return the round trips of find_one, upsert, and a transaction of two upserts."""
    calls = (
        bind(contender.find_one, COMPANY, client(1).phone),
        feed(contender.upsert, changing(2)),
        feed(contender.two_upserts, changing(3), changing(4)),
    )
    return [round_trips(call) for call in calls]


def round_trips(call: Any) -> int:
    """Return how many round trips of the line a call takes when everything is warm."""
    time_calls(call, WARM_CALLS)
    return int(min(time_calls(call, 1) for _ in range(COUNTED_CALLS)) / LONG_S)


def race_bad_rows(direct: ConnInfo, observer: Connection) -> None:
    """Race 10,000 rows of which the server refuses 100, over a line of 1 ms: all the others have to be stored."""
    given = some_clients(ROWS, bad=BAD_ROWS)
    good = [row for row in given if row.spent >= 0]
    keep(observer, [], "nothing")
    fill(observer, good)
    wanted = content(observer)
    prepare = partial(restore, observer, "nothing")
    with delay_line(direct, SHORT_S) as near, connected(WITHOUT_POOLS, near) as contenders:
        trueup, *others = contenders
        runs = {BAD: bind(trueup.write_good_rows, given), CLEAN: bind(trueup.write_good_rows, some_clients(ROWS))}
        own = [Entrant(name=name, run=run, prepare=prepare) for name, run in runs.items()]
        for entrant in own:
            entrant.prepare()
            assert result_of(entrant.run) == (BAD_ROWS if entrant.name == BAD else 0), entrant.name
            assert entrant.name == CLEAN or content(observer) == wanted, entrant.name
        result = race(own, observer, rounds=6)
        for each in others:
            entrant = Entrant(name=f"{each.name}, halving by hand", run=bind(finish, each, given), prepare=prepare)
            result |= race([entrant], observer, rounds=1)
            if content(observer) != wanted:
                result[entrant.name].note = f"stopped after {PATIENCE_S:g} s, not done"
    title = f"{ROWS} rows of which {BAD_ROWS} are bad, over a line of {SHORT_S * 1000:g} ms; one round of the others"
    report(title, result, base=CLEAN, targets=[Target(of=BAD, by=CLEAN, limit=8)])


def finish(contender: Any, rows: list[Client]) -> None:
    """Let a contender write the good rows, unless that takes too long."""
    with suppress(TooSlow):
        result_of(contender.write_good_rows, rows)


def main() -> None:
    say(versions())
    logging.getLogger("psycopg").setLevel(logging.ERROR)
    with arena(18, tcp=True) as (direct, observer):
        count_round_trips(direct, observer)
        race_bad_rows(direct, observer)


if __name__ == "__main__":
    main()
