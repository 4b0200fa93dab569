"""Types that can't be altered: made anew beside what they were, which columns are converted from. Does no I/O."""

from typing import cast

from trueup.parity.schema.model import Column, ObjectKey, UserType
from trueup.parity.schema.names import quote_ident
from trueup.parity.schema.planning import making
from trueup.parity.schema.planning.alteration import Alteration
from trueup.parity.schema.planning.sides import Side
from trueup.parity.schema.planning.units import Unit

FORMER = "trueup_former"
"""The name of a type while columns are converted from it."""
SWAPPED = frozenset({"enum type", "domain"})


def swap(have: Side, want: Side, key: ObjectKey) -> Alteration | None:
    """Return what puts another type in the place of one whose values stay; None where that is not known."""
    mine, theirs = have.units[key].thing, want.units[key].thing
    if not (isinstance(mine, UserType) and isinstance(theirs, UserType)) or mine.kind != theirs.kind:
        return None
    columns = [each for each in sorted(swapped_columns(have, key)) if _is_kept(have, want, each)]
    if mine.kind not in SWAPPED or not columns:
        return None
    word = "domain" if mine.kind == "domain" else "type"
    converted = (_converted(have.units[each], mine, theirs) for each in columns)
    return Alteration(
        (
            f"alter {word} {mine.name} rename to {FORMER}",
            *want.units[key].create,
            *converted,
            f"drop {word} {mine.name._replace(name=FORMER)}",
        ),
        touches=True,
        swaps=frozenset(columns),
    )


def swapped_columns(have: Side, key: ObjectKey) -> frozenset[ObjectKey]:
    """Return the columns whose values are of a type."""
    return frozenset(each for each in have.needed_by[key] if each.kind == "table column")


def _is_kept(have: Side, want: Side, column: ObjectKey) -> bool:
    other = want.units.get(column)
    return other is not None and _column(other).type == _column(have.units[column]).type and not other.given_by


def _converted(unit: Unit, mine: UserType, theirs: UserType) -> str:
    """Return the statement that converts a column; labels that are gone become NULL, and leave arrays."""
    column = _column(unit)
    name, table = quote_ident(column.name), unit.whole.identity if unit.whole else ""
    lost = [label for label in mine.parts if label not in theirs.parts] if mine.kind == "enum type" else []
    is_list = column.type.endswith("[]")
    value = f"{name}::text{'[]' * is_list}"
    if lost and is_list:
        for label in lost:
            value = f"array_remove({value}, {making.literal(label)})"
    elif lost:
        listed = ", ".join(map(making.literal, lost))
        value = f"case when {value} in ({listed}) then null else {value} end"
    return f"alter table {table} alter column {name} type {column.type} using ({value})::{column.type}"


def loses_labels(have: Unit, want: Unit) -> bool:
    """Say whether there are labels of an enum that the other side lacks."""
    mine, theirs = cast("UserType", have.thing), cast("UserType", want.thing)
    return mine.kind == "enum type" and not set(mine.parts) <= set(theirs.parts)


def _column(unit: Unit) -> Column:
    return cast("tuple[Column, object]", unit.thing)[0]
