"""How many equal events are let through: so many in any window of time, the last of them tells how many there were."""

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from threading import Lock

from trueup.observe.incident import Incident

KEPT = 4096
"""How many different problems are counted at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """Is how many events of one problem any span of `window_s` lets through, the one with the count included."""

    events: int
    window_s: float


@dataclass(slots=True)
class Problem:
    """Is what was let through and what was held back of one fingerprint."""

    incident: Incident
    allowance: Allowance
    sent_at: deque[float] = field(default_factory=deque)
    held_back: int = 0
    held_since: float = 0.0

    def sent_until(self, now: float) -> int:
        """Return how many were let through in the window that ends now."""
        while self.sent_at and self.sent_at[0] <= now - self.allowance.window_s:
            self.sent_at.popleft()
        return len(self.sent_at)


class RateLimit:
    """Lets at most so many events of one problem through in any window. Safe for threads."""

    def __init__(self, errors: Allowance, warnings: Allowance) -> None:
        self.errors = errors
        self.warnings = warnings
        self.problems: OrderedDict[tuple[str, ...], Problem] = OrderedDict()
        self.lock = Lock()

    def admits(self, incident: Incident, now: float) -> bool:
        """Return whether to send it; if not, it is counted. One place is kept for the event that tells the count."""
        with self.lock:
            problem = self.problem_of(incident)
            if not problem.held_back and problem.sent_until(now) < max(1, problem.allowance.events - 1):
                problem.sent_at.append(now)
                return True
            problem.held_since = problem.held_since if problem.held_back else now
            problem.held_back += 1
            return False

    def problem_of(self, incident: Incident) -> Problem:
        """Return the problem that an incident belongs to; the one that was quiet for longest is forgotten for it."""
        problem = self.problems.get(incident.fingerprint)
        if problem is None:
            allowance = self.warnings if incident.level == "warning" else self.errors
            problem = self.problems[incident.fingerprint] = Problem(incident, allowance)
            if len(self.problems) > KEPT:
                self.problems.popitem(last=False)
        self.problems.move_to_end(incident.fingerprint)
        return problem

    def due(self, now: float) -> list[tuple[Incident, int]]:
        """Return the problems that were held back for a whole window, with their counts."""
        return self.collect(now, min_age_s=None)

    def rest(self, now: float) -> list[tuple[Incident, int]]:
        """Return what can be told now, before the process ends, of problems that are held back."""
        return self.collect(now, min_age_s=0.0)

    def collect(self, now: float, *, min_age_s: float | None) -> list[tuple[Incident, int]]:
        """Return counts that are old enough and still within the allowance, and begin to count anew."""
        collected = []
        with self.lock:
            for problem in self.problems.values():
                allowance = problem.allowance
                age_s = allowance.window_s if min_age_s is None else min_age_s
                is_due = problem.held_back and now - problem.held_since >= age_s
                if is_due and problem.sent_until(now) < allowance.events:
                    collected.append((problem.incident, problem.held_back))
                    problem.sent_at.append(now)
                    problem.held_back = 0
        return collected

    def next_at(self) -> float | None:
        """Return when a count is due; None: nothing was held back."""
        with self.lock:
            moments = [p.held_since + p.allowance.window_s for p in self.problems.values() if p.held_back]
        return min(moments, default=None)
