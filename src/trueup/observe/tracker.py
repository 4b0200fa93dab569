"""Reports of one process: counted, limited, turned into events by the SDK's client, and delivered.

This module imports the SDK: it is imported only when there is a server to report to.
"""

import contextlib
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import monotonic, time
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

import sentry_sdk
from sentry_sdk.integrations.excepthook import ExcepthookIntegration
from sentry_sdk.integrations.threading import ThreadingIntegration
from sentry_sdk.utils import Dsn

from trueup.conninfo import Secret
from trueup.observe import incident as incidents
from trueup.observe.courier import TICK_S, Courier
from trueup.observe.event import Origin, Span, event_of, foreign_transaction, transaction_of
from trueup.observe.incident import Incident
from trueup.observe.limit import Allowance, RateLimit
from trueup.observe.mail import Mail
from trueup.observe.marks import Place, is_reported, mark_reported, place_of
from trueup.observe.operations import ApiCall, Operation, pool_warning, report_failure
from trueup.observe.outbox import Outbox, Parcel
from trueup.observe.reporting import PoolEvent
from trueup.observe.standing import Probe, Status
from trueup.observe.transport import OutboxTransport

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint

ERRORS = Allowance(events=10, window_s=60.0)
WARNINGS = Allowance(events=10, window_s=600.0)
SPOOL_BYTES = 32_000_000
KEY = "trueup"
"""Under which our facts travel through the SDK: beside the event and not in it."""


class Tracker:
    """Reports what it is told to the server of a DSN. Safe for threads; it never raises."""

    def __init__(
        self,
        dsn: Secret,
        origin: Origin,
        spool_folder: Path,
        *,
        traces_share: float = 0.0,
        errors: Allowance = ERRORS,
        warnings: Allowance = WARNINGS,
        spool_bytes: int = SPOOL_BYTES,
    ) -> None:
        self.origin = origin
        self.traces_share = traces_share
        self.limit = RateLimit(errors, warnings)
        self.dsn = Dsn(dsn.reveal())
        # Events of one server are never sent to another.
        place = hashlib.sha256(dsn.reveal().encode()).hexdigest()[:16]
        self.outbox = Outbox(spool_folder / place, spool_bytes)
        self.courier = Courier(self.outbox, lambda: Mail(self.dsn), self.tick)
        self.is_paused = False
        self.client = self.open_client(dsn)
        self.outbox.adopt()
        if self.outbox.pending:
            self.courier.start()

    def open_client(self, dsn: Secret) -> sentry_sdk.client.BaseClient:
        """Set the SDK up: what is off here would send, or even look at, what nobody named."""
        options: dict[str, Any] = {"dsn": dsn.reveal()}
        sentry_sdk.init(
            dsn=dsn.reveal(),
            transport=OutboxTransport(options, self.outbox, self.courier.start),
            release=self.origin.release or "",  # None would let the SDK run git.
            environment=self.origin.environment,
            server_name="",
            default_integrations=False,
            auto_enabling_integrations=False,
            integrations=[ExcepthookIntegration(), ThreadingIntegration(propagate_scope=False)],
            before_send=self.rebuild,
            before_send_transaction=self.rebuild_transaction,
            sample_rate=1.0,
            traces_sample_rate=self.traces_share,
            max_breadcrumbs=0,
            include_local_variables=False,
            include_source_context=False,
            attach_stacktrace=False,
            auto_session_tracking=False,
            send_client_reports=False,
            enable_backpressure_handling=False,
            spotlight=False,
            debug=False,
        )
        return sentry_sdk.get_client()

    # What other layers tell.

    def operation(self, component: str, name: str, table: str | None) -> Operation:
        """Watch one operation of a layer for a block."""
        return Operation(self, Place(component, name, table))

    def api_call(self, component: str, name: str) -> ApiCall:
        """Watch one call of an API for a block."""
        return ApiCall(self, Place(component, name, None))

    def report_left(self, error: Exception, component: str, operation: str, table: str | None) -> None:
        """Report an exception that leaves a layer, unless an operation further out will."""
        report_failure(self, error, Place(component, operation, table))

    def warn(self, title: str, component: str, operation: str, measures: Mapping[str, float]) -> None:
        """Report a warning under a fixed title."""
        self.report(incidents.warning(title, component=component, operation=operation, measures=measures))

    def warn_of_pool(self, title: str, event: PoolEvent) -> None:
        """Report a warning of a pool."""
        self.report(pool_warning(title, event))

    # What is reported.

    def report_failure(
        self, error: BaseException, place: Place, measures: Mapping[str, float] | None = None
    ) -> str | None:
        """Report an exception, once; return the event's id if it became one."""
        try:
            if is_reported(error):
                return None
            mark_reported(error)
            found = place_of(error) or place
            self.outbox.count_captured()
            return self.send(
                incidents.failure(
                    error,
                    component=found.component,
                    operation=found.operation,
                    table=found.table,
                    measures=measures or {},
                )
            )
        except Exception:  # noqa: BLE001
            self.outbox.count_dropped("failed")
            return None

    def report(self, incident: Incident) -> str | None:
        """Report what is no exception; return the event's id if it became one."""
        self.outbox.count_captured()
        try:
            return self.send(incident)
        except Exception:  # noqa: BLE001
            self.outbox.count_dropped("failed")
            return None

    def report_trace(self, spans: Sequence[Span], trace_id: str) -> None:
        """Report the durations of an operation and of what was done inside."""
        self.outbox.count_captured()
        try:
            if not self.courier.accepts("transaction"):
                self.outbox.count_dropped("rate_limited_by_server")
                return
            event: Event = {"type": "transaction", "event_id": uuid4().hex}
            if self.client.capture_event(event, {KEY: (tuple(spans), trace_id)}) is None:
                self.outbox.count_dropped("filter_failed")
        except Exception:  # noqa: BLE001
            self.outbox.count_dropped("failed")

    def send(self, incident: Incident) -> str | None:
        """Send an incident that is counted, unless there were too many of its kind."""
        if not self.limit.admits(incident, monotonic()):
            self.outbox.count_dropped("rate_limited")
            self.courier.start()
            return None
        return self.pass_on(incident)

    def pass_on(self, incident: Incident) -> str | None:
        """Give an incident to the SDK."""
        event_id = uuid4().hex
        if self.client.capture_event({"event_id": event_id}, {KEY: incident}) is None:
            self.outbox.count_dropped("filter_failed")
            return None
        return event_id

    # What leaves.

    def rebuild(self, event: "Event", hint: "Hint") -> "Event | None":
        """Return the event that is sent: made from an incident, whatever this one holds."""
        incident = hint.get(KEY)
        if not isinstance(incident, Incident):
            incident = self.foreign(event, hint)
        if incident is None:
            return None
        return cast("Event", event_of(incident, str(event["event_id"]), self.origin, time()))

    def foreign(self, event: "Event", hint: "Hint") -> Incident | None:
        """Return what is known of an event that was not reported by us: an uncaught exception, a call of the SDK."""
        error = (hint.get("exc_info") or (None, None))[1]
        if error is not None and is_reported(error):
            return None
        self.outbox.count_captured()
        if error is not None:
            mark_reported(error)
            incident = incidents.failure(error, component="python", operation="uncaught")
        else:
            incident = incidents.message(event.get("level"))
        if self.limit.admits(incident, monotonic()):
            return incident
        self.outbox.count_dropped("rate_limited")
        self.courier.start()
        return None

    def rebuild_transaction(self, event: "Event", hint: "Hint") -> "Event | None":
        """Return the durations that are sent."""
        ours = hint.get(KEY)
        if isinstance(ours, tuple):
            return cast("Event", transaction_of(ours[0], ours[1], str(event["event_id"]), self.origin))
        self.outbox.count_captured()
        found = foreign_transaction(event, self.origin)
        if found is None:
            self.outbox.count_dropped("malformed")
        return cast("Event | None", found)

    # Time and the end.

    def tick(self) -> float:
        """Tell how many events were held back where it is due; return when to look again."""
        now = monotonic()
        self.tell(self.limit.due(now))
        return min(self.limit.next_at() or now + TICK_S, now + self.limit.errors.window_s / 4)

    def tell(self, counts: list[tuple[Incident, int]]) -> None:
        """Send an event for each problem that was held back, with its count."""
        for incident, held_back in counts:
            self.outbox.count_captured()
            self.pass_on(incidents.summary(incident, held_back))

    def flush(self, timeout_s: float) -> bool:
        """Deliver what waits, counts included; return whether nothing is left."""
        self.tell(self.limit.rest(monotonic()))
        return not self.outbox.pending or self.courier.flush(timeout_s)

    def probe(self, timeout_s: float) -> Probe:
        """Send an event for the sake of seeing it arrive."""
        event_id = self.report(incidents.test_event())
        self.flush(timeout_s)
        fate = self.outbox.fates.get(event_id) if event_id else "rate_limited"
        status = self.courier.last_status
        reason = fate or (f"the server answered {status}" if status else "the server could not be reached")
        advice = "" if fate == "delivered" else ": check SENTRY_DSN and the way to the server"
        return Probe(is_delivered=fate == "delivered", event_id=event_id, reason=reason + advice)

    def check_in(self, monitor: str, status: str, check_in_id: str, seconds: float | None) -> bool:
        """Send a check-in of a cron monitor, once: one that waits until later would tell of another run.

        Source: Sentry developer documentation, "Check-Ins".
        """
        found = {"check_in_id": check_in_id, "monitor_slug": monitor, "status": status} | {
            "environment": self.origin.environment,
            "release": self.origin.release,
            "duration": seconds,
        }
        line = json.dumps({name: value for name, value in found.items() if value is not None}).encode()
        with contextlib.closing(Mail(self.dsn)) as mail:
            return mail.send(Parcel(check_in_id, "monitor", line)).fate == "delivered"

    def status(self) -> Status:
        """Return where it reports to, and the account."""
        last = self.courier.last_status
        return Status(
            is_enabled=True,
            reason="on" if last is None else f"the last delivery was answered {last}",
            host=self.dsn.host,
            environment=self.origin.environment,
            release=self.origin.release,
            account=self.outbox.account(),
        )

    def hold(self) -> None:
        """Be still while the process forks, so that the child finds nothing locked for ever."""
        self.is_paused = self.courier.pause()

    def go_on(self) -> None:
        """Deliver again, in the parent after a fork."""
        if self.is_paused:
            self.courier.at_work.release()

    def forget(self) -> None:
        """Begin anew in a child after a fork."""
        self.limit = RateLimit(self.limit.errors, self.limit.warnings)
        self.outbox.forget()
        self.courier.begin()

    def close(self, timeout_s: float) -> None:
        """Deliver what can be delivered in time, keep the rest in the file, and let go of the SDK."""
        self.flush(timeout_s)
        self.courier.stop(timeout_s)
        self.outbox.close()
        self.client.close(0)
        if sentry_sdk.get_client() is self.client:
            sentry_sdk.get_global_scope().set_client(None)
