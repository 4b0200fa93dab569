"""The first database of a process, made while the rest of what its tests need is imported."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from trueup.errors import MigrationFailed, PermissionMissing, UsageError
from trueup.settings import Settings
from trueup.testing.lending.host import Host
from trueup.testing.lending.leases import Lease, Site, open_site
from trueup.testing.lending.orders import Order
from trueup.testing.lending.recipes import read_recipe
from trueup.testing.options import Options

if TYPE_CHECKING:
    from trueup.testing.rewind import Baseline


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
        return with_database(first, whole, verify=options.is_verifying)
    except (UsageError, MigrationFailed, PermissionMissing):  # As whoever asks for it will be told.
        return first
    except BaseException:
        site.close()
        raise


def with_database(first: First, order: Order, *, verify: bool) -> First:
    """Return it with a database, where its template is there."""
    template = read_recipe(order.kind).name
    if not first.site.exists(template):
        return first
    lease = first.site.clone(template, order.kind)
    # Of the package, as the main thread does at the same time: by its module each of the two would wait for the other.
    from trueup.testing.rewind import Baseline  # noqa: PLC0415  Imported while the clone is made.

    baseline = Baseline.take(lease.conninfo, verify=verify) if order.is_put_back else None
    return replace(first, order=order, lease=lease, baseline=baseline)
