"""What in a database needs what: read only where statements have to be put in order."""

from trueup.db import Snapshot
from trueup.parity.schema.catalog import query
from trueup.parity.schema.model import ObjectKey


def dependencies(snapshot: Snapshot) -> frozenset[tuple[ObjectKey, ObjectKey]]:
    """Return pairs of an object and one that has to be there before it.

    Source: PostgreSQL manual, "pg_depend".
    """
    rows = snapshot.rows(query("dependencies"))
    return frozenset((ObjectKey(kind, name), ObjectKey(other, whole)) for kind, name, other, whole in rows)
