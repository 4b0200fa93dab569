"""The months that messages are kept in."""

import datetime as dt

from trueup.tables import Connections


def make_partitions(db: Connections, *, months_ahead: int = 3) -> list[str]:
    """Make the partitions of this month and the months ahead that are missing, and return their names.

    Messages that had come before their month was made move into it. Nothing is dropped.
    """
    with db.transaction(), db.connection() as connection:
        rows = connection.execute("select * from maintain_messages_partitions(%s)", [months_ahead]).fetchall()
    return [name for (name,) in rows]


def drop_partitions(db: Connections, *, before: dt.date) -> list[str]:
    """Drop the months that lie wholly before a day, messages and all, and return their names."""
    with db.transaction(), db.connection() as connection:
        rows = connection.execute("select * from drop_messages_partitions(%s)", [before]).fetchall()
    return [name for (name,) in rows]
