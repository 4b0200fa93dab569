"""What days are where the salon is: an instant alone has no date."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ai_admin.errors import UnknownZone


def utc_now() -> datetime:
    """Return this instant."""
    return datetime.now(UTC)


def zone_named(name: str) -> ZoneInfo:
    """Return a time zone of the IANA database.

    Raises:
        UnknownZone: there is none of that name.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UnknownZone(f"{name!r} is no time zone; name it as IANA does, as in 'Europe/Moscow'") from error


def day_of(moment: datetime, zone: ZoneInfo) -> date:
    """Return the day that an instant belongs to in a zone.

    Raises:
        UnknownZone: the instant has none, so nobody can say which it is.
    """
    if moment.utcoffset() is None:
        raise UnknownZone("a datetime without a zone is no instant: give it the zone that it was read in")
    return moment.astimezone(zone).date()


def begin_of(day: date, zone: ZoneInfo) -> datetime:
    """Return the instant at which a day begins in a zone."""
    return datetime.combine(day, time(), zone)


def end_of(day: date, zone: ZoneInfo) -> datetime:
    """Return the instant at which a day ends in a zone, which is when the next one begins: 23 to 25 hours later."""
    return begin_of(day + timedelta(days=1), zone)
