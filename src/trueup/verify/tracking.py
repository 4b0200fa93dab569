"""Whether failures reach the error tracker, as a section of a report."""

from trueup import observe
from trueup.report.model import Section, Severity, failure, left_open
from trueup.verify.check import Announce
from trueup.verify.subject import Subject


def look_at_tracking(subject: Subject, announce: Announce) -> Section:
    """Send an event to the error tracker and wait for its answer."""
    announce("sending a test event")
    status = observe.status()
    if not status.is_enabled:
        return Section(
            check="tracking",
            title="Error tracking",
            findings=(left_open("tracking", "error tracking", f"it is off: {status.reason}", remedy="set SENTRY_DSN"),),
        )
    probe = observe.send_test_event(timeout_s=subject.deadline_s)
    return tracking_section(probe, status.host or "")


def tracking_section(probe: observe.Probe, host: str) -> Section:
    """Return what became of the test event."""
    finding = failure(
        "tracking",
        f"error tracking at {host}",
        f"the test event did not arrive: {probe.reason}",
        "Failures happen, and nobody hears of them.",
        "trueup doctor --send-test-event",
        severity=Severity.BEHAVIOURAL,
    )
    return Section(
        check="tracking",
        title="Error tracking",
        compared={"test events": 1},
        findings=() if probe.is_delivered else (finding,),
    )


def lacks_tracking(subject: Subject) -> str:  # noqa: ARG001 — the signature of all of these
    """Say why tracking is off; empty where it is on."""
    status = observe.status()
    return "" if status.is_enabled else f"error tracking is off: {status.reason}"
