"""Carries out planned edits, and records what it did."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from psycopg import errors, sql
from tests.integration.verify.edits import Edit
from tests.integration.verify.tables import Key, Row, Table

from trueup.db.connection import Connection

UPDATE = "update {table} as t set ({columns}) = row({values}) where t.ctid = {place} returning {row}"
INSERT = "insert into {table} as t ({columns}) select {values} from {table} as t where t.ctid = {place} returning {row}"
REPLACE = (
    "with gone as (delete from {table} as t where t.ctid = {place} returning *)"
    " insert into {table} as t ({columns}) select {values} from gone returning {row}"
)
DELETE = "delete from {table} as t where t.ctid = {place} returning {row}"
SWAP = (
    "update {table} as t set {swapped} from (values ({place}, {other}), ({other}, {place})) as pair (mine, theirs)"
    " join {table} as o on o.ctid = pair.theirs where t.ctid = pair.mine returning {row}"
)
STATEMENTS: Mapping[str, sql.SQL] = {
    "delete": sql.SQL(DELETE),
    "insert": sql.SQL(INSERT),
    "keep": sql.SQL(UPDATE),
    "nudge": sql.SQL(UPDATE),
    "reinsert": sql.SQL(REPLACE),
    "rekey": sql.SQL(UPDATE),
    "replace": sql.SQL(REPLACE),
    "respell": sql.SQL(UPDATE),
    "swap": sql.SQL(SWAP),
    "update": sql.SQL(UPDATE),
}


class Editor:
    """Carries out edits in one transaction, past foreign keys; what another constraint forbids is left out."""

    def __init__(self, connection: Connection, tables: Mapping[str, Table], rows: Mapping[str, Sequence[Row]]) -> None:
        self.connection, self.tables = connection, tables
        self.rows = {name: list(known) for name, known in rows.items()}
        self.done: Counter[str] = Counter()
        """How many edits of each kind."""
        self.touched: defaultdict[str, set[Key]] = defaultdict(set)
        """Of each edited table, the keys before and after."""

    def apply(self, planned: Iterable[Edit]) -> None:
        with self.connection.transaction():
            self.connection.execute("set local session_replication_role = replica")
            for edit in planned:
                if self.rows[edit.table]:
                    self.apply_one(self.tables[edit.table], edit)

    def apply_one(self, table: Table, edit: Edit) -> None:
        rows = self.rows[table.name]
        numbers = {edit.row % len(rows), (edit.row + edit.away) % len(rows)}
        places = [rows[number][0] for number in numbers]
        statement = STATEMENTS[edit.kind].format(**parts(table, edit, places))
        try:
            with self.connection.transaction():
                after = self.connection.execute(statement).fetchall()
        except (errors.IntegrityError, errors.DataError):
            return
        assert len(after) == len(places), edit
        self.done[edit.kind] += 1
        self.record(edit, list(numbers), [(ctid, tuple(key)) for ctid, key in after])

    def record(self, edit: Edit, numbers: list[int], after: list[Row]) -> None:
        rows = self.rows[edit.table]
        self.touched[edit.table].update(key for _, key in [*after, *(rows[number] for number in numbers)])
        if edit.kind == "insert":
            rows += after
        elif edit.kind == "delete":
            rows[numbers[0]] = rows[-1]
            rows.pop()
        else:
            for number, row in zip(numbers, after, strict=True):
                rows[number] = row


def parts(table: Table, edit: Edit, places: Sequence[str]) -> dict[str, sql.Composable]:
    """Return what the statements are made of; a column without a value of the edit's keeps its own."""
    values = table.literals(edit.values)
    names = [sql.Identifier(name) for name in edit.columns]
    return {
        "table": table.relation,
        "columns": comma(map(sql.Identifier, values)),
        "values": comma(values.values()),
        "swapped": comma(sql.SQL("{0} = o.{0}").format(name) for name in names),
        "place": sql.SQL("{}::tid").format(sql.Literal(places[0])),
        "other": sql.SQL("{}::tid").format(sql.Literal(places[-1])),
        "row": table.place_and_key,
    }


def comma(items: Iterable[sql.Composable]) -> sql.Composed:
    return sql.SQL(", ").join(items)
