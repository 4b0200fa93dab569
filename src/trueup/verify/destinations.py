"""Where alerts go: the error tracker, a command, a webhook. Each says why it could not be told, and stops no other."""

import hashlib
import hmac
import subprocess
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import certifi
import msgspec
import urllib3

from trueup import observe
from trueup.errors import UsageError
from trueup.report.model import Verdict
from trueup.settings import Settings

PATIENCE_S = 30.0
SIGNATURE, TIMESTAMP = "X-Trueup-Signature", "X-Trueup-Timestamp"


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """Is what is told, as JSON."""

    schema_version: int = 1
    event: str
    """`failed` or `recovered`."""
    profile: str
    verdict: Verdict
    started_at: datetime
    findings: int
    checks: Mapping[str, Verdict]
    since: datetime | None
    """When the runs began not to pass; None: with this one."""
    last_success_at: datetime | None


Tell = Callable[[Alert], str]
"""Returns why it could not be told, or nothing."""


def destinations(settings: Settings) -> dict[str, Tell]:
    """Return where alerts go, by name.

    Raises:
        UsageError: a variable is not set that the configuration names.
    """
    found: dict[str, Tell] = {}
    alerts = settings.alerts
    if alerts.sentry:
        found["sentry"] = tell_tracker
    if alerts.command:
        found["command"] = lambda alert: run_command(alerts.command, alert)
    if alerts.webhook:
        url = variable(settings, alerts.webhook)
        key = variable(settings, alerts.webhook_key) if alerts.webhook_key else ""
        found["webhook"] = lambda alert: post(url, key, alert)
    return found


def variable(settings: Settings, name: str) -> str:
    """Return what the variable of `env:NAME` holds.

    Raises:
        UsageError: it is not set.
    """
    found = settings.variables.get(name.removeprefix("env:"), "")
    if not found:
        raise UsageError(f"alerts: the variable {name.removeprefix('env:')} is not set")
    return found


def tell_tracker(alert: Alert) -> str:
    """Report an alert to the error tracker."""
    title = "verification passes again" if alert.event == "recovered" else "verification does not pass"
    is_on = observe.report_warning(title, component="verify", operation=alert.profile, findings=alert.findings)
    return "" if is_on else f"error tracking is off: {observe.status().reason}"


def run_command(command: tuple[str, ...], alert: Alert) -> str:
    """Run a program that gets the alert on its stdin."""
    try:
        done = subprocess.run(
            command,
            input=msgspec.json.encode(alert),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=PATIENCE_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"it did not end within {PATIENCE_S:g} s"
    except OSError as error:
        return f"it can't be run: {error.strerror}"
    return f"it ended with exit code {done.returncode}" if done.returncode else ""


def post(url: str, key: str, alert: Alert) -> str:
    """Post an alert; its signature is the HMAC-SHA256 of the timestamp, a point and the body, by the key."""
    body = msgspec.json.encode(alert)
    timestamp = str(int(datetime.now(UTC).timestamp()))
    headers = {"Content-Type": "application/json", TIMESTAMP: timestamp}
    if key:
        headers[SIGNATURE] = f"sha256={sign(key, timestamp, body)}"
    try:
        with urllib3.PoolManager(ca_certs=certifi.where()) as connections:
            answer = connections.request(
                "POST", url, body=body, headers=headers, timeout=PATIENCE_S, retries=False, redirect=False
            )
    except (urllib3.exceptions.HTTPError, OSError) as error:
        # Its text holds the address, which may hold a token.
        return f"it can't be reached ({type(error).__name__})"
    return "" if 200 <= answer.status < 300 else f"it answered {answer.status}"


def sign(key: str, timestamp: str, body: bytes) -> str:
    """Return the signature of what is posted, in hexadecimal."""
    return hmac.new(key.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
