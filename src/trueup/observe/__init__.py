"""Reports failures, slow queries and warnings to a server that speaks Sentry's protocol, free of values."""

from trueup.observe.instrumentation import instrument, shut_down
from trueup.observe.outbox import Account
from trueup.observe.reporting import (
    CheckInStatus,
    api_call,
    check_in,
    flush,
    listening,
    operation,
    report_failure,
    report_warning,
    retrying,
    send_test_event,
    status,
)
from trueup.observe.status import Probe, Status

__all__ = [
    "Account",
    "CheckInStatus",
    "Probe",
    "Status",
    "api_call",
    "check_in",
    "flush",
    "instrument",
    "listening",
    "operation",
    "report_failure",
    "report_warning",
    "retrying",
    "send_test_event",
    "shut_down",
    "status",
]
