"""Time `trueup verify` and a plain `pg_dump | psql` side by side: `python tests/benchmarks/bench_verify.py [ROUNDS]`.

Prints the median of each phase, warm, against the goal; and how many times a plain move of the same sample between the
same servers the run costs, and its check of the data alone.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from statistics import median

from trueup.conninfo import ConnInfo
from trueup.servers import EmbeddedServer
from trueup.settings import Settings
from trueup.verify.sample import build_sample

GOAL_S = 8
WHOLE, PLAIN = "the whole command", "pg_dump | psql"


def time_command(folder: Path) -> dict[str, float]:
    """Return the seconds of each phase that the report of a run names, and of the whole command."""
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "trueup", "verify", "--sample", "clean", "--report", folder],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    whole = time.perf_counter() - started
    report = json.loads((folder / "report.json").read_bytes())
    return {phase["name"]: phase["seconds"] for phase in report["phases"]} | {WHOLE: whole}


def time_plain_move(source: ConnInfo, server: EmbeddedServer) -> float:
    """Return the seconds that PostgreSQL's own programs take to copy the source into an empty database."""
    target = server.create_database("plain")
    started = time.perf_counter()
    with subprocess.Popen([server.bin_folder / "pg_dump", "-d", source.reveal()], stdout=subprocess.PIPE) as dump:
        subprocess.run(
            [server.bin_folder / "psql", "-X", "-q", "-1", "-v", "ON_ERROR_STOP=1", "-d", target.reveal()],
            check=True,
            stdin=dump.stdout,
            stdout=subprocess.DEVNULL,
        )
    seconds = time.perf_counter() - started
    assert dump.returncode == 0
    server.drop_database("plain")
    return seconds


def main(rounds: int) -> None:
    """Print a line for each phase."""
    cache_folder = Settings.load().cache_folder
    times: defaultdict[str, list[float]] = defaultdict(list)
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedServer(16, cache_folder=cache_folder) as old,
        EmbeddedServer(18, cache_folder=cache_folder) as new,
    ):
        source, _ = build_sample(old, new)
        time_command(Path(folder))
        for _ in range(rounds):
            for name, seconds in (time_command(Path(folder)) | {PLAIN: time_plain_move(source, new)}).items():
                times[name].append(seconds)
    medians = {name: median(of_one) for name, of_one in times.items()}
    for name, seconds in medians.items():
        sys.stdout.write(f"{seconds:6.2f} s  {name}\n")
    whole, check, plain = (medians[name] for name in (WHOLE, "check data", PLAIN))
    sys.stdout.write(
        f"The command takes {whole / GOAL_S:.2f} of the goal of {GOAL_S} s, and {whole / plain:.2f} times {PLAIN};"
        f" its check of the data {check / plain:.2f} times.\n"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
