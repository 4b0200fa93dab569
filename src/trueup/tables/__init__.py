"""What the rows of a table are, and how they are read and written."""

from trueup.tables.bulk import Written
from trueup.tables.check import ContractDifference, check_contract
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
from trueup.tables.connections import Connections
from trueup.tables.contract import UNSET, Column, Sql, Table
from trueup.tables.errors import (
    CleanUpRefused,
    ContractError,
    DuplicateKeys,
    InvalidValue,
    StatementRefused,
    TenantMissing,
    UnknownColumn,
)
from trueup.tables.marker_rules import Begins, Ends, Equals, Follows
from trueup.tables.ordering import Rejected
from trueup.tables.orders import Order, asc, desc
from trueup.tables.repository import Repository
from trueup.tables.upserting import Upserted

__all__ = [
    "UNSET",
    "Begins",
    "CleanUpRefused",
    "Column",
    "Condition",
    "Connections",
    "ContractDifference",
    "ContractError",
    "DuplicateKeys",
    "Ends",
    "Equals",
    "Follows",
    "InvalidValue",
    "Order",
    "Rejected",
    "Repository",
    "Sql",
    "StatementRefused",
    "Table",
    "TenantMissing",
    "UnknownColumn",
    "Upserted",
    "Written",
    "any_of",
    "asc",
    "between",
    "check_contract",
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
