"""What the salon's data layer refuses before it asks the database, or finds missing there.

    TrueupError
    ├── UsageError
    │   ├── InvalidPhone       a text is no phone number
    │   └── UnknownZone        a text names no time zone, or a datetime has none
    └── SalonError             the salon's data don't allow it
        ├── CompanyMissing     there is no such salon
        ├── BookingMissing     there is no such booking, or none that is still to come about
        ├── NotWorking         nobody works there at that time
        └── EmptyList          a whole list without rows, which would take everything out of use

What the database refuses is a `trueup.errors.DatabaseError`: two live bookings of one person that overlap are an
`ExclusionConflict`. No message holds a value that a person gave; ids of the salon's objects may be in one.
"""

from trueup.errors import TrueupError, UsageError


class InvalidPhone(UsageError):
    """Says that a text is no phone number, without the text."""


class UnknownZone(UsageError):
    """Says which name is no time zone, or that a datetime has none."""


class SalonError(TrueupError):
    """Says why the salon's data don't allow it; nothing was changed."""


class CompanyMissing(SalonError):
    """Says which salon is not there."""


class BookingMissing(SalonError):
    """Says which booking is not there, or is over."""


class NotWorking(SalonError):
    """Says who doesn't work at the time that was asked for."""


class EmptyList(SalonError):
    """Says which whole list had no rows."""
