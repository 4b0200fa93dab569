"""The first database of a process, made while the rest of what its tests need is imported."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from trueup.errors import MigrationFailed, PermissionMissing, UsageError
from trueup.settings import Settings
from trueup.testing import rewind
from trueup.testing.lending.baselines import find_baseline
from trueup.testing.lending.host import Host
from trueup.testing.lending.leases import Lease, Site, open_site
from trueup.testing.lending.orders import Order
from trueup.testing.lending.recipes import read_recipe
from trueup.testing.options import Options

if TYPE_CHECKING:
    from trueup.testing.rewind import Baseline

MAIN = "main"
"""The name of a process that is the only one of its run: nobody else has changed anything on a server of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class First:
    """Is where the databases of a process are made, and the first of them."""

    host: Host
    site: Site
    schema: Path | None
    """The project's own folder of migrations."""
    order: Order | None = None
    """What the first database was made for; None: none was made."""
    lease: Lease | None = None
    baseline: "Baseline | None" = None
    recall: "Callable[[], Baseline] | None" = None
    """Gives the baseline where that is known; it is read when something is put back."""


def prepare(wait_for_host: Callable[[], Host], options: Options, worker: str, order: Order | None) -> First:
    """Return the site of a process on a server that is being started, with a database where its template is there.

    Raises:
        TrueupError: there is no server, or no project.
    """
    schema = options.schema or Settings.load(options.folder).schema
    host = wait_for_host()
    site = open_site(host.conninfo, run=host.run, worker=worker, is_embedded=host.is_embedded)
    first = First(host=host, site=site, schema=schema)
    if order is None or not host.is_embedded:
        return first
    whole = replace(order, kind=replace(order.kind, schema=order.kind.schema or schema))
    try:
        found = with_database(first, whole)
        may_recall = worker == MAIN and not options.is_verifying
        return with_baseline(found, may_recall=may_recall, verify=options.is_verifying)
    except (UsageError, MigrationFailed, PermissionMissing):  # As whoever asks for it will be told.
        return first
    except BaseException:
        site.close()
        raise


def with_database(first: First, order: Order) -> First:
    """Return it with a database, where its template is there."""
    with suppress(psycopg.errors.InvalidCatalogName):
        return replace(first, order=order, lease=first.site.clone(read_recipe(order.kind).name, order.kind))
    return first


def with_baseline(first: First, *, may_recall: bool, verify: bool) -> First:
    """Return it with the baseline of a database that is to be put back: the one that is known, or a new one."""
    if first.order is None or first.lease is None or not first.order.is_put_back:
        return first
    if may_recall and (recall := find_baseline(first.site, first.lease)) is not None:
        return replace(first, recall=recall)
    return replace(first, baseline=rewind.Baseline.take(first.lease.conninfo, verify=verify))
