"""What this package refuses before any SQL is sent.

    UsageError
    ├── ContractError            a table contract contradicts itself
    └── StatementRefused         the call asks for what the contract does not allow
        ├── UnknownColumn        a name that the contract doesn't have
        ├── TenantMissing        no tenant on a table of tenants, or another one than the repository's
        ├── DuplicateKeys        rows of one call that share a key
        └── InvalidValue*        a value that the column can't hold

    Refused
    └── CleanUpRefused           rows that a clean-up would delete may be somebody's

    * is InvalidData as well, as if the server had said it.

A message names the table and the column, never a value.
"""

from dataclasses import dataclass

from trueup.errors import InvalidData, Outcome, Refused, UsageError


class ContractError(UsageError):
    """Says what is wrong with a table contract, where it is declared."""


class StatementRefused(UsageError):
    """Says why no SQL was sent."""


class UnknownColumn(StatementRefused):
    """Says which name the contract doesn't have, and which it has."""


class TenantMissing(StatementRefused):
    """Says which statement would have reached the rows of every tenant, or of another one."""


class DuplicateKeys(StatementRefused):
    """Says which rows of one call share a key, by their positions."""


class InvalidValue(StatementRefused, InvalidData):
    """Says which column can't hold the value, and why; never the value."""

    def __init__(self, reason: str, *, table: str, column: str, sqlstate: str) -> None:
        InvalidData.__init__(
            self,
            f"{table}.{column}: the value {reason}",
            sqlstate=sqlstate,
            table=table,
            columns=(column,),
            outcome=Outcome.NOT_SENT,
        )


@dataclass(frozen=True, slots=True)
class Objection:
    """Is one reason not to clean up."""

    table: str
    """With its schema; of the rows that the reason is about."""
    rows: int
    reason: str
    """In words, with the number of rows."""


class CleanUpRefused(Refused):
    """Says why nothing was deleted: every table that speaks against it, with its number of rows."""

    def __init__(self, *objections: Objection) -> None:
        self.objections = objections
        said = "; ".join(f"{each.table}: {each.reason}" for each in objections)
        super().__init__(f"nothing was deleted: {said}")

    def __reduce__(self) -> tuple[type["CleanUpRefused"], tuple[Objection, ...]]:
        return type(self), self.objections
