"""The statements that turn one form of a thing into another where it stands. Does no I/O."""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple, cast

from trueup.parity.schema.model import Column, DefinedObject, Sequence, Table, UserType
from trueup.parity.schema.names import QualifiedName, quote_ident
from trueup.parity.schema.planning import making
from trueup.parity.schema.planning.units import Unit


class Alteration(NamedTuple):
    """Is how a thing is altered."""

    statements: tuple[str, ...]
    touches: bool = False
    """Whether what depends on it has to be dropped before, and made again after."""


def alteration(have: Unit, want: Unit) -> Alteration | None:
    """Return what turns `have` into `want`; None: it has to be dropped and made again."""
    alter = BY_KIND.get(have.key.kind)
    if alter is None and isinstance(have.thing, DefinedObject):
        alter = _object
    return alter(have, want) if alter else None


def _sequence(have: Unit, want: Unit) -> Alteration:
    return Alteration((f"alter sequence {have.key.identity} {want.form}",))


def _replaced(_: Unit, want: Unit) -> Alteration:
    return Alteration(want.create)


def _switched(have: Unit, want: Unit) -> Alteration:
    return Alteration((*have.drop, *want.create))


def _type(before: Unit, after: Unit) -> Alteration | None:
    have, want = cast("UserType", before.thing), cast("UserType", after.thing)
    if have.kind != "enum type" or want.kind != "enum type":
        return None
    kept = [label for label in want.parts if label in have.parts]
    if kept != list(have.parts):
        return None
    statements = []
    for position, label in enumerate(want.parts):
        if label in have.parts:
            continue
        where = (
            f" after {making.literal(want.parts[position - 1])}"
            if position
            else f" before {making.literal(have.parts[0])}"
        )
        statements.append(f"alter type {have.name} add value {making.literal(label)}{where if have.parts else ''}")
    return Alteration(tuple(statements))


def _column(have: Unit, want: Unit) -> Alteration | None:
    mine, numbers = cast("tuple[Column, Sequence | None]", have.thing)
    theirs, wanted = cast("tuple[Column, Sequence | None]", want.thing)
    if mine.generated != theirs.generated and theirs.generated is not None:
        return None
    table = have.whole.identity if have.whole else ""
    alter = f"alter table {table} alter column {quote_ident(mine.name)}"
    statements: list[str] = []
    if mine.generated and theirs.generated is None:
        statements.append(f"{alter} drop expression")
    if mine.identity and not theirs.identity:
        statements.append(f"{alter} drop identity")
    is_retyped = (mine.type, mine.collation) != (theirs.type, theirs.collation)
    if is_retyped:
        collate = f" collate {theirs.collation}" if theirs.collation else ""
        statements += [LIST_OF_JSON] if is_list_of_json(mine, theirs) else []
        statements.append(f"{alter} type {theirs.type}{collate} using {converted(mine, theirs)}")
    if mine.nullable != theirs.nullable and not (mine.identity and theirs.nullable is False):
        statements.append(f"{alter} {'drop' if theirs.nullable else 'set'} not null")
    statements += _identity(alter, (mine, numbers), (theirs, wanted))
    return Alteration(tuple(statements), touches=is_retyped)


def _identity(alter: str, have: tuple[Column, Sequence | None], want: tuple[Column, Sequence | None]) -> Iterator[str]:
    (mine, numbers), (theirs, wanted) = have, want
    if theirs.identity is None or wanted is None:
        return
    if mine.identity is None or numbers is None:
        yield f"{alter} add generated {theirs.identity} as identity ({making.identity_options(wanted)})"
        return
    if mine.identity != theirs.identity:
        yield f"{alter} set generated {theirs.identity}"
    if making.sequence_options(numbers) != making.sequence_options(wanted):
        yield f"alter sequence {numbers.name} {making.sequence_options(wanted)}"
    if numbers.name != wanted.name:
        yield f"alter sequence {numbers.name} rename to {quote_ident(wanted.name.name)}"


LIST_OF_JSON = (
    "create or replace function pg_temp.trueup_list(jsonb) returns text[] language sql immutable strict as"
    " 'select array(select jsonb_array_elements_text($1))'"
)
"""A subquery can't be part of a conversion, a function can; this one is gone with the session."""


def is_list_of_json(have: Column, want: Column) -> bool:
    """Say whether the elements of a JSON array become those of an array."""
    return have.value_type.name == QualifiedName("pg_catalog", "jsonb") and want.value_type.category == "A"


def converted(have: Column, want: Column) -> str:
    """Return the expression that makes a value of the new type out of one of the old."""
    name = quote_ident(have.name)
    mine, theirs = have.value_type, want.value_type
    if mine.category == "A" and theirs.name == QualifiedName("pg_catalog", "jsonb"):
        return f"to_jsonb({name})"
    if is_list_of_json(have, want):
        return f"pg_temp.trueup_list({name})::{want.type}"
    if {mine.name.name, theirs.name.name} == {"timestamp", "timestamptz"}:
        return f"{name} at time zone 'UTC'"
    if theirs.category in (mine.category, "S"):
        return f"{name}::{want.type}"
    return f"{name}::text::{want.type}"


def _table(before: Unit, after: Unit) -> Alteration | None:
    (have, reach), (want, reached) = (cast("tuple[Table, object]", unit.thing) for unit in (before, after))
    if reach != reached:
        return None
    if (have.kind, have.partition_key) != (want.kind, want.partition_key):
        return None
    statements: list[str] = []
    if have.persistence != want.persistence:
        statements.append(f"alter table {have.name} set {'unlogged' if want.persistence == 'unlogged' else 'logged'}")
    if (have.parents, have.partition_bound) != (want.parents, want.partition_bound):
        statements += _left(have)
        statements += _joined(want)
    return Alteration(tuple(statements))


def _left(have: Table) -> list[str]:
    if have.partition_bound:
        return [f"alter table {have.parents[0]} detach partition {have.name}"]
    return [f"alter table {have.name} no inherit {parent}" for parent in have.parents]


def _joined(want: Table) -> list[str]:
    if want.partition_bound:
        return [f"alter table {want.parents[0]} attach partition {want.name} {want.partition_bound}"]
    return [f"alter table {want.name} inherit {parent}" for parent in want.parents]


REPLACEABLE = frozenset({"function", "procedure"})
SIGNATURE = ("arguments", "result", "window")


def _object(before: Unit, after: Unit) -> Alteration | None:
    have, want = cast("DefinedObject", before.thing), cast("DefinedObject", after.thing)
    changed = {part for part in have.parts.keys() | want.parts.keys() if have.parts.get(part) != want.parts.get(part)}
    if have.kind in REPLACEABLE and not changed & set(SIGNATURE):
        return Alteration(making.defined_object(want))
    alter = PARTS.get((have.kind if have.kind in {"extension", "statistics object"} else "", *changed))
    return Alteration(alter(want)) if alter else None


def _state(want: DefinedObject) -> tuple[str, ...]:
    if state := making.defined_object(want)[1:]:
        return state
    if want.kind == "event trigger":
        return (f"alter event trigger {want.identity} enable",)
    return (f"alter table {want.table} enable {want.kind} {want.identity.removesuffix(f' on {want.table}')}",)


def _version(want: DefinedObject) -> tuple[str, ...]:
    return (f"alter extension {want.identity} update to {making.literal(want.parts['version'])}",)


def _precision(want: DefinedObject) -> tuple[str, ...]:
    return (f"alter statistics {want.identity} set statistics {want.parts.get('statistics target', '-1')}",)


PARTS: Mapping[tuple[str, ...], Callable[[DefinedObject], tuple[str, ...]]] = {
    ("", "state"): _state,
    ("extension", "version"): _version,
    ("statistics object", "statistics target"): _precision,
}
"""How an object is altered of which nothing else differs."""
BY_KIND: Mapping[str, Callable[[Unit, Unit], Alteration | None]] = {
    "sequence": _sequence,
    "sequence owner": _replaced,
    "default value": _replaced,
    "row security": _switched,
    "type": _type,
    "table column": _column,
    "foreign table column": _column,
    "table": _table,
    "foreign table": _table,
}
