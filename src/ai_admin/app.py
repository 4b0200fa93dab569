"""Where a program gets the salon's data layer from: settings, one pool, and the end of both."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ai_admin.data_layer import DataLayer
from trueup import observe
from trueup.db import Database
from trueup.settings import Settings

Salons = Callable[[int], DataLayer]


@contextmanager
def salons(settings: Settings) -> Iterator[Salons]:
    """Give what returns the data layer of a salon by its company id; all of them share one pool, closed at the end.

    Raises:
        UsageError: the environment names no database, or a value of it can't be read.
    """
    observe.instrument(settings.observe)
    with Database(settings.database) as db:
        yield lambda company_id: DataLayer(db, company_id)
