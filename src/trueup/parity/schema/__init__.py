"""What a database is made of, and how two of them differ."""

from trueup.parity.schema.catalog import catalog
from trueup.parity.schema.diff import diff
from trueup.parity.schema.difference import Difference
from trueup.parity.schema.model import (
    Catalog,
    Column,
    Constraint,
    DefinedObject,
    Generated,
    Index,
    ObjectKey,
    Sequence,
    Table,
    UserType,
    ValueType,
    View,
    compared,
)
from trueup.parity.schema.names import ColumnName, QualifiedName, quote_ident

__all__ = [
    "Catalog",
    "Column",
    "ColumnName",
    "Constraint",
    "DefinedObject",
    "Difference",
    "Generated",
    "Index",
    "ObjectKey",
    "QualifiedName",
    "Sequence",
    "Table",
    "UserType",
    "ValueType",
    "View",
    "catalog",
    "compared",
    "diff",
    "quote_ident",
]
