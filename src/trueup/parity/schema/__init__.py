"""What a database is made of, and how two of them differ."""

from trueup.parity.schema.catalog import catalog, row_catalog
from trueup.parity.schema.diff import diff, reordered
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
from trueup.parity.schema.profiles import PROFILES, Profile, apart_from, without_history
from trueup.parity.schema.saved import Saved, encode_structure, read_structure

__all__ = [
    "PROFILES",
    "Catalog",
    "Column",
    "ColumnName",
    "Constraint",
    "DefinedObject",
    "Difference",
    "Generated",
    "Index",
    "ObjectKey",
    "Profile",
    "QualifiedName",
    "Saved",
    "Sequence",
    "Table",
    "UserType",
    "ValueType",
    "View",
    "apart_from",
    "catalog",
    "compared",
    "diff",
    "encode_structure",
    "quote_ident",
    "read_structure",
    "reordered",
    "row_catalog",
    "without_history",
]
