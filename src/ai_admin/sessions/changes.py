"""What one `set` is to do, decided from what the writer knew and what is stored now."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ai_admin.sessions.model import Worth, kind_of
from ai_admin.sessions.values import stored_key
from trueup.errors import UsageError
from trueup.tables.encoding import BadValue, encode_text

Name = tuple[str, str]
"""The type and the id of a key."""
ABSENT = 0
"""Stands for the version of a key that isn't there; those that are begin with 1."""

Data = Mapping[str, Mapping[str, Any]]
"""As Baileys gives it: `{type: {id: value}}`, None for what is to be deleted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Is what is to become of one key."""

    name: Name
    value: Any
    """As it is stored; None deletes the key."""
    expected: int | None
    """The version that the writer has seen; None: it has not looked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Is one call, sorted by what it takes."""

    suspects: tuple[Change, ...]
    """Stale, unless exactly this is stored already."""
    deletes: tuple[Name, ...]
    updates: tuple[Change, ...]
    inserts: tuple[Change, ...]


def read_changes(data: Data, versions: Mapping[Name, int]) -> tuple[Change, ...]:
    """Return the changes that a call asks for, in the order of their names, so that no two calls deadlock.

    Raises:
        InvalidValue: jsonb can't hold one of the values.
        UsageError: a type or an id is no text that can be stored.
    """
    return tuple(sorted(each_change(data, versions), key=lambda change: change.name))


def each_change(data: Data, versions: Mapping[Name, int]) -> Iterator[Change]:
    """Yield the changes in the order of the call."""
    for key_type, ids in data.items():
        check_name(key_type, key_type)
        for key_id, value in ids.items():
            check_name(key_type, key_id)
            name = (key_type, key_id)
            kept = None if value is None else stored_key(key_type, value)
            yield Change(name=name, value=kept, expected=versions.get(name))


def check_name(key_type: object, name: object) -> None:
    """Raise UsageError unless a type or an id is a text that PostgreSQL can store; the message doesn't repeat it."""
    if not isinstance(name, str) or not isinstance(key_type, str) or not key_type:
        raise UsageError("types and ids of keys are texts, and no type is empty")
    try:
        encode_text(name)
    except BadValue as error:
        raise UsageError(f"a type or an id of a key {error.reason}") from None


def decide(changes: Sequence[Change], held: Mapping[Name, int]) -> Plan:
    """Return what the changes take, given the versions of those keys that are stored."""
    return Plan(
        suspects=tuple(change for change in changes if is_suspect(change, held.get(change.name, ABSENT))),
        deletes=tuple(change.name for change in changes if change.value is None and change.name in held),
        updates=tuple(change for change in changes if change.value is not None and change.name in held),
        inserts=tuple(change for change in changes if change.value is not None and change.name not in held),
    )


def is_suspect(change: Change, version: int) -> bool:
    """Say whether the writer knew another row than the one that is stored.

    What is gone already may be deleted again; and a key that is fetched again when it is gone may be written again.
    """
    if change.expected is None or change.expected == version:
        return False
    if version == ABSENT:
        return change.value is not None and kind_of(change.name[0]).worth is not Worth.REFETCHED
    return True
