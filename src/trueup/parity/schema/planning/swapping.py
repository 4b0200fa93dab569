"""Types that can't be altered: made anew beside what they were, which columns are converted from. Does no I/O."""

from collections.abc import Collection
from typing import cast

from trueup.parity.schema.model import Column, ObjectKey, UserType
from trueup.parity.schema.names import quote_ident, quote_literal
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
    columns = frozenset(each for each in swapped_columns(have, key) if _is_kept(have, want, each))
    return swapped(have, want, key, columns) if mine.kind in SWAPPED and columns else None


def swapped(have: Side, want: Side, key: ObjectKey, columns: Collection[ObjectKey]) -> Alteration:
    """Return what puts another type in the place of one, and converts those columns."""
    mine, theirs = (cast("UserType", side.units[key].thing) for side in (have, want))
    word = "domain" if mine.kind == "domain" else "type"
    units = [have.units[each] for each in sorted(columns)]
    checks = (_check(unit, mine, theirs) for unit in units)
    return Alteration(
        (
            f"alter {word} {mine.name} rename to {FORMER}",
            *want.units[key].create,
            *map(_converted, units),
            f"drop {word} {mine.name._replace(name=FORMER)}",
        ),
        touches=True,
        swaps=frozenset(columns),
        is_swap=True,
        checks=tuple(each for each in checks if each),
    )


def swapped_columns(have: Side, key: ObjectKey) -> frozenset[ObjectKey]:
    """Return the columns whose values are of a type."""
    return frozenset(each for each in have.needed_by[key] if each.kind == "table column")


def holding_columns(have: Side, key: ObjectKey) -> frozenset[ObjectKey]:
    """Return the columns that hold values of a domain inside of others: the server checks no such value."""
    found: set[ObjectKey] = set()
    for each in have.needed_by[key]:
        unit = have.units[each]
        if each.kind == "table column" and not unit.given_by and _column(unit).type.endswith("[]"):
            found.add(each)
        elif isinstance(unit.thing, UserType):
            found |= holding_columns(have, each)
            whole = swapped_columns(have, each) if unit.thing.kind != "domain" else ()
            found |= {column for column in whole if not have.units[column].given_by}
    return frozenset(found)


def set_aside(have: Side, found: Alteration, columns: Collection[ObjectKey]) -> Alteration:
    """Return an alteration of a domain while columns that hold its values are texts."""
    units = [have.units[each] for each in sorted(columns)]
    return found._replace(
        statements=(*map(_as_text, units), *found.statements, *map(_converted, units)), swaps=frozenset(columns)
    )


def _as_text(unit: Unit) -> str:
    column = _column(unit)
    name, table = quote_ident(column.name), unit.whole.identity if unit.whole else ""
    text = "text[]" if column.type.endswith("[]") else "text"
    return f"alter table {table} alter column {name} type {text} using {name}::{text}"


def _is_kept(have: Side, want: Side, column: ObjectKey) -> bool:
    other = want.units.get(column)
    if other is None or other.given_by or have.parts_rows(column):
        return False
    return _column(other).type == _column(have.units[column]).type


def _converted(unit: Unit) -> str:
    """Return the statement that converts a column by the text of its values; it fails at a label that is gone."""
    column = _column(unit)
    name, table = quote_ident(column.name), unit.whole.identity if unit.whole else ""
    text = "text[]" if column.type.endswith("[]") else "text"
    return f"alter table {table} alter column {name} type {column.type} using {name}::{text}::{column.type}"


def _check(unit: Unit, mine: UserType, theirs: UserType) -> str | None:
    """Return the query that counts the rows whose label is gone; None where none is."""
    lost = [quote_literal(label) for label in mine.parts if label not in theirs.parts]
    if mine.kind != "enum type" or not lost:
        return None
    column = _column(unit)
    name, listed = quote_ident(column.name), ", ".join(lost)
    where = f"{name}::text[] && array[{listed}]" if column.type.endswith("[]") else f"{name}::text in ({listed})"
    return " ".join(("select count(*) from", unit.whole.identity if unit.whole else "", "where", where))


def _column(unit: Unit) -> Column:
    return cast("tuple[Column, object]", unit.thing)[0]
