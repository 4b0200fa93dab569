"""The statements that change what is said of objects: owners, grants, comments, storage. Does no I/O."""

import re
from collections.abc import Callable, Iterator, Mapping

from trueup.parity.schema.model import Annotations, ObjectKey
from trueup.parity.schema.names import quote_ident, quote_literal, relation_and_column
from trueup.parity.schema.planning import making
from trueup.parity.schema.planning.units import DOMAIN_CHECK

DEFAULT_GRANTS: Mapping[str, Annotations] = {
    "table": {"its owner": "delete, insert, maintain, references, select, trigger, truncate, update"},
    "sequence": {"its owner": "select, update, usage"},
    "function": {"its owner": "execute", "public": "execute"},
    "type": {"its owner": "usage", "public": "usage"},
    "schema": {"its owner": "create, usage"},
    "language": {"its owner": "usage", "public": "usage"},
    "foreign-data wrapper": {"its owner": "usage"},
    "server": {"its owner": "usage"},
}
AS_TABLES = frozenset({"view", "materialized view", "foreign table"})
AS_FUNCTIONS = frozenset({"procedure", "aggregate"})
GRANT = "grants to "
GRANTED = re.compile(r'grants by ("(?:[^"]|"")*"|\S+) to (.*)', re.DOTALL)
"""By another role than the owner, who let it."""


def said_of_new(key: ObjectKey) -> Annotations:
    """Return what is said of an object that was just made."""
    kind = key.kind
    if kind == "default acl":
        if " in schema " in key.identity:  # What it adds to the defaults, and not instead of them.
            return {}
        kind = key.identity.rpartition(" on ")[2].removesuffix("s")
    same = "table" if kind in AS_TABLES else "function" if kind in AS_FUNCTIONS else kind
    return {f"{GRANT}{grantee}": listed for grantee, listed in DEFAULT_GRANTS.get(same, {}).items()}


def granted_by_default(key: ObjectKey, maker: str, defaults: Mapping[str, Annotations]) -> Annotations:
    """Return what is said of an object that `maker` just made; `defaults` are the default privileges in force."""
    same = "table" if key.kind in AS_TABLES else "function" if key.kind in AS_FUNCTIONS else key.kind
    role = f"for role {quote_ident(maker)}"
    schema = f" in schema {key.identity.partition('.')[0]}"
    everywhere = defaults.get(f"{role} on {same}s")
    found = dict(said_of_new(key) if everywhere is None else everywhere)
    for part, listed in defaults.get(f"{role}{schema} on {same}s", {}).items():
        found[part] = ", ".join(sorted(_privileges(found.get(part)) | _privileges(listed)))
    return found


def annotated(key: ObjectKey, have: Annotations, want: Annotations) -> Iterator[str]:
    """Yield the statements that change what is said of an object."""
    owner = quote_ident(want["owner"]) if "owner" in want else "current_user"
    for part in sorted(have.keys() | want.keys(), key=lambda part: (_turn(part, is_lost=part not in want), part)):
        if have.get(part) != want.get(part):
            yield from _annotation(key, part, (have.get(part), want.get(part)), owner)


def _turn(part: str, *, is_lost: bool) -> int:
    """Return when a part comes: the owner first, and what others than he granted as long as they may grant it."""
    if GRANTED.fullmatch(part):
        return 1 if is_lost else 3
    return 0 if part == "owner" else 2


def _annotation(key: ObjectKey, part: str, sides: tuple[str | None, str | None], owner: str) -> Iterator[str]:
    have, want = sides
    if part == "comment":
        none = quote_literal("standard public schema") if key == ("schema", "public") else "null"
        yield f"comment on {sql_name(key)} is {quote_literal(want) if want is not None else none}"
    elif part == "owner":
        if have is not None and want is not None:
            yield f"alter {sql_name(key)} owner to {quote_ident(want)}"
    elif part.startswith(GRANT):
        grantee = part.removeprefix(GRANT)
        yield from _granted(key, owner if grantee == "its owner" else grantee, have, want)
    elif found := GRANTED.fullmatch(part):
        for statement in _granted(key, owner if found[2] == "its owner" else found[2], have, want):
            yield f"create or replace function {AS_ROLE} set role = {found[1]} as {quote_literal(statement)}"
            yield "select pg_temp.trueup_grant()"
    else:
        yield from _stored(key, part, have, want)


AS_ROLE = "pg_temp.trueup_grant() returns void language sql"
"""Grants in the name of another role: whoever calls it is himself again after it, and it is gone with the session."""


def _granted(key: ObjectKey, role: str, have: str | None, want: str | None) -> Iterator[str]:
    """Yield the statements that grant and revoke; where a role had everything, all of that goes first."""
    if _is_all(key, have) and not _is_all(key, want):
        yield from _grants(key, role, have, None)
        have = None
    yield from _grants(key, role, have, want)


SQL_WORDS = {
    "table constraint": "constraint",
    "foreign-data wrapper": "foreign data wrapper",
    "statistics object": "statistics",
}
"""What SQL calls a kind that pg_identify_object() calls otherwise."""


def sql_name(key: ObjectKey) -> str:
    """Return what SQL calls an object: `column public.t.c`, `constraint c on public.t`."""
    if key.kind == DOMAIN_CHECK:
        name, _, domain = key.identity.rpartition(" on ")
        return f"constraint {name} on domain {domain}"
    kind = "column" if key.kind.endswith(" column") else SQL_WORDS.get(key.kind, key.kind)
    return f"{kind} {key.identity}"


def _grants(key: ObjectKey, role: str, have: str | None, want: str | None) -> Iterator[str]:
    lost, new = _privileges(have) - _privileges(want), _privileges(want) - _privileges(have)
    on, column = _granted_on(key)
    head = ""
    if key.kind == "default acl":
        head = f"alter default privileges {key.identity.rpartition(' on ')[0]} "
    if lost:
        listed = "all" if want is None and _is_all(key, have) else _listed(lost, column)
        yield f"{head}revoke {listed} on {on} from {role}"
    for option in ("", " with grant option"):
        if chosen := {each for each in new if each.endswith(" with grant option") == bool(option)}:
            wanted = {each for each in _privileges(want) if each.endswith(" with grant option") == bool(option)}
            listed = "all" if _is_all(key, ", ".join(wanted)) else _listed(chosen, column)
            yield f"{head}grant {listed} on {on} to {role}{option}"


def _is_all(key: ObjectKey, listed: str | None) -> bool:
    """Say whether a role has everything on a table, which has a word of its own: since 17 it is one privilege more."""
    names = {each.removesuffix(" with grant option") for each in _privileges(listed)}
    is_table = key.kind in AS_TABLES | {"table"} or key.identity.endswith(" on tables")
    return is_table and names == _privileges(DEFAULT_GRANTS["table"]["its owner"])


def _listed(privileges: set[str], column: str) -> str:
    return ", ".join(f"{each.removesuffix(' with grant option')}{column}" for each in sorted(privileges))


def _granted_on(key: ObjectKey) -> tuple[str, str]:
    words = {"view": "table", "materialized view": "table", "foreign table": "table", "aggregate": "function",
             "server": "foreign server", "foreign-data wrapper": "foreign data wrapper"}  # fmt: skip
    if key.kind == "default acl":
        return key.identity.rpartition(" on ")[2], ""
    if key.kind.endswith(" column"):
        relation, column = relation_and_column(key.identity)
        return f"table {relation}", f" ({column})"
    return f"{words.get(key.kind, key.kind)} {key.identity}", ""


def _privileges(listed: str | None) -> set[str]:
    return set(listed.split(", ")) if listed else set()


def _stored(key: ObjectKey, part: str, have: str | None, want: str | None) -> Iterator[str]:
    relation, column = relation_and_column(key.identity)
    alter = f"alter {sql_name(key)}"
    if key.kind.endswith(" column"):
        alter = f"alter {key.kind.removesuffix(' column')} {relation} alter column {column}"
    if part in {"storage parameters", "view options", "options"}:
        yield from _parameters(alter, _options(have), _options(want))
    elif part == "foreign options":
        yield f"{alter} options ({', '.join(making.changed_options(have, want))})"
    elif part == "statistics targets":
        mine, theirs = _options(have), _options(want)
        changed = (number for number in sorted(mine.keys() | theirs.keys()) if mine.get(number) != theirs.get(number))
        yield from (f"{alter} alter column {number} set statistics {theirs.get(number, -1)}" for number in changed)
    elif part in SETTINGS:
        text = SETTINGS[part](want)
        yield f"{alter} {text}"
    elif part == "state":
        yield f"refresh materialized view {key.identity}{' with no data' if want else ''}"


SETTINGS: Mapping[str, Callable[[str | None], str]] = {
    "statistics target": lambda want: f"set statistics {want or -1}",
    "storage": lambda want: f"set storage {want or 'default'}",
    "compression": lambda want: f"set compression {want or 'default'}",
    "access method": lambda want: f"set access method {quote_ident(want or 'heap')}",
    "tablespace": lambda want: f"set tablespace {quote_ident(want or 'pg_default')}",
}


def _parameters(alter: str, have: Mapping[str, str], want: Mapping[str, str]) -> Iterator[str]:
    """Yield what sets parameters; they stay in the order in which they were set, which dumps show."""
    kept = [option for option in have if option in want]
    lost = sorted(have.keys() - want.keys())
    if kept != list(want)[: len(kept)]:
        lost, kept = sorted(have), []
    new = {option: value for option, value in want.items() if option not in kept or have[option] != value}
    if lost:
        yield f"{alter} reset ({', '.join(lost)})"
    if new:
        yield f"{alter} set ({', '.join(f'{option} = {value}' for option, value in new.items())})"


def _options(listed: str | None) -> dict[str, str]:
    pairs = (each.partition("=") for each in listed.split(", ")) if listed else ()
    return {name: value for name, _, value in pairs}
