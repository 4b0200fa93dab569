"""Race comparisons of a table on two servers: `python tests/benchmarks/bench_data_parity.py [ROWS] [ROUNDS] [--alone]`.

A million rows or ROWS, of which 20 differ, on PostgreSQL 16 and 18, each contender in a process of its own, in turns;
printed is the fastest round of each. Limits are what the servers need to count all rows, and to hash them once: both
sides at once, like everyone. At last a tenth of the rows differs, for trueup alone. The others are installed into
environments of their own, in trueup's cache; `--alone` leaves them out.
"""

import json
import subprocess
import sys
import venv
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """Is a program with its options."""

    program: str
    options: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        chosen = ", ".join(f"{name}={value}" for name, value in self.options.items())
        return f"{self.program} ({chosen or 'as it comes'})"


OWN = Contender(program="trueup")
RIVALS = (
    Contender(program="reladiff"),
    *(
        Contender(program="reladiff", options={"threads": 4, "bisection_factor": 256, "bisection_threshold": threshold})
        for threshold in (4_096, 16_384, 32_768)
    ),
    Contender(program="data_diff"),
    Contender(program="data_diff", options={"threads": 4, "bisection_factor": 256, "bisection_threshold": 16_384}),
)


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
        raise SystemExit(f"{contender} failed: {done.stderr.strip().splitlines()[-1]}")
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


def tell(name: str, seconds: float, limit: float, said: dict[str, float] | None = None) -> None:
    """Print a line."""
    more = f", {said['differences']:.0f} keys differ, {said['peak_mb']:.0f} MB" if said else ""
    sys.stdout.write(f"{seconds:8.2f} s {seconds / limit:7.2f} x the hash pass  {name}{more}\n")


def race(contenders: Sequence[Contender], places: Sequence[ConnInfo], rounds: int, expected: int) -> dict[str, float]:
    """Print a line for each contender and each limit; return the seconds of each."""
    cache_folder = Settings.load().cache_folder
    answers: dict[str, list[dict[str, float]]] = {str(one): [] for one in contenders}
    limits: dict[str, list[float]] = {"count(*)": [], "hash pass": []}
    for _ in range(rounds):
        limits["count(*)"].append(time_query(places, "select count(*) from public.t"))
        limits["hash pass"].append(time_query(places, HASH))
        for one in contenders:
            answers[str(one)].append(run(one, places, cache_folder))
    limit = min(limits["hash pass"])
    for name, seconds in limits.items():
        tell(name, min(seconds), limit)
    for name, said in answers.items():
        best = min(said, key=lambda answer: answer["seconds"])
        tell(name, best["seconds"], limit, best)
        if best["differences"] != expected:
            sys.stdout.write(f"         WRONG: {expected} keys differ\n")
    return {name: min(answer["seconds"] for answer in said) for name, said in answers.items()}


def main(rows: int, rounds: int, rivals: Sequence[Contender]) -> None:
    """Print a line for each contender."""
    cache_folder = Settings.load().cache_folder
    with (
        EmbeddedServer(16, cache_folder=cache_folder, tcp=True) as old,
        EmbeddedServer(18, cache_folder=cache_folder, tcp=True) as new,
    ):
        places = [server.create_database("parity") for server in (old, new)]
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(fill, places, [rows] * 2))
        edit(places[1], rows, FEW)
        sys.stdout.write(f"{rows:,} rows, {FEW} differ:\n")
        few = race([OWN, *rivals], places, rounds, FEW)
        edit(places[1], rows, rows // 10)
        sys.stdout.write(f"{rows:,} rows, {rows // 10:,} more differ:\n")
        many = race([OWN], places, rounds, rows // 10 + FEW)
    sys.stdout.write(f"Many differences take {many[str(OWN)] / few[str(OWN)]:.2f} times as long as few.\n")
    for name, seconds in few.items():
        if name != str(OWN):
            sys.stdout.write(f"{seconds / few[str(OWN)]:8.2f} times as long as trueup: {name}\n")


if __name__ == "__main__":
    numbers = [int(text) for text in sys.argv[1:] if text.isdecimal()]
    main(*([*numbers, *(1_000_000, 3)[len(numbers) :]]), rivals=() if "--alone" in sys.argv else RIVALS)
