"""One run: both databases held still, each check in its turn, one report."""

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import chain

from trueup.conninfo import ConnInfo
from trueup.errors import DatabaseError, Refused, Unverifiable
from trueup.report.model import Finding, Report, Section, Verdict
from trueup.verify.checks import CHECKS, Announce, Check
from trueup.verify.pair import Pair, open_pair
from trueup.verify.timeline import Timeline


def verify(
    source: ConnInfo,
    target: ConnInfo,
    *,
    checks: Sequence[Check] = CHECKS,
    timeline: Timeline | None = None,
    title: str = "Source and target",
    command: str = "",
) -> Report:
    """Return what every check found; a check that could not look is inconclusive and stops no other.

    `timeline` may already hold phases that came before, such as building one of the databases.
    """
    timeline = timeline or Timeline()
    report = Report(title=title, version=version("trueup"), started_at=datetime.now(UTC), command=command)
    with ExitStack() as stack:
        try:
            with timeline.phase("read both structures"):
                pair = stack.enter_context(open_pair(source, target))
        except (Refused, DatabaseError, Unverifiable) as error:
            report = replace(report, sections=(unopened(error),))
        else:
            report = replace(
                report,
                sides=pair.sides,
                sections=tuple(run_check(check, pair, timeline) for check in checks if check.applies(pair)),
                notes=tuple(chain(notes_on(pair), (has_nothing(check) for check in checks if not check.applies(pair)))),
            )
    return replace(report, phases=tuple(timeline.phases))


def run_check(check: Check, pair: Pair, timeline: Timeline) -> Section:
    """Return the section of one check, with its time."""
    start = time.monotonic()
    with timeline.phase(f"check {check.name}"):
        section = look(check, pair, timeline.announce)
    return replace(section, seconds=time.monotonic() - start)


def look(check: Check, pair: Pair, announce: Announce) -> Section:
    """Return the section of one check, inconclusive where it could not look."""
    try:
        return check.look(pair, announce)
    except (DatabaseError, Unverifiable) as error:
        return Section(check=check.name, title=check.title, findings=(stopped(check.name, error),))


def stopped(check: str, error: Exception) -> Finding:
    """Return the finding for a check that an error ended."""
    return Finding(
        check=check,
        verdict=Verdict.REFUSED if isinstance(error, Refused) else Verdict.INCONCLUSIVE,
        severity=None,
        object="both databases",
        message=str(error),
    )


def unopened(error: Exception) -> Section:
    """Return the section of a run that ended before any check could look."""
    return Section(check="identity", title="Databases", findings=(stopped("identity", error),))


def has_nothing(check: Check) -> str:
    """Return the note for a check that neither database gives anything to look at."""
    return f"{check.title}: neither database has any."


def notes_on(pair: Pair) -> list[str]:
    """Return what the reader has to know about what was left out, by kind and number."""
    notes = []
    for role, side in (("source", pair.source), ("target", pair.target)):
        for reason, amounts in (("Not compared", side.catalog.not_compared), ("Left out", side.catalog.skipped)):
            if amounts:
                listed = ", ".join(f"{kind} ({number:,})" for kind, number in amounts.items())
                notes.append(f"{reason} in the {role}: {listed}.")
    return notes
