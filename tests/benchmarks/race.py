"""Races contenders against each other, round by round in one process, and prints how they did.

The best round counts, for the machine may be busy with other things; who is first in a round changes. Beside the time
by the clock stands that of the processors, of client and server: where other work runs, it is the one to trust.
"""

import asyncio
import gc
import json
import re
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from inspect import iscoroutinefunction
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any, Literal

from trueup.db import Connection

RATIOS = Path(__file__).parents[2] / "reports" / "benchmarks"
LOOP = asyncio.new_event_loop()
"""Where contenders run whose calls are coroutines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrant:
    """Is one contender of one race."""

    name: str
    run: Callable[[], Any]
    """What is timed; a coroutine function is timed inside a running loop."""
    prepare: Callable[[], object] = lambda: None
    """Puts everything back to where it was; called before each round and not timed."""


Measure = Literal["clock", "cpu"]
MEASURES: dict[Measure, str] = {"clock": "by the clock", "cpu": "by the processors' time"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Is how fast one contender is meant to be, measured by another one."""

    of: str
    by: str
    limit: float
    measure: Measure = "clock"
    """Whose ratio is the verdict; the other one is printed beside it."""


@dataclass(slots=True)
class Times:
    """Is the seconds that each round of one contender took."""

    clock: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    note: str = ""


Result = dict[str, Times]


def race(
    entrants: Sequence[Entrant], observer: Connection, *, rounds: int, calls: int = 1, budget_s: float = 30.0
) -> Result:
    """Time every entrant once a round, taking turns; who has used up its share of `budget_s` sits out the rest."""
    result = {entrant.name: Times() for entrant in entrants}
    share_s = budget_s / len(entrants)
    gc.collect()
    gc.freeze()
    for number in range(rounds):
        backends = backends_of(observer)
        first = number % len(entrants)
        for entrant in (*entrants[first:], *entrants[:first]):
            if sum(result[entrant.name].clock) * calls > share_s:
                continue
            entrant.prepare()
            gc.collect()
            before = worked_s(backends)
            result[entrant.name].clock.append(time_calls(entrant.run, calls) / calls)
            after = worked_s(backends)
            begun = [pid for pid in backends_of(observer) if pid not in before]
            after |= {pid: worked for pid, worked in worked_s(begun).items() if pid}
            result[entrant.name].cpu.append(sum(after[pid] - before.get(pid, 0) for pid in after) / calls)
            backends += begun
    return result


def backends_of(observer: Connection) -> list[int]:
    """Return the process of every connection to the server."""
    return [pid for (pid,) in observer.execute("select pid from pg_stat_activity").fetchall()]


def worked_s(backends: Sequence[int]) -> dict[int, float]:
    """Return the seconds that processors have worked for this process, under 0, and for each backend that is there."""
    worked = {0: process_time()}
    for pid in backends:
        with suppress(FileNotFoundError):
            worked[pid] = int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
    return worked


def time_calls(run: Callable[[], Any], calls: int) -> float:
    """Return the seconds that some calls take, one after the other."""
    if iscoroutinefunction(run):
        return LOOP.run_until_complete(time_awaits(run, calls))
    started = perf_counter()
    for _ in range(calls):
        run()
    return perf_counter() - started


async def time_awaits(run: Callable[[], Any], calls: int) -> float:
    """Return the seconds that some calls of a coroutine function take, inside the running loop."""
    started = perf_counter()
    for _ in range(calls):
        await run()
    return perf_counter() - started


def result_of(run: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function or a coroutine function and return what it gives."""
    if iscoroutinefunction(run):
        return LOOP.run_until_complete(run(*arguments))
    return run(*arguments)


def report(title: str, result: Result, *, base: str, targets: Sequence[Target] = ()) -> None:
    """Print one table, by the clock and by the processors, with ratios to `base`, and each target."""
    width = max(map(len, result))
    say(f"\n{title}\n  {'':{width}}      best      median   ratio         cpu   ratio")
    for name, times in sorted(result.items(), key=lambda item: min(item[1].clock)):
        found = ratios(times, result[base])
        columns = f"{in_units(min(times.clock))}  {in_units(median(times.clock))}  x{found['clock']:5.2f}"
        say(f"  {name:{width}}  {columns}  {in_units(min(times.cpu))}  x{found['cpu']:5.2f}  {times.note}".rstrip())
    for target in targets:
        say_target(target, ratios(result[target.of], result[target.by]))
    keep(title, result, targets)


def keep(title: str, result: Result, targets: Sequence[Target]) -> None:
    """Write the ratios that have a target to where the page of all reports finds them."""
    found = [
        {
            "name": title if target.of == "trueup" else f"{title}, {target.of}",
            "ratio": round(ratios(result[target.of], result[target.by])[target.measure], 4),
            "against": target.by if target.measure == "clock" else f"{target.by}, {MEASURES[target.measure]}",
            "limit": target.limit,
        }
        for target in targets
    ]
    if found:
        RATIOS.mkdir(parents=True, exist_ok=True)
        name = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
        (RATIOS / f"{name}.json").write_text(json.dumps({"ratios": found}), encoding="utf-8")


def ratios(times: Times, base: Times) -> dict[Measure, float]:
    """Return how the best rounds of two contenders compare, by each measure."""
    return {"clock": min(times.clock) / min(base.clock), "cpu": min(times.cpu) / min(base.cpu)}


def say_target(target: Target, found: dict[Measure, float]) -> None:
    """Print a target and whether it was met by its measure, then what the other one says; nothing fails by it."""
    verdict = "met" if found[target.measure] <= target.limit else "MISSED"
    first, second = sorted(MEASURES, key=lambda measure: measure != target.measure)
    shown = f"{found[first]:.2f} {MEASURES[first]}; {found[second]:.2f} {MEASURES[second]}"
    say(f"  {target.of} <= {target.limit:g} x {target.by}: {verdict} ({shown})")


def say_number(claim: str, number: int, limit: int) -> None:
    """Print a number that has a limit, and whether it was kept."""
    say(f"  {claim} <= {limit}: {'met' if number <= limit else 'MISSED'} ({number})")


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def in_units(seconds: float) -> str:
    """Return a duration to read, always equally wide."""
    return f"{seconds * 1e6:7.1f} us" if seconds < 0.001 else f"{seconds * 1e3:7.1f} ms"
