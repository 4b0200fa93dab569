"""The checks in their order."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from trueup.errors import UsageError
from trueup.settings import Settings
from trueup.verify.backup import lacks_backup, look_at_backup
from trueup.verify.budget import lacks_services, look_at_budget
from trueup.verify.check import Check, needs_contracts, needs_source, reads_contracts
from trueup.verify.constraints import lacks_constraints, look_at_constraints
from trueup.verify.contracts import look_at_contracts
from trueup.verify.distributions import lacks_pair_of_tables, look_at_distributions
from trueup.verify.domain import domain_checks
from trueup.verify.drift import lacks_declaration, look_at_drift, reads_declaration
from trueup.verify.identity import look_at_identity
from trueup.verify.probe import lacks_probe, look_at_probe
from trueup.verify.residue import lacks_markers, look_at_residue
from trueup.verify.rows import look_at_data
from trueup.verify.security import lacks_tables, look_at_security
from trueup.verify.sequences import lacks_sequences, look_at_sequences
from trueup.verify.storage import lacks_storage, look_at_storage
from trueup.verify.structure import look_at_schema
from trueup.verify.tracking import lacks_tracking, look_at_tracking

CHECKS = (
    Check(name="identity", title="Databases", look=look_at_identity, deadline_s=60),
    Check(name="drift", title="Declared schema", look=look_at_drift, lacks=lacks_declaration, reads=reads_declaration),
    Check(name="schema", title="Structure", look=look_at_schema, lacks=needs_source),
    Check(name="data", title="Rows", look=look_at_data, lacks=needs_source, deadline_s=3600),
    Check(
        name="contracts",
        title="Contracts",
        look=look_at_contracts,
        lacks=needs_contracts,
        reads=reads_contracts,
        deadline_s=60,
    ),
    Check(name="sequences", title="Sequences", look=look_at_sequences, lacks=lacks_sequences),
    Check(name="constraints", title="Constraints", look=look_at_constraints, lacks=lacks_constraints, deadline_s=1800),
    Check(
        name="distributions",
        title="Distributions",
        look=look_at_distributions,
        lacks=lacks_pair_of_tables,
        deadline_s=1800,
    ),
    Check(name="storage", title="Storage", look=look_at_storage, lacks=lacks_storage),
    Check(name="security", title="Row security", look=look_at_security, lacks=lacks_tables, deadline_s=60),
    Check(name="residue", title="Test data", look=look_at_residue, lacks=lacks_markers, reads=reads_contracts),
    Check(name="budget", title="Connections", look=look_at_budget, lacks=lacks_services, deadline_s=60),
)
"""Before those that the project brings itself."""
LAST_CHECKS = (
    Check(name="tracking", title="Error tracking", look=look_at_tracking, lacks=lacks_tracking, deadline_s=10),
    Check(name="backup", title="Backup", look=look_at_backup, lacks=lacks_backup, deadline_s=3600),
    Check(
        name="probe",
        title="Write probe",
        look=look_at_probe,
        lacks=lacks_probe,
        reads=reads_contracts,
        deadline_s=60,
    ),
)
"""Behind them; a probe writes, if only for a moment, so it comes last."""


def all_checks(settings: Settings) -> tuple[Check, ...]:
    """Return every check that there is, in the order in which they run.

    Raises:
        UsageError: one of the project's own has a name that is taken, or leads to no function.
    """
    taken = {check.name for check in (*CHECKS, *LAST_CHECKS)} & settings.checks.keys()
    if taken:
        raise UsageError(f"checks: {', '.join(sorted(taken))} is the name of a check of trueup: choose another")
    return (*CHECKS, *domain_checks(settings), *LAST_CHECKS)


def chosen_checks(
    known: Sequence[Check],
    *,
    chosen: Sequence[str] = (),
    skipped: Sequence[str] = (),
    deadlines_s: Mapping[str, float] | None = None,
) -> tuple[Check, ...]:
    """Return the checks that are wanted, all of them where none is named, in the order in which they run.

    Raises:
        UsageError: a name is that of no check.
    """
    limits = deadlines_s or {}
    names = [check.name for check in known]
    if unknown := {*chosen, *skipped, *limits} - {*names}:
        raise UsageError(f"there is no check named {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    wanted = [check for check in known if (check.name in chosen or not chosen) and check.name not in skipped]
    if not wanted:
        raise UsageError("no check is left to run")
    return tuple(replace(check, deadline_s=limits.get(check.name, check.deadline_s)) for check in wanted)
