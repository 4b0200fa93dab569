"""A table contract held against the live catalog, before a statement fails on the difference."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from typing import Any

from psycopg.rows import class_row

from trueup.db.connection import Connection
from trueup.db.snapshots import Snapshot
from trueup.tables.contract import Column, Table


class Kind(StrEnum):
    """Is what a contract and a catalog can differ in."""

    TABLE = "table"
    COLUMN = "column"
    TYPE = "type"
    NULLABILITY = "nullability"
    GENERATED = "generated"
    REQUIRED = "required"
    PRIMARY_KEY = "primary key"
    CONFLICT_KEY = "conflict key"
    TENANT = "tenant"


MEANINGS: Mapping[Kind, str] = {
    Kind.TABLE: "every statement fails",
    Kind.COLUMN: "every statement fails",
    Kind.TYPE: "values are cut, rounded or refused, or come back as another class",
    Kind.NULLABILITY: "None comes back where none is expected, or is refused where it is allowed",
    Kind.GENERATED: "an insert that sets it fails, or nothing ever writes it",
    Kind.REQUIRED: "every insert fails: it must be set and the contract doesn't know it",
    Kind.PRIMARY_KEY: "pages may skip or repeat rows",
    Kind.CONFLICT_KEY: "every upsert fails with 42P10",
    Kind.TENANT: "every statement reads the rows of all tenants",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractDifference:
    """Is one thing that a contract says and the database doesn't."""

    kind: Kind
    object: str
    """As SQL names it: `public.clients.phone`."""
    contract: str
    """What the contract says; empty where it says nothing."""
    catalog: str
    """What the database has; empty where it has nothing."""

    @property
    def meaning(self) -> str:
        """Return what it does to reads and writes."""
        return MEANINGS[self.kind]


@dataclass(frozen=True, slots=True)
class LiveColumn:
    """Is one column as the catalog has it."""

    name: str
    type: str
    not_null: bool
    is_generated: bool
    has_default: bool


@dataclass(frozen=True, slots=True)
class LiveIndex:
    """Is one index as the catalog has it."""

    is_primary: bool
    is_whole: bool
    """Covers every row, and may be used."""
    is_arbiter: bool
    """Can tell ON CONFLICT that a key is taken."""
    definition: str
    columns: list[str]


def check_contract(connection: Connection | Snapshot, table: Table[Any]) -> tuple[ContractDifference, ...]:
    """Return how a table differs from its contract, in the contract's order; nothing means that it holds.

    Types are compared with their length and precision: a contract that says `text` doesn't hold for `varchar(50)`.
    """
    bare = connection.connection if isinstance(connection, Snapshot) else connection
    name = table.identifier.as_string(None)
    found = bare.execute("select relkind::text from pg_class where oid = to_regclass(%s)", [name]).fetchone()
    if found is None or found[0] not in {"r", "p", "f"}:
        has = "" if found is None else f"a relation of kind {found[0]}"
        return (ContractDifference(kind=Kind.TABLE, object=table.name, contract="a table", catalog=has),)
    columns = bare.cursor(row_factory=class_row(LiveColumn)).execute(query("columns"), [name]).fetchall()
    indexes = bare.cursor(row_factory=class_row(LiveIndex)).execute(query("indexes"), [name]).fetchall()
    by_name = {column.name: column for column in columns}
    return (
        *(each for column in table.columns for each in compare_column(table, column, by_name.get(column.name))),
        *compare_extra(table, columns),
        *compare_keys(table, indexes),
    )


def query(name: str) -> bytes:
    """Return the SQL of a file beside this module."""
    return files("trueup.tables").joinpath(f"{name}.sql").read_bytes()


def compare_column(table: Table[Any], column: Column, live: LiveColumn | None) -> Iterator[ContractDifference]:
    """Give what differs in one column of the contract."""

    def differs(kind: Kind, contract: str, catalog: str) -> ContractDifference:
        return ContractDifference(kind=kind, object=f"{table.name}.{column.name}", contract=contract, catalog=catalog)

    if live is None:
        yield differs(Kind.COLUMN, column.declared, "")
        return
    if live.type != column.declared:
        yield differs(Kind.TYPE, column.declared, live.type)
    if live.not_null == column.nullable:
        yield differs(Kind.NULLABILITY, *(("NULL", "NOT NULL") if column.nullable else ("NOT NULL", "NULL")))
    if live.is_generated and column.name not in table.generated:
        yield differs(Kind.GENERATED, "written", "generated always")
    if not live.is_generated and column.name in table.generated:
        yield differs(Kind.GENERATED, "generated", "written")


def compare_extra(table: Table[Any], columns: Sequence[LiveColumn]) -> Iterator[ContractDifference]:
    """Give the columns that an insert has to set and the contract doesn't have."""
    for live in columns:
        is_needed = live.not_null and not live.has_default and not live.is_generated
        if is_needed and live.name not in table.by_name:
            place = f"{table.name}.{live.name}"
            yield ContractDifference(kind=Kind.REQUIRED, object=place, contract="", catalog=f"{live.type} NOT NULL")


def compare_keys(table: Table[Any], indexes: Sequence[LiveIndex]) -> Iterator[ContractDifference]:
    """Give what the keys and the tenant lack."""
    primary: Sequence[str] = next((index.columns for index in indexes if index.is_primary), [])
    if set(primary) != set(table.primary_key):
        yield ContractDifference(
            kind=Kind.PRIMARY_KEY, object=table.name, contract=listed(table.primary_key), catalog=listed(primary)
        )
    if not any(index.is_arbiter and set(index.columns) == set(table.key) for index in indexes):
        near = "; ".join(index.definition for index in indexes if set(table.key) <= set(index.columns))
        wanted = f"a unique index on {listed(table.key)}"
        yield ContractDifference(kind=Kind.CONFLICT_KEY, object=table.name, contract=wanted, catalog=near)
    if table.tenant and not any(index.columns[:1] == [table.tenant] and index.is_whole for index in indexes):
        place = f"{table.name}.{table.tenant}"
        yield ContractDifference(kind=Kind.TENANT, object=place, contract="an index that begins with it", catalog="")


def listed(names: Sequence[str]) -> str:
    """Return names as SQL lists them."""
    return f"({', '.join(names)})" if names else ""
