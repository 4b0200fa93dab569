"""Who else is connected to a database: nobody may be at work in it when its state is read."""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Event
from time import monotonic

from trueup.testing.rewind.outcome import Unproven
from trueup.testing.rewind.plans import Answer, Plans

GRACE_S = 0.5
"""How long a session that was closed may take to end."""
POLL_S = 0.0003


@dataclass(frozen=True, slots=True)
class Stranger:
    """Is a session of somebody else."""

    pid: int
    started_at: str
    application: str
    activity: str
    has_lock: bool

    def __str__(self) -> str:
        work = f"{self.activity}, holding locks" if self.has_lock else self.activity
        return f'process {self.pid}, application "{self.application}", {work}'

    @property
    def identity(self) -> tuple[int, str]:
        """What no other session has: a process number alone comes again."""
        return self.pid, self.started_at


def run_in_quiet(
    plans: Plans, welcome: Callable[[Stranger], bool], *calls: bytes
) -> tuple[list[Stranger], list[Answer]]:
    """Run statements when all who are connected are welcome and outside of a transaction; return who they are as well.

    Who is there is asked first, in the same message: what the statements see was settled by then.

    Raises:
        Unproven: somebody stayed who is not welcome.
    """
    deadline = monotonic() + GRACE_S
    while True:
        others, *answers = plans.run(plans.call("others"), *calls)
        found = strangers_of(others)
        disturbing = intruders(found, welcome)
        if not disturbing:
            return found, answers
        if monotonic() > deadline:
            raise Unproven(f"somebody else is still connected: {'; '.join(map(str, disturbing))}")
        Event().wait(POLL_S)


def intruders(found: list[Stranger], welcome: Callable[[Stranger], bool]) -> list[Stranger]:
    """Return who is not welcome, or at work."""
    return [each for each in found if each.has_lock or not welcome(each)]


def strangers_of(answer: Answer) -> list[Stranger]:
    """Return what the statement `others` has found."""
    return [
        Stranger(int(pid), started_at, application, activity, has_lock == "t")
        for pid, started_at, application, activity, has_lock in answer.rows
    ]
