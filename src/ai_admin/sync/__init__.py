"""Takes over what YClients knows of a salon: fetched, understood, stored, and accounted for."""

from ai_admin.sync.api import YClients
from ai_admin.sync.chain import Synced, sync_chain
from ai_admin.sync.errors import ApiError, ApiRefused, ApiUnreachable, ListIncomplete, RunUnderWay
from ai_admin.sync.freshness import Age, Freshness, check_freshness
from ai_admin.sync.pace import Limit, Pace
from ai_admin.sync.payloads import Reject
from ai_admin.sync.runs import Outcome, SyncRun, SyncRuns
from ai_admin.sync.salon import SalonSync
from ai_admin.sync.settings import Reach, SyncSettings

__all__ = [
    "Age",
    "ApiError",
    "ApiRefused",
    "ApiUnreachable",
    "Freshness",
    "Limit",
    "ListIncomplete",
    "Outcome",
    "Pace",
    "Reach",
    "Reject",
    "RunUnderWay",
    "SalonSync",
    "SyncRun",
    "SyncRuns",
    "SyncSettings",
    "Synced",
    "YClients",
    "check_freshness",
    "sync_chain",
]
