"""How one event travels to the server: an envelope by HTTP, and what the answer means for it and for the next ones.

Source: Sentry developer documentation, "Envelopes" and "Rate Limiting".
"""

import gzip
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from urllib.request import getproxies, proxy_bypass

import certifi
import urllib3
from sentry_sdk.utils import Dsn

from trueup.observe.outbox import Parcel

CONNECT_S = 3.0
ANSWER_S = 10.0
LAST_PAUSE_S = 86_400.0
CLIENT = "trueup"
KINDS = {"transaction": "transaction", "monitor": "check_in"}
"""What an item of an envelope is called, by its category."""
BUSY = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Is what became of a delivery, and for how long the server wants to hear no more of a category."""

    status: int | None
    """None: there was no answer."""
    pauses: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    """Seconds by category; the category `` means all."""

    @property
    def fate(self) -> str | None:
        """What became of the event; None: it is worth another try."""
        if self.status is None or self.status >= 500 or self.status in BUSY:
            return None
        return "delivered" if 200 <= self.status < 300 else f"status_{self.status}"


class Mail:
    """Sends envelopes to the server of a DSN, over connections that are kept. For one thread."""

    def __init__(self, dsn: Dsn) -> None:
        auth = dsn.to_auth(CLIENT)
        self.url = auth.get_api_url()
        self.headers = {
            "Content-Type": "application/x-sentry-envelope",
            "Content-Encoding": "gzip",
            "User-Agent": CLIENT,
            "X-Sentry-Auth": auth.to_header(),
        }
        self.connections = open_manager(dsn)

    def send(self, parcel: Parcel) -> Answer:
        """Send one event and return the answer."""
        try:
            answer = self.connections.request(
                "POST",
                self.url,
                body=envelope(parcel),
                headers=self.headers,
                timeout=urllib3.Timeout(connect=CONNECT_S, read=ANSWER_S),
                retries=False,
                redirect=False,
            )
        except (urllib3.exceptions.HTTPError, OSError):
            return Answer(status=None)
        return Answer(status=answer.status, pauses=pauses(answer.status, answer.headers))

    def close(self) -> None:
        """Close the connections."""
        self.connections.clear()


def open_manager(dsn: Dsn) -> urllib3.PoolManager:
    """Return the connections to a host: by the proxy that the machine names for it, with certificates checked."""
    proxy = None if proxy_bypass(dsn.host) else getproxies().get(dsn.scheme)
    if proxy:
        return urllib3.ProxyManager(proxy, ssl_context=trusted())
    # Reading what is trusted takes longer than all else, and nothing asks for it where no certificate is shown.
    return urllib3.PoolManager(ssl_context=trusted() if dsn.scheme == "https" else None)


def trusted() -> ssl.SSLContext:
    """Return the authorities that this machine trusts, and those of certifi."""
    trust = ssl.create_default_context()
    trust.load_verify_locations(certifi.where())
    return trust


def envelope(parcel: Parcel) -> bytes:
    """Return an event as the body of a request."""
    sent_at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    kind = KINDS.get(parcel.category, "event")
    header = json.dumps({"event_id": parcel.event_id, "sent_at": sent_at})
    item = json.dumps({"type": kind, "content_type": "application/json", "length": len(parcel.line)})
    return gzip.compress(b"\n".join([header.encode(), item.encode(), parcel.line, b""]), 3)


def pauses(status: int, headers: Mapping[str, str]) -> Mapping[str, float]:
    """Return what the server asks not to be sent for a while."""
    asked = headers.get("X-Sentry-Rate-Limits")
    if asked:
        return parse_limits(asked)
    if status == 429:
        return {"": seconds(headers.get("Retry-After", ""), default=60.0)}
    return {}


def parse_limits(text: str) -> Mapping[str, float]:
    """Return the pauses of `60:error;transaction:organization, 2700::key`."""
    found: dict[str, float] = {}
    for limit in text.split(","):
        period, _, rest = limit.strip().partition(":")
        for category in rest.partition(":")[0].split(";"):
            found[category] = max(found.get(category, 0.0), seconds(period, default=60.0))
    return found


def seconds(text: str, *, default: float) -> float:
    """Return a number of seconds as a header gives it."""
    return min(float(text), LAST_PAUSE_S) if text.strip().isdecimal() else default
