"""How a value is read as text and written again, exactly the same. Does no I/O."""

from psycopg import sql

from trueup.parity.data.hashing.expressions import column as converted
from trueup.parity.data.pairing.forms import PADDED_TEXT, Template
from trueup.parity.data.pairing.pairs import ReadColumn
from trueup.parity.schema import Column, QualifiedName, ValueType

PLAIN: Template = "({0})::text"
AS_TEXT: dict[str, Template] = {
    # A cast to text would cut the blanks at the end.
    "bpchar": PADDED_TEXT,
    # Its own text follows lc_monetary, which belongs to the session.
    "money": "({0})::numeric::text",
    "_money": "({0})::numeric[]::text",
}
FROM_TEXT: dict[str, Template] = {
    "money": "{0}::pg_catalog.numeric::pg_catalog.money",
    "_money": "{0}::pg_catalog._numeric::pg_catalog._money",
    # A cast looks the name up, and the name of no relation is `-`.
    "regclass": "pg_catalog.regclassin(pg_catalog.textout({0}))",
}
OF_NAMES = frozenset(
    f"reg{kind}"
    for kind in (
        "class", "collation", "config", "database", "dictionary", "namespace", "oper", "operator", "proc", "procedure",
        "role", "type"
    )
)  # fmt: skip
"""Types whose text depends on the search path."""


def read_value(one: ReadColumn, written: Column) -> sql.Composed:
    """Return a source's value as text that a column of the target reads back."""
    is_same = one.form.conversion is None and one.value_type == written.value_type
    return sql.SQL(AS_TEXT.get(_name(one.value_type), PLAIN) if is_same else PLAIN).format(converted(one))


def own_text(column: Column) -> sql.Composed:
    """Return a column of `t` as text that it reads back."""
    return sql.SQL(AS_TEXT.get(_name(column.value_type), PLAIN)).format(sql.Identifier("t", column.name))


def to_assign(column: Column, text: sql.Composable) -> sql.Composed:
    """Return a text as a value for a column, not cut to its length: the assignment refuses what is longer."""
    if template := FROM_TEXT.get(_name(column.value_type)):
        return sql.SQL(template).format(text)
    return sql.SQL("{}::{}").format(text, sql.Identifier(*column.value_type.name))


def as_stored(column: Column, text: sql.Composable) -> sql.Composed:
    """Return a text as the value that a column holds after it was assigned."""
    template = FROM_TEXT.get(_name(column.value_type), "{0}")
    return sql.SQL("{}::{}").format(sql.SQL(template).format(text), sql.SQL(column.type))


def to_guard(column: Column, value: sql.Composable) -> sql.Composed:
    """Return a value whose text is the same in every session that pins the settings of a file."""
    of_name = column.value_type.kind == "base" and _name(column.value_type) in OF_NAMES
    return sql.SQL("{}::pg_catalog.oid" if of_name else "{}").format(value)


def _name(type_: ValueType) -> str:
    return type_.name.name if type_.name == QualifiedName("pg_catalog", type_.name.name) else ""
