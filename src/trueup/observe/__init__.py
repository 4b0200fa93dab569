"""Reports failures, slow queries and warnings to a server that speaks Sentry's protocol, free of values."""

from trueup.observe.instrumentation import instrument, shut_down
from trueup.observe.outbox import Account
from trueup.observe.reporting import (
    api_call,
    flush,
    listening,
    operation,
    report_failure,
    retrying,
    send_test_event,
    status,
)
from trueup.observe.status import Probe, Status

__all__ = [
    "Account",
    "Probe",
    "Status",
    "api_call",
    "flush",
    "instrument",
    "listening",
    "operation",
    "report_failure",
    "retrying",
    "send_test_event",
    "shut_down",
    "status",
]
