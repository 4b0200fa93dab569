"""What the rows of a table are, and how they are read and written."""

from trueup.tables.conditions import (
    Condition,
    any_of,
    between,
    contains,
    eq,
    gt,
    gte,
    ilike,
    in_,
    is_not_null,
    is_null,
    like,
    lt,
    lte,
    ne,
    not_in,
)
from trueup.tables.contract import UNSET, Column, Sql, Table
from trueup.tables.errors import (
    ContractError,
    DuplicateKeys,
    InvalidValue,
    StatementRefused,
    TenantMissing,
    UnknownColumn,
)
from trueup.tables.orders import Order, asc, desc
from trueup.tables.repository import Connections, Repository
from trueup.tables.upserting import Upserted

__all__ = [
    "UNSET",
    "Column",
    "Condition",
    "Connections",
    "ContractError",
    "DuplicateKeys",
    "InvalidValue",
    "Order",
    "Repository",
    "Sql",
    "StatementRefused",
    "Table",
    "TenantMissing",
    "UnknownColumn",
    "Upserted",
    "any_of",
    "asc",
    "between",
    "contains",
    "desc",
    "eq",
    "gt",
    "gte",
    "ilike",
    "in_",
    "is_not_null",
    "is_null",
    "like",
    "lt",
    "lte",
    "ne",
    "not_in",
]
