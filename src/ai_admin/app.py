"""Where a program gets the salons' data layers and syncs from: settings, one pool, and the end of both."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from ai_admin.data_layer import DataLayer
from ai_admin.sync import Limit, Pace, SalonSync, SyncSettings, YClients
from trueup import observe
from trueup.db import Database
from trueup.settings import Settings

Salons = Callable[[int], DataLayer]
Syncs = Callable[[int], SalonSync]


@contextmanager
def salons(settings: Settings) -> Iterator[Salons]:
    """Give what returns the data layer of a salon by its company id; all of them share one pool, closed at the end.

    Raises:
        UsageError: the environment names no database, or a value of it can't be read.
    """
    observe.instrument(settings.observe)
    with Database(settings.database) as db:
        yield lambda company_id: DataLayer(db, company_id)


@contextmanager
def syncs(settings: Settings) -> Iterator[Syncs]:
    """Give what returns the sync of a salon by its company id; all of them share one pool and one pace.

    Raises:
        UsageError: the environment names no database or no YClients, or a value of it can't be read.
    """
    configured = SyncSettings.from_env(settings.variables)
    observe.instrument(settings.observe)
    with Database(settings.database) as db, closing(client(configured)) as api:
        yield lambda company_id: SalonSync(db, api, company_id, reach=configured.reach)


def client(configured: SyncSettings) -> YClients:
    """Return what asks YClients, as it is configured."""
    pace = Pace((Limit(configured.requests_per_second, 1.0), Limit(configured.requests_per_minute, 60.0)))
    return YClients(
        configured.url, partner=configured.partner, user=configured.user, pace=pace, timeout_s=configured.timeout_s
    )
