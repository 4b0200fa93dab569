"""Time initdb and a warm start side by side: `python tests/benchmarks/bench_server_start.py [ROUNDS]`.

Prints the fastest of each, for the machine may be busy with other things, and their ratio.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from trueup.servers import EmbeddedServer, installation
from trueup.servers.account import account
from trueup.servers.cluster import initdb_options
from trueup.servers.folders import RAM
from trueup.settings import Settings


def time_initdb(version: int) -> float:
    """Return the seconds that initdb takes in RAM, in the options of an image."""
    who = {"user": account().uid, "group": account().gid, "extra_groups": []} if os.geteuid() == 0 else {}
    with tempfile.TemporaryDirectory(dir=RAM) as folder:
        account().owns(Path(folder))
        command = [
            installation(version).program("initdb"),
            f"--pgdata={folder}/data",
            *initdb_options(version, "C.UTF-8"),
        ]
        started = time.perf_counter()
        subprocess.run(command, check=True, env={}, stdout=subprocess.DEVNULL, **who)
        return time.perf_counter() - started


def time_start(version: int, cache_folder: Path) -> float:
    """Return the seconds from nothing to the first answer, which entering the context waits for."""
    started = time.perf_counter()
    with EmbeddedServer(version, cache_folder=cache_folder):
        return time.perf_counter() - started


def main(rounds: int) -> None:
    """Print a line for each version."""
    cache_folder = Settings.load().cache_folder
    for version in (16, 18):
        time_start(version, cache_folder)
        pairs = [(time_initdb(version), time_start(version, cache_folder)) for _ in range(rounds)]
        cold, warm = (min(times) * 1000 for times in zip(*pairs, strict=True))
        sys.stdout.write(
            f"PostgreSQL {version}: initdb {cold:.0f} ms, warm start {warm:.0f} ms, ratio {warm / cold:.3f}\n"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
