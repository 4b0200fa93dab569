"""What the statements of a plan do to rows, and to those who write meanwhile. Does no I/O.

Source: PostgreSQL manual, "Explicit Locking" and "ALTER TABLE", notes.
"""

import re
from collections.abc import Iterator
from typing import cast

from trueup.parity.schema.conversions import INTEGERS, STRINGS, TIMED, Shape, conversion
from trueup.parity.schema.model import Column, Constraint, Index, Table, UserType
from trueup.parity.schema.planning.converting import is_list_of_json, rule
from trueup.parity.schema.planning.domains import CHECK, NOT_NULL
from trueup.parity.schema.planning.locking import ALONE, BROKEN
from trueup.parity.schema.planning.plan import Step
from trueup.parity.schema.planning.units import PARTITION, Unit, is_said
from trueup.report.model import Severity

REWRITES = "rewrites the table"
BLOCKS = "blocks writes"
LOSES = "loses data"
DUPLICATES = "needs a duplicate check"
RULES = (CHECK, NOT_NULL)
FILLED = "fails where the table has rows"
CONVERTS = "converts"


def hazards(step: Step) -> Iterator[str]:
    """Yield what a step does to rows and to those who write."""
    if is_said(step.action.key):
        if any(re.search(r" set (access method|tablespace) ", statement) for statement in step.statements):
            yield from (REWRITES, BLOCKS)
    elif step.action.verb == "drop" and step.have:
        yield from _dropped(step.have)
    elif step.action.verb == "alter" and step.have and step.want:
        yield from _altered(step.have, step.want)
        yield from (f"{BROKEN}: {query}" for query in step.checks)
    elif step.want and not step.is_on_new:
        yield from _made(step, step.want)


def _dropped(unit: Unit) -> Iterator[str]:
    kind = unit.key.kind
    if kind in {"table", "sequence"} or (kind == "table column" and not _column_of(unit).generated):
        yield LOSES
    if unit.is_referred:
        yield BROKEN


def _altered(have: Unit, want: Unit) -> Iterator[str]:
    if isinstance(have.thing, UserType):
        yield from _type(have, want)
    elif have.key.kind == "table column":
        yield from _column(_column_of(have), _column_of(want))
    elif have.key.kind == "table":
        mine, theirs = (cast("tuple[Table, object]", unit.thing)[0] for unit in (have, want))
        if mine.persistence != theirs.persistence:
            yield from (REWRITES, BLOCKS)


def _type(have: Unit, want: Unit) -> Iterator[str]:
    mine, theirs = cast("UserType", have.thing), cast("UserType", want.thing)
    if mine.kind == "enum type":
        yield from _labels(mine, theirs)
    elif mine.kind == "domain" and mine.parts[0] != theirs.parts[0]:
        yield from (REWRITES, BLOCKS, BROKEN, f"{CONVERTS}: each value's text is read as {theirs.parts[0]}")
    else:
        yield BLOCKS
        if mine.kind == "domain" and any(part not in mine.parts and part.startswith(RULES) for part in theirs.parts):
            yield BROKEN
        if mine.kind == "composite type" and len(mine.parts) > len(theirs.parts):
            yield LOSES


def _labels(mine: UserType, theirs: UserType) -> Iterator[str]:
    if [label for label in theirs.parts if label in mine.parts] == list(mine.parts):
        yield ALONE
    else:
        yield from (REWRITES, BLOCKS, f"{CONVERTS}: each value is the same label in the new type")


def _column(have: Column, want: Column) -> Iterator[str]:
    if (have.type, have.collation) != (want.type, want.collation):
        if not keeps_rows(have, want):
            yield REWRITES
        yield BLOCKS
        yield f"{CONVERTS}: {rule(have, want)}"
        if loses(have, want):
            yield LOSES
    if have.nullable and not want.nullable:
        yield from (BLOCKS, BROKEN)


def keeps_rows(have: Column, want: Column) -> bool:
    """Say whether the server only notes the new type: the bytes of the rows are the same, and all fit."""
    old, new = Shape.of(have.type), Shape.of(want.type)
    if have.collation != want.collation or old.is_array != new.is_array:
        return False
    if {old.base, new.base} <= {"text", "character varying"}:
        return not new.modifiers or (bool(old.modifiers) and old.modifiers[0] <= new.modifiers[0])
    if old.base == new.base == "numeric":
        return not new.modifiers or (bool(old.modifiers) and old.modifiers[1:] == new.modifiers[1:] and old <= new)
    return False


def loses(have: Column, want: Column) -> bool:
    """Say whether a value may come out of the conversion as less than it was, without an error."""
    old, new = Shape.of(have.type), Shape.of(want.type)
    if is_list_of_json(have, want):
        return True
    if old.base in TIMED | {"date"} and new.base in TIMED | {"date"} and old.base != new.base:
        return not {"date": new.base.startswith("timestamp")}.get(
            old.base, "timestamp" in old.base and "timestamp" in new.base
        )
    if {old.base, new.base} <= INTEGERS.keys():
        return False  # Values beyond the smaller type fail, and nothing is changed.
    if new.base in STRINGS and new.modifiers and old.base not in STRINGS:
        return True
    return conversion(have, want).severity is Severity.LOSSY


def _made(step: Step, unit: Unit) -> Iterator[str]:
    thing = unit.thing
    if isinstance(thing, Index):
        yield BLOCKS
        if thing.unique:
            yield _duplicates(unit, key_of(thing.definition), thing.definition)
    elif isinstance(thing, Constraint):
        if "NOT VALID" not in thing.definition and "NOT ENFORCED" not in thing.definition:
            yield from (BLOCKS, *([] if thing.kind in {"primary key", "unique"} else [BROKEN]))
        if thing.kind in {"primary key", "unique"}:
            yield _duplicates(unit, key_of(thing.definition), thing.definition)
    elif unit.key.kind == PARTITION:
        yield from (BLOCKS, BROKEN)
    elif unit.key.kind == "table column":
        yield from _added(_column_of(unit), " ".join(step.statements))


def _added(column: Column, sql: str) -> Iterator[str]:
    has_default = " default " in sql
    is_computed = column.generated is not None and column.generated.storage == "stored"
    if is_computed or column.identity or (has_default and re.search(r" default .*\(", sql) and " now()" not in sql):
        yield from (REWRITES, BLOCKS)
    elif not (column.nullable or has_default or column.generated):
        yield FILLED
    elif "." in column.type and str(column.value_type.name) != column.type and not has_default:
        yield BROKEN  # The domain may refuse NULL.


def key_of(definition: str) -> str:
    """Return what has to be unique, as the definition of an index or constraint spells it: `lower(name), email`."""
    start = definition.index("(") + 1
    depth = 1
    for position, letter in enumerate(definition[start:], start):
        depth += (letter == "(") - (letter == ")")
        if not depth:
            return definition[start:position]
    return ""


ORDER = re.compile(r" (?:ASC|DESC|NULLS FIRST|NULLS LAST)\b")


def _duplicates(unit: Unit, key: str, definition: str) -> str:
    """Return the hazard with its query; values that overlap, or compare in a way of their own, are not found by one."""
    if "WITHOUT OVERLAPS" in definition or unit.whole is None:
        return DUPLICATES
    key = ORDER.sub("", key)
    _, where, predicate = definition.partition(" WHERE ")
    conditions = [predicate] if where else []
    if "NULLS NOT DISTINCT" not in definition:
        conditions.append(f"({key}) is not null")
    chosen = f" where {' and '.join(conditions)}" if conditions else ""
    query = ("select", f"{key}, count(*)", "from", f"{unit.whole.identity}{chosen}", "group by", key)
    return f"{DUPLICATES}: {' '.join(query)} having count(*) > 1"


def _column_of(unit: Unit) -> Column:
    return cast("tuple[Column, object]", unit.thing)[0]
