"""Compares a table of two databases once: `python comparer.py PROGRAM SOURCE TARGET OPTIONS`, in PROGRAM's environment.

Prints, as JSON, how long it took without importing, how many keys differ, and the most memory that the process held.
"""

import json
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

COLUMNS = ("name", "price", "seen", "doc", "flag", "note")
Counted = Callable[[], int]


def by_trueup(source: str, target: str, _: dict[str, Any]) -> Counted:
    """Return a comparison that opens both databases, reads their structure, and compares what they hold."""
    conninfo, data, pair, schema = (
        import_module(f"trueup.{name}") for name in ("conninfo", "parity.data", "verify.pair", "parity.schema")
    )

    def count() -> int:
        sides = (conninfo.ConnInfo.parse(one) for one in (source, target))
        with pair.open_pair(*sides, read=schema.row_catalog) as opened:
            [found] = data.compare(opened.source, opened.target)
        return int(found.missing_count + found.extra_count + found.changed_count)

    return count


def by_checksums(program: str, source: str, target: str, options: dict[str, Any]) -> Counted:
    """Return a comparison by a program that cuts a table into segments, and those that differ again."""
    module = import_module(program)
    threads = options.pop("threads", 1)

    def count() -> int:
        tables = [
            module.connect_to_table(one, "t", "id", thread_count=threads, extra_columns=COLUMNS)
            for one in (source, target)
        ]
        found = module.diff_tables(*tables, max_threadpool_size=threads, **options)
        return len({row[0] for _, row in found})

    return count


def peak_mb() -> float:
    """Return the most memory that this process held: getrusage would count that of the one that started it."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM:"))


def main(program: str, source: str, target: str, options: str) -> None:
    """Print a line."""
    chosen = json.loads(options)
    own = program == "trueup"
    count = by_trueup(source, target, chosen) if own else by_checksums(program, source, target, chosen)
    started, worked = perf_counter(), process_time()
    differences = count()
    said = {"seconds": perf_counter() - started, "cpu_s": process_time() - worked}
    print(json.dumps({**said, "differences": differences, "peak_mb": peak_mb()}))  # noqa: T201 - asked for


if __name__ == "__main__":
    main(*sys.argv[1:])
