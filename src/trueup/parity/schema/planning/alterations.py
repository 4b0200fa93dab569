"""The statements that turn one form of a thing into another where it stands. Does no I/O."""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import cast

from trueup.parity.schema.model import Column, DefinedObject, Sequence, Table, UserType
from trueup.parity.schema.names import quote_ident, quote_literal
from trueup.parity.schema.planning import attributes, domains, making
from trueup.parity.schema.planning.alteration import Alteration
from trueup.parity.schema.planning.converting import LIST_OF_JSON, converted, is_list_of_json
from trueup.parity.schema.planning.table_units import HOW, refusing_null
from trueup.parity.schema.planning.units import REPLICA_IDENTITY, Unit


def alteration(have: Unit, want: Unit) -> Alteration | None:
    """Return what turns `have` into `want`; None: it has to be dropped and made again."""
    alter = BY_KIND.get(have.key.kind)
    if alter is None and isinstance(have.thing, DefinedObject):
        alter = _object
    return alter(have, want) if alter else None


def _sequence(have: Unit, want: Unit) -> Alteration:
    mine, theirs = (cast("Sequence", unit.thing) for unit in (have, want))
    alter = f"alter sequence {have.key.identity}"
    statements = [*_position(mine, theirs)]
    if making.sequence_options(mine) != making.sequence_options(theirs):
        restart = "" if _overlaps(mine, theirs) else " restart"
        statements.append(f"{alter} {making.sequence_options(theirs)}{restart}")
    if mine.persistence != theirs.persistence:
        statements.append(f"{alter} set {making.LOGGING[theirs.persistence]}")
    return Alteration(tuple(statements))


def _overlaps(have: Sequence, want: Sequence) -> bool:
    """Say whether a sequence may go on where it is: else it begins anew."""
    return have.minimum <= want.maximum and want.minimum <= have.maximum


def _position(have: Sequence, want: Sequence) -> Iterator[str]:
    """Yield what moves a sequence to the least number that it may give from now on, where it is below that."""
    if want.minimum > have.minimum and _overlaps(have, want):
        name, least = quote_literal(str(have.name)), want.minimum
        move = (f"select setval({name}, {least}, false)", "from", f"{have.name} where last_value < {least}")
        yield " ".join(move)


def _replaced(_: Unit, want: Unit) -> Alteration:
    return Alteration(want.create)


def _switched(have: Unit, want: Unit) -> Alteration:
    return Alteration((*have.drop, *want.create))


def _type(before: Unit, after: Unit) -> Alteration | None:
    have, want = cast("UserType", before.thing), cast("UserType", after.thing)
    if have.kind != want.kind:
        return None
    if have.kind == "enum type":
        return _labels(have, want)
    if have.kind == "domain":
        return _domain(before, after)
    return attributes.altered(have, want) if have.kind == "composite type" else None


def _labels(have: UserType, want: UserType) -> Alteration | None:
    if [label for label in want.parts if label in have.parts] != list(have.parts):
        return None
    statements = []
    for position, label in enumerate(want.parts):
        if label in have.parts:
            continue
        where = (
            f" after {quote_literal(want.parts[position - 1])}"
            if position
            else f" before {quote_literal(have.parts[0])}"
        )
        statements.append(f"alter type {have.name} add value {quote_literal(label)}{where if have.parts else ''}")
    return Alteration(tuple(statements))


def _domain(before: Unit, after: Unit) -> Alteration | None:
    mine, theirs = (domains.taken_apart(cast("UserType", unit.thing), unit.names) for unit in (before, after))
    return Alteration(tuple(domains.altered(before.key.identity, mine, theirs))) if mine.base == theirs.base else None


def _column(have: Unit, want: Unit) -> Alteration | None:
    mine, numbers = cast("tuple[Column, Sequence | None]", have.thing)
    theirs, wanted = cast("tuple[Column, Sequence | None]", want.thing)
    if have.whole != want.whole:
        return None
    if mine.generated != theirs.generated and theirs.generated is not None:
        return None
    whole = f"{have.whole.kind} {have.whole.identity}" if have.whole else ""
    alter = f"alter {whole} alter column {quote_ident(mine.name)}"
    statements: list[str] = []
    if mine.generated and theirs.generated is None:
        statements.append(f"{alter} drop expression")
    if mine.identity and not theirs.identity:
        statements.append(f"{alter} drop identity")
    is_retyped = (mine.type, mine.collation) != (theirs.type, theirs.collation)
    if is_retyped:
        collate = f" collate {theirs.collation}" if theirs.collation else ""
        statements += [LIST_OF_JSON] if is_list_of_json(mine, theirs) else []
        using = "" if whole.startswith("foreign") else f" using {converted(mine, theirs)}"
        statements.append(f"{alter} type {theirs.type}{collate}{using}")
    statements += _nullability(whole, have, want)
    statements += _identity(alter, (mine, numbers), (theirs, wanted))
    return Alteration(tuple(statements), touches=is_retyped)


def _nullability(whole: str, have: Unit, want: Unit) -> Iterator[str]:
    mine, theirs = (cast("tuple[Column, object]", unit.thing)[0] for unit in (have, want))
    old, new = (unit.names.get("not null") for unit in (have, want))
    name = quote_ident(mine.name)
    if mine.nullable and not theirs.nullable:
        if "own not null" in want.names and not want.given_by:
            yield refusing_null(want)
        else:
            yield f"alter {whole} alter column {name} set not null"
    elif theirs.nullable and not mine.nullable:
        yield f"alter {whole} alter column {name} drop not null"
    elif old and new and not (have.given_by and want.given_by):
        yield from _held(f"alter {whole}", have, want)


def _held(alter: str, have: Unit, want: Unit) -> Iterator[str]:
    """Yield what lets a NOT NULL constraint hold as it should, and gives it its name."""
    old, new = (quote_ident(unit.names["not null"]) for unit in (have, want))
    mine, theirs = (unit.names.get(HOW, "") for unit in (have, want))
    if "not valid" in theirs and "not valid" not in mine:
        yield f"{alter} alter column {quote_ident(cast('tuple[Column, object]', have.thing)[0].name)} drop not null"
        yield refusing_null(want)
        return
    if old != new:
        yield f"{alter} rename constraint {old} to {new}"
    if "not valid" in mine and "not valid" not in theirs:
        yield f"{alter} validate constraint {new}"
    if ("no inherit" in mine) != ("no inherit" in theirs):
        yield f"{alter} alter constraint {new} {'no inherit' if 'no inherit' in theirs else 'inherit'}"


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
        yield from _position(numbers, wanted)
        restart = "" if _overlaps(numbers, wanted) else " restart"
        yield f"alter sequence {numbers.name} {making.sequence_options(wanted)}{restart}"
    if numbers.name != wanted.name:
        yield f"alter sequence {numbers.name} rename to {quote_ident(wanted.name.name)}"


def _table(before: Unit, after: Unit) -> Alteration | None:
    (have, reach), (want, reached) = (cast("tuple[Table, object]", unit.thing) for unit in (before, after))
    if not _is_same_server(reach, reached):
        return None
    if (have.kind, have.partition_key) != (want.kind, want.partition_key):
        return None
    statements = list(_reached(before, after))
    if have.persistence != want.persistence:
        statements.append(f"alter table {have.name} set {making.LOGGING[want.persistence]}")
    return Alteration(tuple(statements))


def _is_same_server(have: object, want: object) -> bool:
    """Say whether foreign tables, or tables, are of one server, and all is known that they reach it by."""
    mine, theirs = (dict(cast("tuple[tuple[str, str], ...]", reach)) for reach in (have, want))
    return mine.get("server") == theirs.get("server") and making.HIDDEN not in theirs.get("options", "")


def _reached(before: Unit, after: Unit) -> Iterator[str]:
    (_, have), (_, want) = (cast("tuple[Table, object]", unit.thing) for unit in (before, after))
    mine, theirs = (dict(cast("tuple[tuple[str, str], ...]", reach)).get("options") for reach in (have, want))
    if mine != theirs:
        changed = ", ".join(making.changed_options(mine, theirs))
        yield f"alter {before.key.kind} {before.key.identity} options ({changed})"


REPLACEABLE = frozenset({"function", "procedure"})
SIGNATURE = ("arguments", "result", "window")


def _object(before: Unit, after: Unit) -> Alteration | None:
    have, want = cast("DefinedObject", before.thing), cast("DefinedObject", after.thing)
    changed = {part for part in have.parts.keys() | want.parts.keys() if have.parts.get(part) != want.parts.get(part)}
    if have.kind in REPLACEABLE and not changed & set(SIGNATURE):
        return Alteration(making.defined_object(want))
    if have.kind in FOREIGN and changed <= FOREIGN[have.kind] and not making.is_hidden(want):
        return _foreign(have, want, changed)
    alter = PARTS.get((have.kind if have.kind in {"extension", "statistics object"} else "", *changed))
    return Alteration(alter(want), touches=have.kind == "trigger") if alter else None


FOREIGN = {
    "server": frozenset({"options", "version"}),
    "foreign-data wrapper": frozenset({"options", "handler", "validator"}),
}
"""What of these is altered where it stands."""


def _foreign(have: DefinedObject, want: DefinedObject, changed: Collection[str]) -> Alteration | None:
    if "version" in changed and "version" not in want.parts:
        return None
    words = [f"version {quote_literal(want.parts['version'])}"] if "version" in changed else []
    functions = [part for part in ("handler", "validator") if part in changed]
    words += [f"{part} {want.parts[part]}" if part in want.parts else f"no {part}" for part in functions]
    if "options" in changed:
        listed = making.changed_options(have.parts.get("options"), want.parts.get("options"))
        words.append(f"options ({', '.join(listed)})")
    return Alteration((f"alter {have.kind.replace('-', ' ')} {have.identity} {' '.join(words)}",))


def _state(want: DefinedObject) -> tuple[str, ...]:
    if state := making.defined_object(want)[1:]:
        return state
    if want.kind == "event trigger":
        return (f"alter event trigger {want.identity} enable",)
    return (f"alter table {want.table} enable {want.kind} {want.identity.removesuffix(f' on {want.table}')}",)


def _version(want: DefinedObject) -> tuple[str, ...]:
    return (f"alter extension {want.identity} update to {quote_literal(want.parts['version'])}",)


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
    "clustered by": _replaced,
    REPLICA_IDENTITY: _replaced,
    "row security": _switched,
    "type": _type,
    "table column": _column,
    "foreign table column": _column,
    "table": _table,
    "foreign table": _table,
}
