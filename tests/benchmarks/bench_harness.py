"""Race what a test pays for its database: `python tests/benchmarks/bench_harness.py [ROUNDS] [--one-core] [--start]`.

Each contender runs a suite of the same tests in a pytest of its own: 20 tables with five rows each, three inserts and a
commit a test. They take turns; what is printed is the median test of each one's quietest stretch, by the clock, beside
the time that pytest's own process worked for it. What is left when the floor, the same statements on a connection that
nobody puts back, is taken away is what a contender costs. Every rival has a server like that of trueup.

pytest loads the plugins that a contender needs and no others, and keeps what it has compiled. With `--one-core` pytest
and its server share one core: what is left out then is how long a machine takes to wake an idle one for each exchange.
With `--start` only what comes before the first test is timed.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from shutil import copytree
from statistics import median
from time import perf_counter

from race import in_units, say

from trueup.db import connect
from trueup.migrations import migrate_up, read_migrations
from trueup.servers import EmbeddedServer
from trueup.settings import Settings

HARNESS = Path(__file__).parent / "harness"
sys.path.insert(0, str(HARNESS))
from work import schema  # noqa: E402  It lies with the suites, which are no package.

CONFIGURATION = """
[tool.trueup]
schema = "migrations"

[tool.pytest.ini_options]
"""
MIGRATION = "-- migrate:up\n{}\n-- migrate:down\nselect 1;\n"
OWN = ("trueup.testing.plugin",)
RIVAL = ("rivals",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """Is one suite and how it is run."""

    name: str
    suite: str
    tests: int
    plugins: Sequence[str] = OWN
    options: Sequence[str] = ()
    tables: int = 20


STRETCH = 25
"""How many tests: the median of so many is that of ordinary ones."""
FLOOR = Contender(name="the statements alone", suite="floor", tests=300, plugins=RIVAL)
CONTENDERS = (
    FLOOR,
    Contender(name="nothing asked, no plugin", suite="empty", tests=300, plugins=()),
    Contender(name="nothing asked", suite="empty", tests=300),
    Contender(name="nothing asked, no guard", suite="empty", tests=300, options=("-o", "trueup_guard=false")),
    Contender(name="conn", suite="conn", tests=300),
    Contender(name="conn, no guard", suite="conn", tests=300, options=("-o", "trueup_guard=false")),
    Contender(name="db", suite="db", tests=300),
    Contender(name="db, no guard", suite="db", tests=300, options=("-o", "trueup_guard=false")),
    Contender(name="db, verified", suite="db", tests=100, options=("--trueup-verify",)),
    Contender(name="db, 100 tables", suite="db", tests=200, tables=100),
    Contender(name="fresh_db", suite="fresh_db", tests=60),
    Contender(name="fresh_db, test of 20 ms", suite="fresh_db_20_ms", tests=40),
    Contender(name="server", suite="server", tests=10),
    Contender(name="truncate", suite="truncate", tests=60, plugins=RIVAL),
    Contender(name="a clone a test", suite="clone", tests=40, plugins=RIVAL),
    Contender(
        name="pytest-postgresql", suite="pytest_postgresql", tests=30, plugins=("pytest_postgresql.plugin", *RIVAL)
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """Is one run of a suite: the median test, and how long it took until the first one's own code began."""

    clock_s: float
    cpu_s: float
    setup_s: float
    teardown_s: float
    since_session_s: float
    """From `pytest_sessionstart`, which comes before the tests are collected."""
    since_loading_s: float
    """From when pytest imported the first plugin that it was told to load."""


def project(folder: Path, tables: int) -> Path:
    """Make a project with the suites and so many tables."""
    copytree(HARNESS, folder)
    (folder / "pyproject.toml").write_text(CONFIGURATION)
    (folder / "schema.sql").write_text(schema(tables))
    (folder / "migrations").mkdir()
    (folder / "migrations" / "20260101000000_tables.sql").write_text(MIGRATION.format(schema(tables)))
    return folder


def run(folder: Path, contender: Contender, tests: int, **variables: str) -> Round | None:
    """Run a suite; None: a test of it failed."""
    times = folder / "times.json"
    loaded = ("no:cacheprovider", "timing", *contender.plugins)
    command = [
        sys.executable, "-m", "pytest", "-q", "--import-mode=importlib", f"--times={times}", f"--tests={tests}",
        *(word for name in loaded for word in ("-p", name)), *contender.options, f"suite_{contender.suite}.py",
    ]  # fmt: skip
    where = environment(folder, **variables)
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=where, check=False)
    if done.returncode:
        say(f"  {contender.name} failed, its round is left out:\n{done.stdout}{done.stderr}")
        return None
    found = json.loads(times.read_text())
    later = quietest_stretch(found[1:] or found)
    return Round(
        clock_s=median(each["clock"] for each in later),
        cpu_s=median(each["cpu"] for each in later),
        setup_s=median(each["setup"] for each in later),
        teardown_s=median(each["teardown"] for each in later),
        since_session_s=found[0]["since session"],
        since_loading_s=found[0]["since loading"],
    )


def quietest_stretch(tests: Sequence[Mapping[str, float]]) -> Sequence[Mapping[str, float]]:
    """Return the quickest of stretches of tests one after the other: other machines on ours disturb it for seconds."""
    starts = range(0, max(1, len(tests) - STRETCH + 1), STRETCH)
    return min((tests[start : start + STRETCH] for start in starts), key=lambda each: median(t["clock"] for t in each))


def environment(folder: Path, **variables: str) -> dict[str, str]:
    """Return the environment of a suite: where its plugins are, that no others are loaded, and bytecode is kept."""
    path = os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH"))))  # noqa: TID251
    own = {"PYTHONPATH": path, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONDONTWRITEBYTECODE": ""}
    return {**os.environ, **own, **variables}  # noqa: TID251


def main() -> None:
    words = sys.argv[1:]
    if "--one-core" in words:
        words.remove("--one-core")
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    is_start_alone = "--start" in words
    if is_start_alone:
        words.remove("--start")
    rounds = int(words[0]) if words else 3
    contenders = [each for each in CONTENDERS if each.suite != "pytest_postgresql" or find_spec("pytest_postgresql")]
    with tempfile.TemporaryDirectory() as parent:
        folders = {tables: project(Path(parent) / str(tables), tables) for tables in (20, 100)}
        if not is_start_alone:
            report(race(contenders, folders, rounds))
        report_start(folders[20], rounds)


def race(contenders: Sequence[Contender], folders: Mapping[int, Path], rounds: int) -> dict[str, list[Round]]:
    """Return what each contender's rounds took, in which they take turns."""
    found = {each.name: [] for each in contenders}
    for _ in range(rounds):
        for each in contenders:
            found[each.name].append(run(folders[each.tables], each, each.tests))
    return {name: [each for each in runs if each] for name, runs in found.items()}


def report(found: dict[str, list[Round]]) -> None:
    """Print what a test costs with each contender."""
    best = {name: min(rounds, key=lambda each: each.clock_s) for name, rounds in found.items() if rounds}
    floor = best[FLOOR.name]
    say(f"\n  {'':26}  a test      set-up   tear-down   above floor   cpu of pytest   x db")
    cost = best["db"].clock_s - floor.clock_s
    for name, each in best.items():
        above = each.clock_s - floor.clock_s
        say(
            f"  {name:26}{in_units(each.clock_s)}  {in_units(each.setup_s)}  {in_units(each.teardown_s)}"
            f"    {in_units(above)}      {in_units(each.cpu_s)}  {above / cost:6.1f}"
        )
    say("")
    for claim, seconds, limit_s in limits(best):
        say_limit(claim, seconds, limit_s)
    for rival, times in (("a clone a test", 10), ("pytest-postgresql", 20)):
        if rival in best:
            say_times(rival, (best[rival].clock_s - floor.clock_s) / cost, times)


def limits(best: dict[str, Round]) -> Iterator[tuple[str, float, float]]:
    """Give each claim with what was measured and what it may be."""
    above = {name: each.clock_s - best[FLOOR.name].clock_s for name, each in best.items()}
    for claim, name, limit_s in (
        ("conn above the floor", "conn", 0.0003),
        ("db above the floor", "db", 0.0015),
        ("db above the floor, 100 tables", "db, 100 tables", 0.003),
        ("fresh_db above the floor, flat out", "fresh_db", 0.015),
    ):
        if name in above:
            yield claim, above[name], limit_s
    for claim, name, limit_s in (
        ("set-up of fresh_db, test of 20 ms", "fresh_db, test of 20 ms", 0.004),
        ("set-up of a server of its own", "server", 0.08),
    ):
        if name in best:
            yield claim, best[name].setup_s, limit_s
    for name in ("nothing asked", "conn", "db"):
        guard = best[name].clock_s - best[f"{name}, no guard"].clock_s
        yield f"the guard with its check for leaks, {name}", guard, 0.00015


def report_start(folder: Path, rounds: int) -> None:
    """Print how long a run takes to its first test, and how long to collect without running any."""
    by_name = {each.name: each for each in CONTENDERS}
    contender, bare = by_name["db"], by_name["nothing asked, no plugin"]
    warm = [found for _ in range(2 * rounds) if (found := run(folder, contender, 1))]
    floor = [found for _ in range(2 * rounds) if (found := run(folder, bare, 1))]
    with tempfile.TemporaryDirectory() as cache:
        first = run(folder, contender, 1, TRUEUP_CACHE_DIR=cache)
        cold = [run_after_a_change(folder, contender, TRUEUP_CACHE_DIR=cache) for _ in range(rounds)]
    if warm and floor and first and all(cold):
        migrations_s = time_migrations(folder)
        say_limit("from pytest_sessionstart to the first test, warm", shortest(warm), 0.15)
        say(f"  the same of pytest alone, without trueup: {in_units(shortest(floor)).strip()}")
        say(
            "  from the import of the first plugin to the first test, warm:"
            f" {in_units(min(each.since_loading_s for each in warm)).strip()},"
            f" of pytest alone {in_units(min(each.since_loading_s for each in floor)).strip()}"
        )
        say_limit(
            "from pytest_sessionstart to the first test after migrations were changed,"
            f" less the {in_units(migrations_s).strip()} that they take",
            shortest([each for each in cold if each]) - migrations_s,
            0.6,
        )
        say(f"  the same with nothing cached, initdb included: {in_units(first.since_session_s).strip()}")
    both = [(collect(folder, "-p", *OWN), collect(folder)) for _ in range(4 * rounds)]
    with_plugin, without = (min(times) for times in zip(*both, strict=True))
    say_limit("pytest --collect-only, what the plugin adds", with_plugin - without, 0.05)


def shortest(runs: Iterable[Round]) -> float:
    """Return how long the quietest run took from the start of its session to its first test."""
    return min(each.since_session_s for each in runs)


def run_after_a_change(folder: Path, contender: Contender, **variables: str) -> Round | None:
    """Run one test of a suite whose migrations nobody has seen before."""
    [migration] = (folder / "migrations").iterdir()
    with migration.open("a") as file:
        file.write("-- changed\n")
    return run(folder, contender, 1, **variables)


def time_migrations(folder: Path) -> float:
    """Return the seconds that the migrations take on a database that is there."""
    with (
        EmbeddedServer(18, cache_folder=Settings.load().cache_folder) as server,
        closing(connect(server.create_database("timed"))) as connection,
    ):
        started = perf_counter()
        migrate_up(connection, read_migrations(folder / "migrations"))
        return perf_counter() - started


def collect(folder: Path, *options: str) -> float:
    """Return the seconds that collecting takes."""
    command = [sys.executable, "-m", "pytest", "-q", "--collect-only", *options, "suite_empty.py"]
    started = perf_counter()
    subprocess.run(
        [*command, "-p", "timing"], cwd=folder, check=True, stdout=subprocess.DEVNULL, env=environment(folder)
    )
    return perf_counter() - started


def say_limit(claim: str, seconds: float, limit_s: float) -> None:
    """Print a duration that has a limit, and whether it was kept."""
    verdict = "met" if seconds <= limit_s else "MISSED"
    say(f"  {claim} <= {in_units(limit_s).strip()}: {verdict} ({in_units(seconds).strip()})")


def say_times(rival: str, ratio: float, wanted: float) -> None:
    """Print how many times as much a rival costs, and whether that is as meant."""
    say(f"  {rival} costs {ratio:.1f} times as much as db, meant {wanted:g}: {'met' if ratio >= wanted else 'MISSED'}")


if __name__ == "__main__":
    main()
