"""Domains taken apart, and what alters them. Does no I/O."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from trueup.parity.schema.model import UserType
from trueup.parity.schema.names import quote_ident

LATER = ") NOT VALID"
DEFAULT, NOT_NULL, CHECK = "DEFAULT ", "NOT NULL", "CHECK "


class Domain(NamedTuple):
    """Is a domain by its clauses."""

    base: tuple[str, ...]
    """Its type, with the collation."""
    default: str | None
    is_not_null: bool
    checks: Mapping[str, str]
    """Definitions by name."""


def taken_apart(type_: UserType, names: Mapping[str, str]) -> Domain:
    """Return a domain by its clauses; `names` are those of its checks by their definition."""
    first, *clauses = type_.parts
    checks = [clause for clause in clauses if clause.startswith(CHECK)]
    named = {names.get(check, f"{type_.name.name}_check{number or ''}"): check for number, check in enumerate(checks)}
    return Domain(
        base=(first, *(clause for clause in clauses if clause.startswith("COLLATE "))),
        default=next((clause.removeprefix(DEFAULT) for clause in clauses if clause.startswith(DEFAULT)), None),
        is_not_null=NOT_NULL in clauses,
        checks=named,
    )


def made(type_: UserType, names: Mapping[str, str]) -> tuple[str, ...]:
    """Return the statements that make a domain; checks that older values may break come by themselves."""
    named = [(each, f"constraint {quote_ident(names[each])} {each}" if each in names else each) for each in type_.parts]
    clauses = (clause for each, clause in named if not each.endswith(LATER))
    later = (f"alter domain {type_.name} add {clause}" for each, clause in named if each.endswith(LATER))
    return (f"create domain {type_.name} as {' '.join(clauses)}", *later)


def altered(name: str, have: Domain, want: Domain) -> Iterator[str]:
    """Yield the statements that make one domain like another of the same type; new checks are validated at last."""
    alter = f"alter domain {name}"
    for each in [name for name in have.checks if name not in want.checks]:
        again = next((new for new, check in want.checks.items() if check == have.checks[each]), None)
        if again is not None and again not in have.checks:
            yield f"{alter} rename constraint {quote_ident(each)} to {quote_ident(again)}"
        else:
            yield f"{alter} drop constraint {quote_ident(each)}"
    if have.default != want.default:
        yield f"{alter} set default {want.default}" if want.default is not None else f"{alter} drop default"
    if have.is_not_null != want.is_not_null:
        yield f"{alter} {'set' if want.is_not_null else 'drop'} not null"
    kept = have.checks.values()
    for each, check in want.checks.items():
        if each in have.checks and have.checks[each] != check:
            yield f"{alter} drop constraint {quote_ident(each)}"
        if have.checks.get(each) != check and (each in have.checks or check not in kept):
            yield f"{alter} add constraint {quote_ident(each)} {check}"
