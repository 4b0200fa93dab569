"""One question about databases, and what is said where it could not be asked."""

from collections.abc import Callable
from dataclasses import dataclass

from trueup.errors import Refused
from trueup.report.model import Finding, Section, Verdict, left_open
from trueup.settings import Settings
from trueup.tables.declared import declared_tables
from trueup.verify.subject import Subject

Announce = Callable[[str], None]
DEADLINE_S = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """Is one question about a database, or about a pair of them."""

    name: str
    title: str
    look: Callable[[Subject, Announce], Section]
    lacks: Callable[[Subject], str] = lambda _: ""
    """Says why there is nothing to look at; empty where there is."""
    reads: Callable[[Settings], object] = lambda _: None
    """Reads what it needs of the configuration, so that a mistake there ends a run before it begins."""
    deadline_s: float = DEADLINE_S
    is_alone: bool = False
    """Whether it is somebody else's code, which runs in a thread that can be left behind."""


def needs_source(subject: Subject) -> str:
    """Say that no source is named; empty where one is."""
    return "" if subject.source else "no source is named"


def needs_contracts(subject: Subject) -> str:
    """Say that no table contract is declared; empty where one is."""
    return "" if subject.settings.contracts else "no table contract is declared in the configuration"


def reads_contracts(settings: Settings) -> None:
    """Read the table contracts, where any are declared.

    Raises:
        UsageError: one of them is not where the configuration says.
    """
    if settings.contracts:
        declared_tables(settings.contracts)


def nothing_there(check: str, message: str) -> Finding:
    """Return the finding for a check that had nothing to look at: two empty sides did not agree."""
    return left_open(
        check,
        "both databases",
        message,
        meaning="Two empty sides prove nothing.",
        remedy="check that the right databases are named, and that the role may see their schemas",
    )


def stopped(check: str, error: Exception) -> Finding:
    """Return the finding for a check that an error ended."""
    return Finding(
        check=check,
        verdict=Verdict.REFUSED if isinstance(error, Refused) else Verdict.INCONCLUSIVE,
        severity=None,
        object="both databases",
        message=str(error),
    )
