"""Tables and changes of their rows, as short as they can be written."""

from types import MappingProxyType

from trueup.parity.data.pairing.forms import TEXT, Form
from trueup.parity.data.pairing.pairs import ReadColumn, Reading
from trueup.parity.data.repair.model import Change, Kind, Written
from trueup.parity.schema import Column, QualifiedName, Table, ValueType

TEXT_TYPE = ValueType(name=QualifiedName("pg_catalog", "text"), kind="base", category="S")


def table(name: str, *columns: str, **named: Column) -> Table:
    """Return a table of text columns, and of those that are given."""
    plain = {each: Column(name=each, type="text", value_type=TEXT_TYPE) for each in ("id", *columns)}
    return Table(name=QualifiedName("s", name), kind="table", columns=MappingProxyType(plain | named))


def written(table: Table) -> Written:
    """Return a table whose key is `id`."""
    key = ReadColumn(name="id", form=Form(value=TEXT), value_type=TEXT_TYPE)
    return Written(table=table, reading=Reading(table=table.name, has_partitions=False, columns=(), key=(key,)))


def row(kind: Kind, table: Table, key: str, *, held: dict[str, str | None] | None = None, **values: str) -> Change:
    """Return a change of one row."""
    return Change(kind=kind, written=written(table), key=(key,), values=values, held={"id": key, **(held or {})})
