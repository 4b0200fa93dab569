"""Takes over what YClients knows of a salon: fetched, understood, stored, and accounted for."""

from ai_admin.sync.api import YClients
from ai_admin.sync.errors import ApiError, ApiRefused, ApiUnreachable, ListIncomplete, RunUnderWay
from ai_admin.sync.pace import Limit, Pace
from ai_admin.sync.payloads import Reject
from ai_admin.sync.runs import Outcome, SyncRun, SyncRuns
from ai_admin.sync.salon import SalonSync

__all__ = [
    "ApiError",
    "ApiRefused",
    "ApiUnreachable",
    "Limit",
    "ListIncomplete",
    "Outcome",
    "Pace",
    "Reject",
    "RunUnderWay",
    "SalonSync",
    "SyncRun",
    "SyncRuns",
    "YClients",
]
