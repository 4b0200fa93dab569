"""Reports failures, slow queries and warnings to a server that speaks Sentry's protocol, free of values."""

from typing import TYPE_CHECKING

from trueup.lazy import lazy_names
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
)

if TYPE_CHECKING:
    from trueup.observe.instrumentation import instrument, send_test_event, shut_down, status
    from trueup.observe.outbox import Account
    from trueup.observe.standing import Probe, Status

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

# Every layer calls what is above; what is below is for who switches tracking on.
__getattr__ = lazy_names(
    __name__,
    {
        "Account": "outbox",
        "Probe": "standing",
        "Status": "standing",
        "instrument": "instrumentation",
        "send_test_event": "instrumentation",
        "shut_down": "instrumentation",
        "status": "instrumentation",
    },
)
