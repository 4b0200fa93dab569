"""How two columns of the same name differ."""

from collections.abc import Collection, Iterator

from trueup.parity.schema.conversions import conversion
from trueup.parity.schema.difference import Difference, Effect, difference
from trueup.parity.schema.expressions import mentions, normal, normal_default, without_casts
from trueup.parity.schema.model import Column, Generated
from trueup.parity.schema.names import ColumnName, quote_ident
from trueup.report.model import Severity


def missing_column(name: ColumnName, column: Column) -> Difference:
    """Return the difference of a column that only the source has."""
    return difference(
        "column",
        name,
        "missing",
        (declaration(column), None),
        Effect(
            Severity.BREAKING,
            "Statements that name the column fail (42703), and its data is not there.",
            f"alter table {name.relation} add column {quote_ident(column.name)} {declaration(column)}",
        ),
    )


def extra_column(name: ColumnName, column: Column) -> Difference:
    """Return the difference of a column that only the target has."""
    required = not (column.nullable or column.default or column.identity or column.generated)
    effect = Effect(
        Severity.BREAKING if required else Severity.BEHAVIOURAL,
        "Inserts that don't know the column fail (23502): it is NOT NULL without a default."
        if required
        else "Queries with * return one more column; a renamed column shows as one missing and one extra.",
        f"alter table {name.relation} drop column {quote_ident(column.name)}",
    )
    return difference("column", name, "extra", (None, declaration(column)), effect)


def declaration(column: Column) -> str:
    """Return what `create table` says behind the column's name."""
    words = [column.type]
    if column.collation:
        words.append(f"collate {column.collation}")
    if column.generated:
        words.append(f"generated always as {_spelled(column.generated)}")
    elif column.identity:
        words.append(f"generated {column.identity} as identity")
    elif column.default is not None:
        words.append(f"default {column.default}")
    return " ".join(words if column.nullable else [*words, "not null"])


def column_differences(
    name: ColumnName, source: Column, target: Column, *, retyped: Collection[str]
) -> Iterator[Difference]:
    """Yield how two columns differ; `retyped` names the columns of the table whose type differs."""
    alter = f"alter table {name.relation} alter column {quote_ident(name.column)}"
    if source.type != target.type:
        yield difference("column", name, "type", (source.type, target.type), _typed(alter, source, target))
    if source.collation != target.collation:
        yield difference("column", name, "collation", (source.collation, target.collation), _collated(alter, source))
    if source.nullable != target.nullable:
        words = ("null" if source.nullable else "not null", "null" if target.nullable else "not null")
        yield difference("column", name, "nullability", words, _nullability(alter, target))
    if not _same_formula(source.generated, target.generated, retyped):
        formulas = (_spelled(source.generated), _spelled(target.generated))
        yield difference("column", name, "generated", formulas, _formula(alter, source, target))
    elif source.identity != target.identity:
        values = (source.identity or source.default, target.identity or target.default)
        yield difference("column", name, "identity", values, _identity(alter, source, target))
    elif normal_default(source.default, source.type) != normal_default(target.default, target.type):
        yield difference("column", name, "default", (source.default, target.default), _default(alter, source, target))


def _typed(alter: str, source: Column, target: Column) -> Effect:
    effect = conversion(source, target)
    again = ", then copy its values again" if effect.severity in {Severity.BREAKING, Severity.LOSSY} else ""
    return effect._replace(remedy=f"{alter} type {source.type}{again}")


def _collated(alter: str, source: Column) -> Effect:
    collation = source.collation or '"default"'
    return Effect(
        Severity.BEHAVIOURAL,
        "Order, ranges and perhaps equality of the same strings differ.",
        f"{alter} type {source.type} collate {collation}",
    )


def _nullability(alter: str, target: Column) -> Effect:
    if target.nullable:
        return Effect(
            Severity.BEHAVIOURAL,
            "Nothing refuses a missing value any more, and code that reads it may meet NULL.",
            f"{alter} set not null",
        )
    return Effect(Severity.BREAKING, "Writes that leave the column empty fail (23502).", f"{alter} drop not null")


def _spelled(generated: Generated | None) -> str | None:
    if generated is None:
        return None
    expression = generated.expression
    return f"{expression if expression.startswith('(') else f'({expression})'} {generated.storage}"


def _same_formula(source: Generated | None, target: Generated | None, retyped: Collection[str]) -> bool:
    if source is None or target is None:
        return source is target
    alike = without_casts if mentions(source.expression, retyped) else normal
    return source.storage == target.storage and alike(source.expression) == alike(target.expression)


def _formula(alter: str, source: Column, target: Column) -> Effect:
    again = f"drop the column and add it again as {declaration(source)}"
    if target.generated is None:
        return Effect(Severity.BEHAVIOURAL, "The value is no longer computed: new rows get NULL or the default.", again)
    if source.generated is None:
        return Effect(
            Severity.BREAKING, "Writes to the column fail (428C9): it is computed.", f"{alter} drop expression"
        )
    return Effect(Severity.BEHAVIOURAL, "The value is computed in another way, or at another time.", again)


def _identity(alter: str, source: Column, target: Column) -> Effect:
    if source.identity and target.identity:
        remedy = f"{alter} set generated {source.identity}"
    elif source.identity:
        remedy = f"{alter} add generated {source.identity} as identity"
    else:
        remedy = f"{alter} drop identity" + (f", then set default {source.default}" if source.default else "")
    if target.identity == "always":
        return Effect(Severity.BREAKING, "Inserts that bring their own value fail (428C9).", remedy)
    if target.identity is None and target.default is None:
        return Effect(
            Severity.BREAKING, "Inserts get no number any more and fail where it is NOT NULL (23502).", remedy
        )
    return Effect(
        Severity.BEHAVIOURAL, "The number comes in another way: copies with explicit values behave differently.", remedy
    )


def _default(alter: str, source: Column, target: Column) -> Effect:
    remedy = f"{alter} drop default" if source.default is None else f"{alter} set default {source.default}"
    if {source.default, target.default} == {"true", "false"}:
        meaning = f"The default is inverted: rows that leave the column out get {target.default}, not {source.default}."
        return Effect(Severity.BEHAVIOURAL, meaning, remedy)
    if target.default is None and not target.nullable:
        return Effect(Severity.BREAKING, "Inserts that leave the column out fail (23502).", remedy)
    if target.default is None:
        return Effect(Severity.BEHAVIOURAL, "Rows that leave the column out get NULL.", remedy)
    return Effect(Severity.BEHAVIOURAL, "Rows that leave the column out get another value.", remedy)
