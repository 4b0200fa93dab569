"""Checks that a project brings itself: functions of a Database that its configuration names."""

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from enum import Enum

from trueup.db import Database
from trueup.errors import UsageError
from trueup.report.model import Finding, Section, Severity, Verdict
from trueup.settings import DatabaseSettings, Settings
from trueup.settings.places import load_place
from trueup.verify.check import Announce, Check
from trueup.verify.subject import Subject

DomainCheck = Callable[[Database], object]
DECLARE = 'declare it as NAME = "PACKAGE.MODULE:FUNCTION" under [tool.trueup.checks], a function of a Database'
READ_ONLY = "-c default_transaction_read_only=on"
DEADLINE_S = 60.0
WELL = frozenset({"ok", "pass", "passed", "up", "healthy"})
NEARLY = frozenset({"warn", "warning"})


def domain_checks(settings: Settings) -> tuple[Check, ...]:
    """Return the checks that the configuration names, in its order.

    Raises:
        UsageError: a name leads to no function.
    """
    return tuple(domain_check(name, load_check(name, place)) for name, place in settings.checks.items())


def load_check(name: str, place: str) -> DomainCheck:
    """Return the function at a place.

    Raises:
        UsageError: there is none.
    """
    try:
        found = load_place(place)
    except UsageError as error:
        raise UsageError(f"checks: {name}: {error}; {DECLARE}") from error
    if not callable(found):
        raise UsageError(f"checks: {name}: {place} is not a function; {DECLARE}")
    return found


def domain_check(name: str, function: DomainCheck) -> Check:
    """Return a function as a check: it gets the target, read-only, and a thread that can be left behind."""

    def look(subject: Subject, announce: Announce) -> Section:
        announce(f"check {name}")
        with Database(limits(subject)) as db:
            return domain_section(name, function(db))

    return Check(name=name, title=title_of(name), look=look, deadline_s=DEADLINE_S, is_alone=True)


def title_of(name: str) -> str:
    """Return the name of a check as a heading."""
    return name.replace("_", " ").capitalize()


def limits(subject: Subject) -> DatabaseSettings:
    """Return how a domain check talks to the target: in read-only transactions, and not for longer than it may."""
    given = subject.conninfo.parameters.get("options", "")
    return DatabaseSettings(
        conninfo=subject.conninfo.with_parameters(options=f"{given} {READ_ONLY}".strip()),
        service="verify",
        max_connections=1,
        statement_timeout_s=subject.deadline_s,
        transaction_timeout_s=subject.deadline_s,
    )


def domain_section(name: str, result: object) -> Section:
    """Return what a project's own function says: a section as it is, anything else by its `status` and its figures.

    `ok`, `pass`, `up` and `healthy` are well, `warn` and `warning` nearly; everything else is a failure. Its
    `problems`, where it has any, are findings, whatever its status. One that looked at nothing and isn't ill is open.
    """
    if isinstance(result, Section):
        return result
    status = getattr(result, "status", None)
    word = str(status.value if isinstance(status, Enum) else status).lower()
    said = tuple(map(str, getattr(result, "problems", ())))
    message = str(getattr(result, "message", "") or f"the status is {word}")
    if word not in WELL:
        said = (message, *said)
    looked = figures(result)
    is_bad = word not in WELL | NEARLY
    verdict = Verdict.FAILED if is_bad or any(looked.values()) else Verdict.INCONCLUSIVE
    severity = None if verdict is Verdict.INCONCLUSIVE else Severity.BREAKING if is_bad else Severity.BEHAVIOURAL
    return Section(
        check=name,
        title=title_of(name),
        compared=looked,
        findings=tuple(
            Finding(check=name, verdict=verdict, severity=severity, object=title_of(name), message=each)
            for each in said
        ),
    )


def figures(result: object) -> dict[str, int]:
    """Return the whole numbers that a result has, by their names: how much it looked at."""
    if not is_dataclass(result):
        return {}
    values = {each.name: getattr(result, each.name) for each in fields(result)}
    return {name.replace("_", " "): value for name, value in values.items() if type(value) is int}
