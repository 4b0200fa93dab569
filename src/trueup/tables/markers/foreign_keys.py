"""Which tables point to which, as the catalog has it."""

from dataclasses import dataclass
from importlib.resources import files

from psycopg import sql
from psycopg.rows import class_row

from trueup.db.connection import Connection

QUERY = files("trueup.tables.markers").joinpath("foreign_keys.sql").read_bytes()


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """Is one foreign key of the database; tables are named as contracts name them, a partition by its whole table."""

    name: str
    child: str
    """The table that points."""
    columns: list[str]
    parent: str
    """The table that it points to."""
    parent_columns: list[str]
    child_parts: list[str]
    """The schema and the name of the table that points."""

    @property
    def identifier(self) -> sql.Identifier:
        """Return the quoted name of the table that points."""
        return sql.Identifier(*self.child_parts)

    def joined(self, child: str, parent: str) -> sql.Composable:
        """Return the condition that a row under the one alias points to a row under the other."""
        pairs = zip(self.columns, self.parent_columns, strict=True)
        return sql.SQL(" and ").join(
            sql.SQL("{} = {}").format(sql.Identifier(child, column), sql.Identifier(parent, other))
            for column, other in pairs
        )


def read_foreign_keys(connection: Connection) -> tuple[ForeignKey, ...]:
    """Return every foreign key of the database, sorted by table and name."""
    return tuple(connection.cursor(row_factory=class_row(ForeignKey)).execute(QUERY).fetchall())
