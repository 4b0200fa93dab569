"""What in a database needs what: read only where statements have to be put in order."""

from trueup.db import Snapshot
from trueup.parity.schema.catalog import query
from trueup.parity.schema.model import ObjectKey


def dependencies(snapshot: Snapshot) -> frozenset[tuple[ObjectKey, ObjectKey]]:
    """Return pairs of an object and one that has to be there before it.

    What has a name that no comparison looks at needs that name: ("not null", "public.t.c") needs ("name", "n").

    Source: PostgreSQL manual, "pg_depend".
    """
    rows = snapshot.rows(query("dependencies"))
    named = snapshot.rows(query("names"))
    names = frozenset((ObjectKey(kind, identity), ObjectKey("name", name)) for kind, identity, name in named)
    return names | frozenset((ObjectKey(kind, name), ObjectKey(other, whole)) for kind, name, other, whole in rows)
