"""The exit codes: stable, documented, and the same for every command."""

from enum import IntEnum

from trueup.errors import DatabaseError, Refused, TrueupError, Unverifiable, UsageError
from trueup.report.model import Verdict


class ExitCode(IntEnum):
    """Is what the process tells its caller."""

    PASSED = 0
    FAILED = 1
    USAGE = 2
    UNVERIFIED = 3
    REFUSED = 4
    INTERRUPTED = 130


MEANINGS = {
    ExitCode.PASSED: "passed",
    ExitCode.FAILED: "differences or failures found",
    ExitCode.USAGE: "the command or the configuration is wrong",
    ExitCode.UNVERIFIED: "could not verify: no connection, no permission, hidden rows, nothing to compare",
    ExitCode.REFUSED: "refused: it would be unsafe, or prove nothing",
    ExitCode.INTERRUPTED: "interrupted",
}

VERDICTS = {
    Verdict.PASSED: ExitCode.PASSED,
    Verdict.FAILED: ExitCode.FAILED,
    Verdict.INCONCLUSIVE: ExitCode.UNVERIFIED,
    Verdict.REFUSED: ExitCode.REFUSED,
}


def verdict_of(error: TrueupError) -> Verdict:
    """Return what an error that ended a command means for what it was to verify."""
    if isinstance(error, Refused):
        return Verdict.REFUSED
    if isinstance(error, Unverifiable | DatabaseError):
        return Verdict.INCONCLUSIVE
    return Verdict.FAILED


def exit_code_of(error: TrueupError) -> ExitCode:
    """Return the exit code of a command that an error ended."""
    return ExitCode.USAGE if isinstance(error, UsageError) else VERDICTS[verdict_of(error)]
