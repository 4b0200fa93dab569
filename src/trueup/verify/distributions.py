"""How the values of each column are spread on both sides: what a copy does to all rows at once shows here.

A flag that was inverted, an external id where an internal one was, text that became empty: the rows may even have been
copied one by one and still all be wrong. No value is shown.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, LiteralString

from psycopg import sql

from trueup.errors import Disconnected, Unverifiable
from trueup.parity.data import Side
from trueup.parity.data.sides.lockstep import savepoint, unverifiable
from trueup.parity.schema import Column, ColumnName, QualifiedName
from trueup.report.model import Finding, Section, Severity, failure, left_open
from trueup.verify.check import Announce, needs_source
from trueup.verify.subject import Subject

LEAST_ROWS = 20
"""In fewer, a share says nothing."""
MOST_SHIFT = 0.2
"""By how much a share may differ."""
MOST_RATIO = 2.0
"""How many times as many different values the one side may have."""
WHOLE_ROWS = 100_000
"""Up to so many rows every value is counted for the number of different ones, beyond them one in 64 by its hash."""

BOOLEANS = frozenset({"bool"})
NUMBERS = frozenset({"int2", "int4", "int8", "numeric", "float4", "float8"})
TIMES = frozenset({"date", "timestamp", "timestamptz"})
TEXTS = frozenset({"text", "varchar", "bpchar"})
OTHERS = frozenset({"uuid"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Is how the values of one column are spread."""

    rows: int
    given: int
    """Not NULL."""
    distinct: int
    """Different values, of all or of one hash in 64."""
    true: int | None = None
    empty: int | None = None
    least: float | None = None
    """Of numbers, and of times as seconds."""
    most: float | None = None

    def share(self, number: int | None, of: int) -> float | None:
        """Return a number as a share of others; None where there is none."""
        return None if number is None or not of else number / of

    @property
    def shares(self) -> dict[str, float | None]:
        """Return what part of the rows is what."""
        return {
            "NULL": self.share(self.rows - self.given, self.rows),
            "true": self.share(self.true, self.given),
            "empty": self.share(self.empty, self.given),
        }


def look_at_distributions(subject: Subject, announce: Announce) -> Section:
    """Hold the spread of each column's values in the target against that in the source."""
    if "data" in subject.passed:
        return proved_section(subject.pair.source)
    pair, findings, compared = subject.pair, [], {"tables": 0, "columns": 0, "rows": 0}
    with ThreadPoolExecutor(max_workers=2, thread_name_prefix="trueup-spread") as pool:
        for name in sorted(pair.source.catalog.tables.keys() & pair.target.catalog.tables.keys()):
            columns = shared_columns(pair.source, pair.target, name)
            if not columns:
                continue
            announce(f"comparing how values are spread in {name}")
            try:
                mine, theirs = pool.map(lambda side: spreads(side, name, columns), (pair.source, pair.target))  # noqa: B023
            except Disconnected:
                raise
            except Unverifiable as error:
                findings.append(left_open("distributions", str(name), str(error)))
                continue
            compared["tables"] += 1
            compared["columns"] += len(columns)
            compared["rows"] += mine[0].rows + theirs[0].rows
            for column, first, second in zip(columns, mine, theirs, strict=True):
                findings += [shift_finding(name, column, shift) for shift in shifts(first, second)]
    if not compared["rows"]:
        compared = {}
    return Section(check="distributions", title="Distributions", compared=compared, findings=tuple(findings))


def proved_section(source: Side) -> Section:
    """Return the section for databases whose rows are the same, one by one: so are the values of every column."""
    columns = sum(len(table.columns) for table in source.catalog.tables.values())
    return Section(check="distributions", title="Distributions", compared={"columns, proved by their rows": columns})


def lacks_pair_of_tables(subject: Subject) -> str:
    """Say that no table is on both sides; empty where one is."""
    if reason := needs_source(subject):
        return reason
    pair = subject.pair
    return "" if pair.source.catalog.tables.keys() & pair.target.catalog.tables.keys() else "no table is on both sides"


def shared_columns(source: Side, target: Side, name: QualifiedName) -> tuple[str, ...]:
    """Return the columns of a table whose values both sides spread in a way that can be compared."""
    if name.schema == "trueup" or source.catalog.tables[name].parents or target.catalog.tables[name].parents:
        return ()
    mine, theirs = source.catalog.tables[name].columns, target.catalog.tables[name].columns
    return tuple(
        each for each in mine if each in theirs and kind(mine[each]) and kind(mine[each]) == kind(theirs[each])
    )


def kind(column: Column) -> str:
    """Return how the values of a column are measured; empty: not at all."""
    if column.value_type.kind != "base" or column.value_type.name.schema != "pg_catalog":
        return ""
    name = column.value_type.name.name
    families = {"flag": BOOLEANS, "number": NUMBERS, "time": TIMES, "text": TEXTS, "other": OTHERS}
    return next((family for family, names in families.items() if name in names), "")


def spreads(side: Side, name: QualifiedName, columns: Sequence[str]) -> list[Spread]:
    """Return how the values of columns are spread, in one scan.

    Raises:
        Unverifiable: the table can't be read.
    """
    table = side.catalog.tables[name]
    with savepoint(side.snapshot), unverifiable(side.snapshot):
        [(estimate,)] = side.snapshot.rows(
            "select reltuples::int8 from pg_class where oid = %s::regclass", [sql.Identifier(*name).as_string(None)]
        )
        measures = [measure(table.columns[each], is_whole=estimate <= WHOLE_ROWS) for each in columns]
        query = sql.SQL("select count(*), {} from {} as t").format(sql.SQL(", ").join(measures), sql.Identifier(*name))
        [(rows, *numbers)] = side.snapshot.rows(query)
    return [spread(rows, numbers[start : start + 6]) for start in range(0, len(numbers), 6)]


def spread(rows: int, numbers: Sequence[Any]) -> Spread:
    """Return the spread that six numbers of a scan describe."""
    given, distinct, true, empty, least, most = numbers
    return Spread(rows=rows, given=given, distinct=distinct, true=true, empty=empty, least=least, most=most)


def measure(column: Column, *, is_whole: bool) -> sql.Composed:
    """Return the six expressions that measure a column."""
    family = kind(column)
    value = sql.SQL("t.{}").format(sql.Identifier(column.name))
    number: LiteralString = "{}::float8" if family == "number" else "extract(epoch from {})::float8"
    ends: tuple[LiteralString, LiteralString] = ("null::float8", "null::float8")
    if family in {"number", "time"}:
        ends = (f"min({number})", f"max({number})")
    parts: tuple[LiteralString, ...] = (
        "count({})",
        "count(distinct {})"
        if is_whole
        else "count(distinct {0}) filter (where hashtextextended({0}::text, 0) & 63 = 0)",
        "count(*) filter (where {})" if family == "flag" else "null::int8",
        "count(*) filter (where {} = '')" if family == "text" else "null::int8",
        *ends,
    )
    return sql.SQL(", ").join(sql.SQL(part).format(value) for part in parts)


def shifts(source: Spread, target: Spread) -> Iterator[tuple[str, str]]:
    """Yield what is spread otherwise, and what that may come from; nothing of too few rows to tell."""
    if min(source.rows, target.rows) < LEAST_ROWS:
        return
    for what, mine in source.shares.items():
        theirs = target.shares[what]
        if mine is not None and theirs is not None and abs(mine - theirs) > MOST_SHIFT:
            cause = "an inverted flag, or another column's values" if what == "true" else "values lost on the way"
            yield f"{what} in {mine:.0%} of the source's values and in {theirs:.0%} of the target's", cause
    if are_apart(source, target):
        yield "the values of both sides share no range", "ids of another system, another unit, or another era"
    low, high = sorted((source.distinct, target.distinct))
    are_alike_long = max(source.given, target.given) < 1.2 * min(source.given, target.given)
    if are_alike_long and high >= LEAST_ROWS and high > MOST_RATIO * max(low, 1):
        yield (
            f"{source.distinct:,} different values in the source, {target.distinct:,} in the target",
            "values cut, merged, or made anew",
        )


def are_apart(source: Spread, target: Spread) -> bool:
    """Return whether no value of one side lies within the range of the other."""
    if source.least is None or source.most is None or target.least is None or target.most is None:
        return False
    return source.most < target.least or target.most < source.least


def shift_finding(name: QualifiedName, column: str, shift: tuple[str, str]) -> Finding:
    """Return the finding for a column whose values are spread otherwise."""
    message, cause = shift
    return failure(
        "distributions",
        str(ColumnName(*name, column)),
        message,
        f"The column may hold something else than in the source: {cause}.",
        "compare some rows by hand, then copy the column anew",
        severity=Severity.LOSSY,
    )
