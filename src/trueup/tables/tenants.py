"""Whose rows a statement reaches: on a table of tenants it always names one."""

from collections.abc import Mapping
from typing import Any

from trueup.tables.conditions import Condition, Operator, encode
from trueup.tables.contract import UNSET, Table
from trueup.tables.errors import StatementRefused, TenantMissing

Row = Mapping[str, object]


def check_tenant(table: Table[Any], tenant: Row) -> Row:
    """Return the tenant that a repository is to be bound to.

    Raises:
        StatementRefused: it isn't the contract's tenant column.
        TenantMissing: it is None.
        InvalidValue: the column can't hold it.
    """
    if set(tenant) != {table.tenant}:
        expected = f"is bound by {table.tenant}=…" if table.tenant else "has no tenant column"
        raise StatementRefused(f"{table.name} {expected}; got {', '.join(sorted(tenant))}")
    for name, value in tenant.items():
        if value is None or value is UNSET:
            raise TenantMissing(f"{table.name}: {name} is {value}, which is no tenant")
        encode(table, table.column(name), value)
    return dict(tenant)


def with_tenant(table: Table[Any], column: str, bound: Row, conditions: Row) -> Row:
    """Return the conditions with the tenant that a repository is bound to, if it is.

    Raises:
        TenantMissing: no tenant is named, or another one.
    """
    given = conditions.get(column, UNSET)
    if not bound:
        if not names_tenant(given):
            raise TenantMissing(
                f"{table.name}: the call names no {column}; give {column}=… or bind the repository to one"
            )
        return conditions
    if given is not UNSET and given != bound[column]:
        raise TenantMissing(f"{table.name}: the repository is bound to one {column}, the call asks for another")
    return {**conditions, **bound}


def names_tenant(given: object) -> bool:
    """Say whether a condition picks tenants by their values."""
    if type(given) is Condition:
        is_pick = given.operator in {Operator.EQ, Operator.IN}
        return (is_pick and given.value is not None) or any(map(names_tenant, given.others))
    return given is not None and given is not UNSET


def row_with_tenant(
    table: Table[Any], column: str, bound: Row, names: tuple[str, ...], values: list[Any]
) -> tuple[tuple[str, ...], list[Any]]:
    """Return the columns and values of a row with the tenant that a repository is bound to, if it is.

    Raises:
        TenantMissing: the row has none, or another one.
    """
    given = values[names.index(column)] if column in names else UNSET
    if given is None or (given is UNSET and not bound):
        raise TenantMissing(f"{table.name}: the row has no {column}")
    if given is UNSET:
        return (*names, column), [*values, bound[column]]
    if bound and given != bound[column]:
        raise TenantMissing(f"{table.name}: the repository is bound to one {column}, the row has another")
    return names, values
