"""A plan as text: SQL that psql runs as it stands; what people have to know is in its comments."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from trueup.parity.schema.planning import SETTINGS, Statement, transactions

RULE = "-- " + "-" * 77


def script(up: Sequence[Statement], down: Sequence[Statement], header: Iterable[str]) -> str:
    """Return the plan as one script: the way up to be run, the way back in comments."""
    lines = list(comments(header))
    if up or down:
        lines += ["", *settings(), "", *way(up)]
        lines += ["", RULE, "-- The way back, after which everything is as it was:", RULE, *comments(way(down))]
    return "\n".join(lines) + "\n"


def settings() -> Iterator[str]:
    """Yield what has to be set first."""
    yield "\\set ON_ERROR_STOP on"
    yield from (f"{setting};" for setting in SETTINGS)


def way(statements: Iterable[Statement]) -> Iterator[str]:
    """Yield the lines of one way, each transaction in its own frame."""
    for number, group in enumerate(transactions(statements)):
        waits = group[0].is_slow and not group[0].is_withheld
        is_framed = not group[0].is_alone and any(not statement.is_withheld for statement in group)
        yield from ["", "begin;"] if is_framed and number else ["begin;"] if is_framed else []
        yield from ["", "set lock_timeout = 0; -- it waits for open transactions, and blocks nobody"] if waits else []
        for (about, hazards), members in groupby(group, key=lambda each: (each.about, each.hazards)):
            yield from ["", f"-- {about.kind} {about.identity}"]
            yield from (f"--   ! {hazard}" for hazard in hazards)
            for statement in members:
                lines = f"{statement.sql};".splitlines()
                if statement.is_withheld:
                    yield "--   withheld (--allow-loss):"
                yield from comments(lines) if statement.is_withheld else lines
        yield from ["", "commit;"] if is_framed else []
        yield from [f"{SETTINGS[0]};"] if waits else []


def comments(lines: Iterable[str]) -> Iterator[str]:
    """Yield lines as comments."""
    for line in lines:
        yield from (f"-- {part}".rstrip() for part in line.splitlines() or [""])
