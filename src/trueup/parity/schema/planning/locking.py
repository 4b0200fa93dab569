"""Forms of statements that let others go on writing, for tables that are there already. Does no I/O.

Source: PostgreSQL manual, "ALTER TABLE", notes, and "Building Indexes Concurrently".
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple, cast

from trueup.parity.schema.indexes import created
from trueup.parity.schema.model import Column, Constraint, Index
from trueup.parity.schema.names import QualifiedName, quote_ident
from trueup.parity.schema.planning.plan import Step
from trueup.parity.schema.planning.units import Unit

ALONE = "can't run in a transaction"
APART = "needs a transaction of its own"
"""In that of the statement before it others would wait as long as it takes."""
BROKEN = "fails where rows break it"
PROOF = "trueup_not_null"
"""The name of the check that proves that no value is NULL; it is there for a moment only."""
KEY = re.compile(r"(?P<kind>PRIMARY KEY|UNIQUE)(?P<nulls> NULLS NOT DISTINCT)? ")


class Form(NamedTuple):
    """Is a statement with what it alone does to those who write."""

    sql: str
    hazards: tuple[str, ...] = ()


def gentle(step: Step) -> tuple[Form, ...] | None:
    """Return the statements of a step in the form that blocks others for a moment only; None where there is none."""
    unit = step.want or step.have
    if unit is None or step.is_on_new or unit.is_partitioned or unit.whole is None or not step.statements:
        return None
    if unit.whole.kind == "foreign table":
        return None
    if step.action.verb == "make":
        return _made(unit)
    if step.action.verb == "drop" and isinstance(unit.thing, Index):
        return (Form(f"drop index concurrently {unit.key.identity}", (ALONE,)),)
    return tuple(_refusing_null(step)) if is_not_null_set(step) else None


def _made(unit: Unit) -> tuple[Form, ...] | None:
    if isinstance(unit.thing, Index):
        return (Form(created(unit.thing).replace("INDEX", "INDEX CONCURRENTLY", 1), (ALONE,)),)
    if not isinstance(unit.thing, Constraint):
        return None
    make = MADE.get(unit.thing.kind)
    return tuple(make(unit, unit.thing)) if make else None


def _checked(unit: Unit, constraint: Constraint) -> Iterator[Form]:
    (made,) = unit.create
    if "NOT VALID" in constraint.definition or "NOT ENFORCED" in constraint.definition:
        yield Form(made)
        return
    yield Form(f"{made} NOT VALID")
    yield Form(f"alter table {_table(unit)} validate constraint {quote_ident(constraint.name)}", (APART, BROKEN))


def _keyed(unit: Unit, constraint: Constraint) -> Iterator[Form]:
    found = KEY.match(constraint.definition)
    if found is None or "WITHOUT OVERLAPS" in constraint.definition:
        (made,) = unit.create
        yield Form(made, ("blocks writes",))
        return
    name, table = quote_ident(constraint.name), _table(unit)
    columns, rest = _bracketed(constraint.definition[found.end() :])
    include = ""
    if rest.startswith(" INCLUDE "):
        listed, rest = _bracketed(rest.removeprefix(" INCLUDE "))
        include = f" include {listed}"
    nulls = " nulls not distinct" if found["nulls"] else ""
    yield Form(f"create unique index concurrently {name} on {table} {columns}{include}{nulls}", (ALONE,))
    yield Form(f"alter table {table} add constraint {name} {found['kind'].lower()} using index {name}{rest}")


MADE: Mapping[str, Callable[[Unit, Constraint], Iterator[Form]]] = {
    "check": _checked, "foreign key": _checked, "unique": _keyed, "primary key": _keyed
}  # fmt: skip


def _bracketed(text: str) -> tuple[str, str]:
    """Return a list in brackets, and what comes after it; names in quotes may hold brackets."""
    found = re.match(r'\((?:"(?:[^"]|"")*"|[^")])*\)', text)
    assert found
    return found[0], text[found.end() :]


def is_not_null_set(step: Step) -> bool:
    """Say whether a column that keeps its type is to refuse NULL from now on."""
    if step.action.verb != "alter" or step.have is None or step.want is None or step.have.key.kind != "table column":
        return False
    mine, theirs = (cast("tuple[Column, object]", unit.thing)[0] for unit in (step.have, step.want))
    return mine.nullable and not theirs.nullable and (mine.type, mine.collation) == (theirs.type, theirs.collation)


def _refusing_null(step: Step) -> Iterator[Form]:
    assert step.want
    table = f"alter table {_table(step.want)}"
    for sql in step.statements:
        if sql.endswith(" not valid"):
            yield Form(sql)
        elif own := re.fullmatch(r"(?s).* add constraint (.*) not null .*", sql):
            yield Form(f"{sql} not valid")
            yield Form(f"{table} validate constraint {own[1]}", (APART, BROKEN))
        elif sql.endswith(" set not null"):
            column = quote_ident(cast("tuple[Column, object]", step.want.thing)[0].name)
            yield Form(f"{table} add constraint {PROOF} check ({column} is not null) not valid")
            yield Form(f"{table} validate constraint {PROOF}", (APART, BROKEN))
            yield Form(sql)
            yield Form(f"{table} drop constraint {PROOF}")
        else:
            yield Form(sql)


def _table(unit: Unit) -> QualifiedName | str:
    return unit.whole.identity if unit.whole else ""
