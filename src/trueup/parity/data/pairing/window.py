"""Which rows a comparison looks at, where it doesn't look at all of them. Does no I/O."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from trueup.errors import UsageError
from trueup.parity.schema import QualifiedName

SAMPLE_PARTS = 2**20
"""A sample is so many of them: each row belongs to one, by the hash of its key."""
NAME = r'(?:"(?:[^"]|"")+"|[^\W\d][\w$]*)'
OF_ONE_TABLE = re.compile(rf"\s*({NAME})\.({NAME})\s*:(?!:)(.*)", re.DOTALL)
"""No expression begins like this: a single colon is part of no operator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """Is what a row has to fulfil on its own side to be looked at."""

    expression: str
    """Boolean SQL over the columns of the table, which is called `t`."""
    table: QualifiedName | None = None
    """None: every table's rows have to."""

    @classmethod
    def parse(cls, text: str) -> "Condition":
        """Read `EXPR`, or `SCHEMA.TABLE: EXPR`.

        Raises:
            UsageError: there is no expression.
        """
        found = OF_ONE_TABLE.fullmatch(text)
        expression = (found[3] if found else text).strip()
        if not expression:
            raise UsageError("--where has no expression: write 'company_id = 7', or 'public.clients: company_id = 7'")
        table = QualifiedName(*(_unquoted(found[part]) for part in (1, 2))) if found else None
        return cls(expression=expression, table=table)

    def __str__(self) -> str:
        return f"{self.table}: {self.expression}" if self.table else self.expression


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    """Is from which value of a column on rows are looked at, in all tables that have the column."""

    column: str
    value: str
    """As text."""

    @classmethod
    def parse(cls, text: str) -> "Since":
        """Read `COLUMN=VALUE`.

        Raises:
            UsageError: it is something else.
        """
        column, equals, value = text.partition("=")
        if not (column.strip() and equals and value.strip()):
            raise UsageError("--since has no column and value: write updated_at=2026-01-31")
        return cls(column=column.strip(), value=value.strip())

    def __str__(self) -> str:
        return f"{self.column}={self.value}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Is how much of each table is looked at: a share, or about so many rows."""

    percent: float | None = None
    rows: int | None = None

    @classmethod
    def parse(cls, text: str) -> "Sample":
        """Read `5%`, or `10000`.

        Raises:
            UsageError: it is something else.
        """
        found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*%|(\d+)", text.strip(), re.ASCII)
        if found and found[1] and 0 < float(found[1]) <= 100:
            return cls(percent=float(found[1]))
        if found and found[2] and int(found[2]) > 0:
            return cls(rows=int(found[2]))
        raise UsageError("--sample is neither a share nor a number of rows: write 5% or 10000")

    def parts(self, rows: int) -> int:
        """Return how many of SAMPLE_PARTS hold it, in a table of about so many rows."""
        share = self.percent / 100 if self.percent else (self.rows or 0) / max(1, rows)
        return max(1, min(SAMPLE_PARTS, round(share * SAMPLE_PARTS)))

    @property
    def size(self) -> str:
        """Return how much it is, in words."""
        return f"{self.percent:g} % of the rows" if self.percent else f"about {self.rows:,} rows of each table"

    def __str__(self) -> str:
        return f"{self.percent:g}%" if self.percent else str(self.rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Is which rows a comparison looks at: all, unless it says otherwise."""

    where: tuple[Condition, ...] = ()
    since: Since | None = None
    sample: Sample | None = None

    def __bool__(self) -> bool:
        return bool(self.where or self.since or self.sample)

    def expressions(self, table: QualifiedName) -> tuple[str, ...]:
        """Return what holds for the rows of a table that are looked at."""
        return tuple(one.expression for one in self.where if one.table in {None, table})

    def lines(self) -> Iterator[str]:
        """Yield what a reader has to know about what was not looked at."""
        for one in self.where:
            yield f"Only rows of {one.table or 'all tables'} where {one.expression}."
        if self.since:
            yield f"Only rows whose {self.since.column} is at least {self.since.value}."
        if self.sample:
            yield f"This is a sample: {self.sample.size}, chosen by the hash of their keys."

    def as_json(self) -> dict[str, object]:
        """Return it as it can be typed again."""
        return {
            "where": list(map(str, self.where)),
            "since": str(self.since) if self.since else None,
            "sample": str(self.sample) if self.sample else None,
        }


ALL_OF_IT = Window()
"""Leaves out nothing."""


def _unquoted(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name.lower()
