"""What a reader has to know of rows that were not all compared in one run."""

from dataclasses import replace

from trueup.parity.data import Resumption
from trueup.report.model import Section, left_open


def resumed_section(section: Section, how: Resumption) -> Section:
    """Return the section of a comparison that went on where an earlier run was stopped.

    It is inconclusive where nobody can say that all of it is of one moment: tables that are equal were so when each
    was read.
    """
    since = f"{how.began_at:%Y-%m-%d %H:%M:%S} UTC"
    parts = f"{how.taken:,} table{'s' if how.taken != 1 else ''} or parts of tables"
    if how.is_of_one_moment:
        note = f"Resumed: {parts} had been compared since {since}; nobody has written to either server since then."
        return replace(section, notes=(*section.notes, note))
    finding = left_open(
        section.check,
        "both databases",
        f"resumed: {parts} had been compared since {since}, and since then somebody has written to one of the servers",
        meaning="What is equal was equal when it was read. The whole is not of one moment.",
        remedy="compare again in one run, or while nobody writes to either server",
    )
    return replace(section, findings=(*section.findings, finding))
