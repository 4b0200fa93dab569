"""What the pages of health say; the public ones no more than how it is, since when, and now."""

from collections.abc import Mapping
from datetime import UTC, datetime

from trueup.health.model import Answer, Status, worst

Body = Mapping[str, object]


def state(status: Status, uptime_s: float) -> Body:
    """Return what everybody may know."""
    return {
        "status": status.value,
        "uptime": round(uptime_s, 3),
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"),
    }


def details(answer: Answer) -> Body:
    """Return what a check found, for whoever has the token; `status`, `reason` and `age` can't be overwritten."""
    found: dict[str, object] = {**answer.figures, "status": answer.status.value, "age": round(answer.age_s, 3)}
    return found | ({"reason": answer.reason} if answer.reason else {})


def page(answer: Answer, uptime_s: float, *, is_detailed: bool) -> Body:
    """Return the page of one check."""
    return {**(details(answer) if is_detailed else {}), **state(answer.status, uptime_s)}


def overview(answers: Mapping[str, Answer], uptime_s: float, *, is_detailed: bool) -> Body:
    """Return the page of all checks, in the form of `application/health+json`: a list of findings for each."""
    whole = state(worst(answers.values()), uptime_s)
    return {**whole, "checks": {name: [details(answer)] for name, answer in answers.items()}} if is_detailed else whole
