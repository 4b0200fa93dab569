"""Race comparisons of a table on two servers: `python tests/benchmarks/bench_data_parity.py [ROWS…] [--alone]`.

A million rows, or each number of ROWS, of which 20 differ, on PostgreSQL 16 and 18; each contender in a process of its
own, in turns. Limits are what the servers need to count all rows, and to hash them once: both sides at once, like
everyone. At last a tenth of the rows differs as well, for trueup alone. The others are installed into environments of
their own, in trueup's cache; `--alone` leaves them out. Clock times leave out imports; those of processors are of both
servers and, without imports, of the contender.

`nox -s bench -- data_parity 1000000 5000000` races at the sizes that have targets; to see how time and memory grow:
`nox -s bench -- data_parity 1000000 5000000 20000000 --alone`.
"""

import json
import subprocess
import sys
import venv
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from time import perf_counter
from typing import Any

import psutil
from race import Result, Target, Times, report, say

from trueup.conninfo import ConnInfo
from trueup.db import connect, snapshot
from trueup.servers import EmbeddedServer
from trueup.settings import Settings

COMPARER = Path(__file__).parent / "rows" / "comparer.py"
REQUIREMENTS = {
    "reladiff": ("reladiff==0.6.0", "psycopg2-binary"),
    # What it needs of them has moved on without it.
    "data_diff": ("data-diff==0.11.2", "dbt-core<1.8", "pydantic<2", "setuptools<81", "psycopg2-binary"),
}
TABLE = """
    create table t (
        id bigint primary key, name text, price numeric(12,2), seen timestamptz, doc jsonb, flag boolean, note text
    )
"""
ROWS = """
    insert into t
    select i, 'name of customer ' || i, i / 8.0, '2024-01-01 00:00+00'::timestamptz + i * interval '1.000001 s',
        jsonb_build_object('visits', i % 97, 'tags', jsonb_build_array('a', i % 7), 'source', 'phone'),
        i % 3 = 0, case when i % 5 = 0 then 'note ' || i end
    from generate_series(1, {rows}) as i
"""
EDIT = "update t set price = price + 1 where id % {step} = {step} / 2"
HASH = """
    select count(*), sum(hash_record_extended(
        row(int8send(id), name, numeric_send(price), timestamptz_send(seen), doc::text, flag, note), id # 5::int8
    )) from public.t
"""
FEW = 20
ROUNDS = 3
HASH_PASS, COUNT = "hash pass", "count(*)"
LIMITS = {COUNT: "select count(*) from public.t", HASH_PASS: HASH}
OVER_HASH_PASS = 1.25
MANY_OVER_FEW = 2.0
OVER_BEST, OVER_DEFAULT = {1_000_000: 1 / 3, 5_000_000: 1 / 2.5}, 1 / 6
"""Of what the other program takes, with its best options, by number of rows, and as it comes."""
SESSIONS = "select count(*) from pg_stat_activity where datname = 'parity' and pid <> pg_backend_pid()"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """Is a program with its options."""

    program: str
    options: dict[str, Any] = field(default_factory=dict)
    rounds: int = ROUNDS

    def __str__(self) -> str:
        chosen = ", ".join(f"{name}={value}" for name, value in self.options.items())
        return f"{self.program} ({chosen})" if chosen else self.program


OWN = Contender(program="trueup")
RIVALS = (
    Contender(program="reladiff"),
    *(
        Contender(program="reladiff", options={"threads": 4, "bisection_factor": 256, "bisection_threshold": threshold})
        for threshold in (4_096, 16_384, 32_768)
    ),
    Contender(program="data_diff", rounds=1),
    Contender(
        program="data_diff",
        options={"threads": 4, "bisection_factor": 256, "bisection_threshold": 16_384},
        rounds=1,
    ),
)
DEFAULT, TUNED = str(RIVALS[0]), tuple(map(str, RIVALS[1:4]))


def interpreter(program: str, cache_folder: Path) -> Path:
    """Return the Python of a program's own environment, made at the first time."""
    if program == OWN.program:
        return Path(sys.executable)
    folder = cache_folder / "benchmarks" / program
    python = folder / "bin" / "python"
    if not (folder / "complete").exists():
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *REQUIREMENTS[program]], check=True)
        (folder / "complete").touch()
    return python


def uri(place: ConnInfo) -> str:
    """Return an address that every contender understands; one of them insists on a password, which nobody checks."""
    parts = place.parameters
    return f"postgresql://{parts['user']}:any@{parts['host']}:{parts['port']}/{parts['dbname']}"


def run(contender: Contender, places: Sequence[ConnInfo], cache_folder: Path) -> dict[str, float]:
    """Return what one comparison says of itself."""
    command = [interpreter(contender.program, cache_folder), COMPARER, contender.program, *map(uri, places)]
    done = subprocess.run([*command, json.dumps(contender.options)], check=False, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{contender} failed: {done.stderr.strip()[-500:]}")
    said: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return said


def time_query(places: Sequence[ConnInfo], query: str) -> float:
    """Return the seconds until both servers have answered."""
    with snapshot(places[0]) as source, snapshot(places[1]) as target, ThreadPoolExecutor(2) as pool:
        started = perf_counter()
        list(pool.map(lambda side: side.rows(query), (source, target)))
        return perf_counter() - started


def fill(place: ConnInfo, rows: int) -> None:
    """Make the table."""
    with connect(place) as connection:
        connection.execute(TABLE)
        connection.execute(ROWS.format(rows=rows))
        connection.execute("vacuum (analyze, freeze) t")


def edit(place: ConnInfo, rows: int, differences: int) -> None:
    """Make that many rows differ, spread over the table."""
    with connect(place) as connection:
        connection.execute(EDIT.format(step=rows // differences))
        connection.execute("vacuum analyze t")


class Arena:
    """Is the table on both servers, whose processors' work is counted."""

    def __init__(self, servers: Sequence[EmbeddedServer], rows: int) -> None:
        self.places = [server.create_database("parity") for server in servers]
        self._postmasters = [psutil.Process(server.pid) for server in servers]
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(fill, self.places, [rows] * 2))

    def worked_s(self) -> float:
        """Return the seconds that processors have worked for sessions, once all have ended."""
        for place in self.places:
            with connect(place) as connection:
                while connection.execute(SESSIONS).fetchone() != (0,):
                    Event().wait(0.01)
        times = [postmaster.cpu_times() for postmaster in self._postmasters]
        return sum(each.children_user + each.children_system for each in times)

    def measure(self, times: Times, run: Callable[[], dict[str, float]]) -> None:
        """Add how long something took, by its own word and by the processors of both servers."""
        before = self.worked_s()
        said = run()
        times.clock.append(said["seconds"])
        times.cpu.append(self.worked_s() - before + said.get("cpu_s", 0))
        if "differences" in said:
            times.note = f"{said['differences']:,.0f} keys differ, {said['peak_mb']:.0f} MB"


@contextmanager
def arena(rows: int) -> Iterator[Arena]:
    """Fill the table on servers of both versions."""
    cache_folder = Settings.load().cache_folder
    with (
        EmbeddedServer(16, cache_folder=cache_folder, tcp=True) as old,
        EmbeddedServer(18, cache_folder=cache_folder, tcp=True) as new,
    ):
        yield Arena((old, new), rows)


def race(arena: Arena, contenders: Sequence[Contender], expected: int) -> Result:
    """Return the times of each contender and each limit; whoever finds something else is named."""
    cache_folder = Settings.load().cache_folder
    result: Result = {name: Times() for name in (*LIMITS, *map(str, contenders))}
    for number in range(ROUNDS):
        for name, query in LIMITS.items():
            arena.measure(result[name], lambda query=query: {"seconds": time_query(arena.places, query)})  # type: ignore[misc]
        for one in contenders:
            if number < one.rounds:
                arena.measure(result[str(one)], lambda one=one: run(one, arena.places, cache_folder))  # type: ignore[misc]
    for one in contenders:
        if not result[str(one)].note.startswith(f"{expected:,} "):
            result[str(one)].note += f", WRONG: {expected:,} do"
    return result


def targets(result: Result, rows: int) -> Iterable[Target]:
    """Yield what is meant to be reached with so many rows."""
    yield Target(of=str(OWN), by=HASH_PASS, limit=OVER_HASH_PASS)
    if DEFAULT in result:
        best = min(TUNED, key=lambda name: min(result[name].clock))
        yield Target(of=str(OWN), by=best, limit=OVER_BEST.get(rows, 1.0))
        yield Target(of=str(OWN), by=DEFAULT, limit=OVER_DEFAULT)


def main(sizes: Sequence[int], rivals: Sequence[Contender]) -> None:
    """Print a table for each size, and how trueup's time and memory grow."""
    growth = []
    for rows in sizes:
        with arena(rows) as both:
            edit(both.places[1], rows, FEW)
            few = race(both, [OWN, *rivals], FEW)
            title = f"{rows:,} rows, {FEW} differ"
            report(title, few, base=HASH_PASS, targets=tuple(targets(few, rows)))
            edit(both.places[1], rows, rows // 10)
            many = race(both, [OWN], FEW + rows // 10)
        again = f"{OWN}, {rows // 10:,} more"
        both_own = {str(OWN): few[str(OWN)], again: many[str(OWN)]}
        limit = Target(of=again, by=str(OWN), limit=MANY_OVER_FEW)
        report(f"{rows:,} rows, many differ", both_own, base=str(OWN), targets=[limit])
        seconds = min(few[str(OWN)].clock) / rows * 1e6
        growth.append(f"  {rows:>11,} rows: {seconds:.2f} s a million, {few[str(OWN)].note}")
    say("\nHow trueup grows")
    for line in growth:
        say(line)


if __name__ == "__main__":
    numbers = [int(text) for text in sys.argv[1:] if text.isdecimal()]
    main(numbers or [1_000_000], rivals=() if "--alone" in sys.argv else RIVALS)
