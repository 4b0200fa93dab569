"""Names as SQL writes them."""

import re
from typing import NamedTuple

RESERVED = frozenset(
    """
    all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean both
    case cast char character check coalesce collate collation column concurrently constraint create cross
    current_catalog current_date current_role current_schema current_time current_timestamp current_user dec
    decimal default deferrable desc distinct do else end except exists extract false fetch float for foreign
    freeze from full grant greatest group grouping having ilike in initially inner inout int integer intersect
    interval into is isnull join json json_array json_arrayagg json_exists json_object json_objectagg json_query
    json_scalar json_serialize json_table json_value lateral leading least left like limit localtime
    localtimestamp merge_action national natural nchar none normalize not notnull null nullif numeric offset on
    only or order out outer overlaps overlay placing position precision primary real references returning right
    row select session_user setof similar smallint some substring symmetric system_user table tablesample then
    time timestamp to trailing treat trim true union unique user using values varchar variadic verbose when
    where window with xmlattributes xmlconcat xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi
    xmlroot xmlserialize xmltable
    """.split()  # noqa: SIM905 - 164 strings on a line each hide the words
)
"""Words that some version from 14 to 18 quotes (`pg_get_keywords()`, all but catcode U)."""


def quote_ident(name: str) -> str:
    """Return the name as the server's own quote_ident does: with quotes only where SQL needs them."""
    if re.fullmatch(r"[a-z_][a-z0-9_]*", name) and name not in RESERVED:
        return name
    return '"' + name.replace('"', '""') + '"'


def quote_literal(text: str) -> str:
    """Return a text as SQL writes it."""
    quoted = "'" + text.replace("'", "''") + "'"
    return f" E{quoted}".replace("\\", "\\\\").strip() if "\\" in text else quoted


def relation_and_column(full: str) -> tuple[str, str]:
    """Return the relation and the column of a column's full name, whose quotes may hold points."""
    found = re.fullmatch(r'(.*)\.("(?:[^"]|"")*"|[^".]+)', full, re.DOTALL)
    return (found[1], found[2]) if found else (full, "")


class QualifiedName(NamedTuple):
    """Is the name of something that lives in a schema."""

    schema: str
    name: str

    def __str__(self) -> str:
        return f"{quote_ident(self.schema)}.{quote_ident(self.name)}"


class ColumnName(NamedTuple):
    """Is the name of a column of a table."""

    schema: str
    table: str
    column: str

    def __str__(self) -> str:
        return f"{self.relation}.{quote_ident(self.column)}"

    @property
    def relation(self) -> QualifiedName:
        """Return the name of its table."""
        return QualifiedName(self.schema, self.table)
