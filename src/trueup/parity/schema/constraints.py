"""How the constraints of two tables of the same name differ: by definition first, by name second."""

import re
from collections.abc import Collection, Hashable, Iterator

from trueup.parity.schema.difference import Difference, Effect, difference
from trueup.parity.schema.expressions import normal, retyped_form
from trueup.parity.schema.indexes import created, index_pair_differences
from trueup.parity.schema.model import Constraint, Index, Table
from trueup.parity.schema.names import QualifiedName, quote_ident
from trueup.parity.schema.pairs import Unmatched, is_implicit
from trueup.report.model import Severity

KEYS = frozenset({"primary key", "unique"})
OPTIONS = re.compile(
    r" (?:MATCH FULL|ON (?:UPDATE|DELETE) (?:NO ACTION|RESTRICT|CASCADE|SET (?:NULL|DEFAULT)(?: \([^)]*\))?)"
    r"|(?:NOT )?DEFERRABLE|INITIALLY DEFERRED|NOT VALID|NOT ENFORCED|NO INHERIT)(?= |$)"
)
UNIQUE = re.compile(r"UNIQUE(?P<nulls> NULLS NOT DISTINCT)? (?P<columns>\(.*?\))(?P<include> INCLUDE \(.*\))?")

MISSING = {
    "primary key": Effect(Severity.BREAKING, "Rows may repeat or have no key; ON CONFLICT and references to it fail."),
    "unique": Effect(Severity.BREAKING, "ON CONFLICT on these columns fails (42P10), and duplicates are accepted."),
    "foreign key": Effect(
        Severity.BEHAVIOURAL, "Rows may refer to nothing, and what happens to a parent no longer reaches its children."
    ),
    "check": Effect(Severity.BEHAVIOURAL, "Values that the source refuses are accepted."),
    "exclusion": Effect(Severity.BREAKING, "Rows that exclude each other are accepted, and ON CONFLICT on it fails."),
}
EXTRA = {
    "primary key": Effect(
        Severity.BREAKING, "Rows whose key is there already, or is NULL, are refused (23505, 23502)."
    ),
    "unique": Effect(Severity.BREAKING, "Duplicates, which the source accepts, are refused (23505)."),
    "foreign key": Effect(Severity.BREAKING, "Rows that come before their parent, or have none, are refused (23503)."),
    "check": Effect(Severity.BREAKING, "Values that the source accepts are refused (23514)."),
    "exclusion": Effect(Severity.BREAKING, "Rows that the source accepts are refused (23P01)."),
}


def constraint_differences(source: Table, target: Table, *, retyped: Collection[str]) -> Iterator[Difference]:
    """Yield how constraints and indexes of two tables differ; `retyped` names the columns whose type differs.

    A definition that differs only by casts of a retyped column is the column's difference.
    """
    name = source.name
    constraints = Unmatched(source.constraints, target.constraints)
    indexes = Unmatched(source.indexes, target.indexes)
    for mine, theirs in constraints.take(lambda c: (c.kind, normal(c.definition))):
        yield from _names(name, mine, theirs)
        yield from _validity(name, mine, theirs)
    for mine, theirs in constraints.take(lambda c: retyped_form(c.definition, retyped)):
        yield from _names(name, mine, theirs)
    for mine, theirs in constraints.take(_any_order):
        effect = Effect(Severity.COSMETIC, "The same rows are refused; only the order of columns in its index differs.")
        yield _difference(name, "column order", (mine, theirs), effect)
    for key in (_name, _role):
        for mine, theirs in constraints.take(key):
            yield _difference(name, "definition", (mine, theirs), _redefined(name, mine, theirs))
    yield from _twins(name, constraints, indexes)
    for mine in constraints.source:
        effect = MISSING[mine.kind]._replace(remedy=_add(name, mine))
        yield _difference(name, "missing", (mine, None), effect)
    for theirs in constraints.target:
        effect = EXTRA[theirs.kind]._replace(remedy=_drop(name, theirs))
        yield _difference(name, "extra", (None, theirs), effect)
    yield from index_pair_differences(name, indexes, retyped=retyped)


def _any_order(constraint: Constraint) -> Hashable | None:
    if constraint.kind not in KEYS:
        return None
    listed = ", ".join(quote_ident(column) for column in constraint.columns)
    return constraint.definition.replace(f"({listed})", "()", 1), frozenset(constraint.columns)


def _name(constraint: Constraint) -> Hashable:
    return constraint.kind, constraint.name


def _role(constraint: Constraint) -> Hashable | None:
    """A table has one primary key, and few foreign keys on the same columns."""
    if constraint.kind == "primary key":
        return constraint.kind
    return (constraint.kind, constraint.columns) if constraint.kind == "foreign key" else None


def _difference(
    table: QualifiedName, change: str, sides: tuple[Constraint | None, Constraint | None], effect: Effect
) -> Difference:
    shown = sides[0] or sides[1]
    assert shown
    source, target = (side.definition if side else None for side in sides)
    return difference("constraint", _full(table, shown), change, (source, target), effect)


def _full(table: QualifiedName, constraint: Constraint) -> str:
    return f"{table}.{quote_ident(constraint.name)}"


def _add(table: QualifiedName, constraint: Constraint) -> str:
    return f"alter table {table} add constraint {quote_ident(constraint.name)} {constraint.definition}"


def _drop(table: QualifiedName, constraint: Constraint) -> str:
    return f"alter table {table} drop constraint {quote_ident(constraint.name)}"


def _names(table: QualifiedName, source: Constraint, target: Constraint) -> Iterator[Difference]:
    implicit = all(is_implicit(side.name, table, side.kind) for side in (source, target))
    if source.name != target.name and not implicit:
        effect = Effect(
            Severity.COSMETIC,
            "Only its name differs, which error messages and ON CONFLICT ON CONSTRAINT use.",
            f"alter table {table} rename constraint {quote_ident(target.name)} to {quote_ident(source.name)}",
        )
        yield difference("constraint", _full(table, source), "name", (source.name, target.name), effect)


def _validity(table: QualifiedName, source: Constraint, target: Constraint) -> Iterator[Difference]:
    if source.valid != target.valid:
        effect = Effect(
            Severity.BREAKING,
            "On one side nothing enforces it: its triggers are disabled, or its index is not valid.",
            "enable its triggers, or build and attach the indexes of all partitions",
        )
        words = ("valid" if source.valid else "not valid", "valid" if target.valid else "not valid")
        yield difference("constraint", _full(table, source), "validity", words, effect)


def _redefined(table: QualifiedName, source: Constraint, target: Constraint) -> Effect:
    remedy = f"{_drop(table, target)}; {_add(table, source)}"
    if source.kind in KEYS or source.kind == "exclusion":
        meaning = "It refuses other rows, and ON CONFLICT as written for the source may fail (42P10)."
        return Effect(Severity.BREAKING, meaning, remedy)
    if OPTIONS.sub("", source.definition) == OPTIONS.sub("", target.definition):
        meaning = "It holds the same rule, but at another time, for other rows, or with another action."
        return Effect(Severity.BEHAVIOURAL, meaning, remedy)
    return Effect(
        Severity.BREAKING, "It holds another rule: rows that one side accepts are refused by the other.", remedy
    )


def _twins(table: QualifiedName, constraints: Unmatched[Constraint], indexes: Unmatched[Index]) -> Iterator[Difference]:
    """Yield, and take away, unique constraints that are a bare unique index on the other side."""
    effect = Effect(
        Severity.BEHAVIOURAL,
        "The same duplicates are refused and ON CONFLICT on the columns works, ON CONFLICT ON CONSTRAINT does not.",
    )
    for mine in list(constraints.source):
        if twin := next((index for index in indexes.target if _is_twin(mine, index, table)), None):
            constraints.source.remove(mine)
            indexes.target.remove(twin)
            name, index = quote_ident(mine.name), quote_ident(twin.name)
            remedy = f"alter table {table} add constraint {name} unique using index {index}"
            sides = (mine.definition, twin.definition)
            yield difference("constraint", _full(table, mine), "kind", sides, effect._replace(remedy=remedy))
    for theirs in list(constraints.target):
        if twin := next((index for index in indexes.source if _is_twin(theirs, index, table)), None):
            constraints.target.remove(theirs)
            indexes.source.remove(twin)
            remedy = f"{_drop(table, theirs)}; {created(twin)}"
            sides = (twin.definition, theirs.definition)
            yield difference("constraint", _full(table, theirs), "kind", sides, effect._replace(remedy=remedy))


def _is_twin(constraint: Constraint, index: Index, table: QualifiedName) -> bool:
    form = UNIQUE.fullmatch(constraint.definition)
    if form is None or not index.valid:
        return False
    rest = f"{table} USING btree {form['columns']}{form['include'] or ''}{form['nulls'] or ''}"
    return index.definition in {f"CREATE UNIQUE INDEX ON {rest}", f"CREATE UNIQUE INDEX ON ONLY {rest}"}
