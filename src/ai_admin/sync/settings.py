"""How YClients is asked and how far ahead a sync looks, read from the environment."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Self
from urllib.parse import urlsplit

from trueup.conninfo import Secret
from trueup.errors import UsageError
from trueup.settings.values import read_number


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Is which days a sync is about, counted from today where the salon is."""

    schedule_days: int = 30
    """Of schedules: today and the days after it."""
    booking_days: int = 60
    """Of bookings: so many days ahead."""
    booking_days_back: int = 7
    """Of bookings: so many days before today."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncSettings:
    """Is how the sync is configured."""

    url: str
    """Where the API is, its version included."""
    partner: Secret
    user: Secret
    timeout_s: float = 15.0
    """How long one request may take to connect, and again to be answered."""
    requests_per_second: int = 5
    requests_per_minute: int = 200
    """What YClients allows one address; several programs at one address share it."""
    reach: Reach = Reach()

    @classmethod
    def from_env(cls, variables: Mapping[str, str]) -> Self:
        """Read YCLIENTS_URL, YCLIENTS_PARTNER_TOKEN, YCLIENTS_USER_TOKEN, and the limits in LIMITS and DAYS.

        Raises:
            UsageError: one of the first three is missing, or a value can't be read; no token is in the message.
        """
        if missing := [name for name in REQUIRED if not variables.get(name, "").strip()]:
            raise UsageError(f"the sync is not configured: set {', '.join(missing)}")
        return cls(
            url=read_url(variables["YCLIENTS_URL"].strip()),
            partner=Secret(variables["YCLIENTS_PARTNER_TOKEN"].strip()),
            user=Secret(variables["YCLIENTS_USER_TOKEN"].strip()),
            reach=Reach(**read_numbers(variables, DAYS)),
            **read_numbers(variables, LIMITS),
        )


REQUIRED = ("YCLIENTS_URL", "YCLIENTS_PARTNER_TOKEN", "YCLIENTS_USER_TOKEN")
LIMITS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "YCLIENTS_TIMEOUT": ("timeout_s", "time"),
        "YCLIENTS_REQUESTS_PER_SECOND": ("requests_per_second", "count"),
        "YCLIENTS_REQUESTS_PER_MINUTE": ("requests_per_minute", "count"),
    }
)
DAYS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "SYNC_SCHEDULE_DAYS": ("schedule_days", "count"),
        "SYNC_BOOKING_DAYS": ("booking_days", "count"),
        "SYNC_BOOKING_DAYS_BACK": ("booking_days_back", "count"),
    }
)


def read_numbers(variables: Mapping[str, str], known: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    """Return the values of those of the variables that are set, by the names of their fields."""
    return {
        name: read_number(variable, variables[variable], scale=scale)
        for variable, (name, scale) in known.items()
        if variables.get(variable)
    }


def read_url(text: str) -> str:
    """Return an address of HTTP.

    Raises:
        UsageError: it is none; it is not repeated, because it may hold a password.
    """
    try:
        parts = urlsplit(text)
        is_whole = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        is_whole = False
    if not is_whole:
        raise UsageError("YCLIENTS_URL is no address: expected https://HOST/PATH of the API")
    return text
