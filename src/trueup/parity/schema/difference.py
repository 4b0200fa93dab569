"""What a comparison of two structures finds."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from trueup.report.model import Severity

RANK = {severity: rank for rank, severity in enumerate(Severity)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Is one thing that the two sides don't have alike."""

    kind: str
    """Of the object: schema, type, table, column, constraint, index, sequence, view."""
    object: str
    """As SQL names it: `public.clients.phone`; a constraint stands behind its table."""
    change: str
    """`missing` (in source only), `extra` (in target only), or the attribute that differs."""
    severity: Severity
    source: str | None
    target: str | None
    meaning: str = ""
    """What it does to code and data, in one sentence."""
    remedy: str = ""
    """What makes the target like the source."""
    hint: str = ""
    """What something missing may be called now."""


class Effect(NamedTuple):
    """Is what a change does: how bad, in words, and what undoes it."""

    severity: Severity
    meaning: str
    remedy: str = ""


def difference(
    kind: str, name: object, change: str, sides: tuple[str | None, str | None], effect: Effect
) -> Difference:
    """Return the difference of one object's `sides`, what the source and the target have."""
    return Difference(
        kind=kind,
        object=str(name),
        change=change,
        severity=effect.severity,
        source=sides[0],
        target=sides[1],
        meaning=effect.meaning,
        remedy=effect.remedy,
    )


def ordered(differences: Iterable[Difference]) -> tuple[Difference, ...]:
    """Return the differences, worst first, then by object."""
    return tuple(sorted(differences, key=lambda d: (RANK[d.severity], d.object, d.kind, d.change)))
