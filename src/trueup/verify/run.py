"""One run: the databases held still, each check in its turn, one report."""

import time
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from threading import Thread

import psycopg

from trueup import observe
from trueup.conninfo import ConnInfo
from trueup.errors import DatabaseError, Refused, TrueupError, Unverifiable, UsageError
from trueup.parity.data import USUAL, Bounds
from trueup.parity.schema import Profile
from trueup.report.model import Report, Section, Verdict, left_open
from trueup.settings import Settings
from trueup.settings.settings import default_cache_folder
from trueup.verify.check import Announce, Check, stopped
from trueup.verify.checks import CHECKS
from trueup.verify.deadline import deadline
from trueup.verify.structure import notes_on_scope
from trueup.verify.subject import Subject, open_subject
from trueup.verify.timeline import Timeline


def verify(
    source: ConnInfo | None,
    target: ConnInfo,
    *,
    checks: Sequence[Check] = CHECKS,
    required: frozenset[str] = frozenset(),
    settings: Settings | None = None,
    profile: Profile | None = None,
    backup: Path | None = None,
    may_probe: bool = False,
    bounds: Bounds = USUAL,
    timeline: Timeline | None = None,
    title: str = "Source and target",
    command: str = "",
) -> Report:
    """Return what every check found; a check that could not look is inconclusive and stops no other.

    A check that has nothing to look at is a note, or inconclusive where it is among the `required`. `timeline` may
    already hold phases that came before, such as building one of the databases.

    Raises:
        UsageError: a connection string can't be used.
    """
    timeline = timeline or Timeline()
    report = Report(title=title, version=version("trueup"), started_at=datetime.now(UTC), command=command)
    settings = settings or Settings(cache_folder=default_cache_folder())
    with ExitStack() as stack:
        try:
            with timeline.phase("read the structure"):
                subject = stack.enter_context(
                    open_subject(
                        source,
                        target,
                        settings=settings,
                        profile=profile,
                        backup=backup,
                        may_probe=may_probe,
                        bounds=bounds,
                    )
                )
        except UsageError:
            raise
        except (Refused, DatabaseError, Unverifiable) as error:
            report = replace(report, sections=(unopened(error),))
        else:
            report = look_at_all(report, subject, checks, required, timeline)
    return replace(report, phases=tuple(timeline.phases))


def look_at_all(
    report: Report, subject: Subject, checks: Sequence[Check], required: frozenset[str], timeline: Timeline
) -> Report:
    """Return the report with what every check found, each knowing which ones before it have passed."""
    reasons = {check.name: check.lacks(subject) for check in checks}
    left_out = [check for check in checks if reasons[check.name] and check.name not in required]
    sections: tuple[Section, ...] = ()
    for check in checks:
        if check not in left_out:
            reason = reasons[check.name]
            passed = frozenset(section.check for section in sections if section.verdict is Verdict.PASSED)
            now = replace(subject, passed=passed)
            sections += (missing(check, reason) if reason else run_check(check, now, timeline),)
    notes = chain(
        chain.from_iterable(section.notes for section in sections),
        notes_on_scope({role: side.catalog for role, side in subject.sides.items()}),
        (f"{check.title}: not looked at, {reasons[check.name]}." for check in left_out),
    )
    return replace(report, sides=subject.described, sections=sections, notes=tuple(notes))


def run_check(check: Check, subject: Subject, timeline: Timeline) -> Section:
    """Return the section of one check, with its time."""
    start = time.monotonic()
    with timeline.phase(f"check {check.name}"):
        section = look(check, replace(subject, deadline_s=check.deadline_s), timeline.announce)
    return replace(section, check=check.name, seconds=time.monotonic() - start)


def look(check: Check, subject: Subject, announce: Announce) -> Section:
    """Return the section of one check: inconclusive where it could not look, or not in time."""
    with deadline(check.deadline_s, subject.connections) as limit:
        try:
            with ExitStack() as stack:
                for connection in subject.connections:
                    stack.enter_context(connection.transaction(force_rollback=True))
                section = look_aside(check, subject, announce) if check.is_alone else check.look(subject, announce)
        except (TrueupError, psycopg.Error) as error:
            section = unfinished(check, error)
        except Exception as error:  # noqa: BLE001 — a defect of one check must not keep the others from looking
            observe.report_failure(error, component="verify", operation=check.name)
            section = defective(check, error)
    return late(check) if limit.is_over else section


def look_aside(check: Check, subject: Subject, announce: Announce) -> Section:
    """Return the section of a check that runs in a thread of its own, which is left behind when its time is up."""
    result: Future[Section] = Future()

    def work() -> None:
        try:
            result.set_result(check.look(subject, announce))
        except BaseException as error:  # noqa: BLE001 — it is raised where the result is asked for
            result.set_exception(error)

    Thread(target=work, name=f"trueup check {check.name}", daemon=True).start()
    try:
        return result.result(check.deadline_s)
    except TimeoutError:
        return late(check)


def unfinished(check: Check, error: Exception) -> Section:
    """Return the section of a check that an error ended; a driver's text may quote a value, so it isn't repeated."""
    if isinstance(error, psycopg.Error):
        error = Unverifiable(f"a statement failed with SQLSTATE {error.sqlstate} ({type(error).__name__})")
    return Section(check=check.name, title=check.title, findings=(stopped(check.name, error),))


def defective(check: Check, error: Exception) -> Section:
    """Return the section of a check that has a defect of its own."""
    message = f"the check itself failed with {type(error).__name__}"
    finding = left_open(check.name, "the check", message, remedy="report it as a defect; the others are not affected")
    return Section(check=check.name, title=check.title, findings=(finding,))


def late(check: Check) -> Section:
    """Return the section of a check whose time was up."""
    message = f"it did not end within {check.deadline_s:g} s"
    remedy = f"give it more time: deadlines = {{ {check.name} = … }} in the profile"
    finding = left_open(check.name, "the check", message, remedy=remedy)
    return Section(check=check.name, title=check.title, findings=(finding,))


def missing(check: Check, reason: str) -> Section:
    """Return the section of a check that somebody wants and that has nothing to look at."""
    finding = left_open(check.name, "the check", f"nothing could be looked at: {reason}")
    return Section(check=check.name, title=check.title, findings=(finding,))


def unopened(error: Exception) -> Section:
    """Return the section of a run that ended before any check could look."""
    return Section(check="identity", title="Databases", findings=(stopped("identity", error),))
