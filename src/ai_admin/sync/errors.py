"""What a sync run ends with when it does not succeed.

    TrueupError
    ├── Refused
    │   └── RunUnderWay      the same entity of the same company is being synced
    └── ApiError
        ├── ApiRefused       YClients answers, and says no
        ├── ApiUnreachable   it doesn't answer, or not in a way that can be read, however often it is asked
        └── ListIncomplete   a list ended before it was complete, so nothing may be concluded from what is not on it

No message holds a value of an answer.
"""

from trueup.errors import Refused, TrueupError


class RunUnderWay(Refused):
    """Says that the same entity of the same company is being synced."""


class ApiError(TrueupError):
    """Says which request failed, and how."""


class ApiRefused(ApiError):
    """Says which request YClients refused, by which code, and what to do."""


class ApiUnreachable(ApiError):
    """Says which request was not answered, and how often it was tried."""


class ListIncomplete(ApiError):
    """Says which list ended early, and how much of it is missing."""
