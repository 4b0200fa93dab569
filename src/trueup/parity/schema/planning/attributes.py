"""What alters the attributes of composite types. Does no I/O."""

import re

from trueup.parity.schema.model import UserType
from trueup.parity.schema.planning.alteration import Alteration

NAME = re.compile(r'(?P<name>"(?:[^"]|"")*"|\S+) (?P<type>.*)')


def altered(have: UserType, want: UserType) -> Alteration | None:
    """Return what drops attributes and adds others at the end; None where that is not all."""
    mine, theirs = (_by_name(each) for each in (have, want))
    kept = [name for name in mine if name in theirs]
    if kept != list(theirs)[: len(kept)] or any(mine[name] != theirs[name] for name in kept):
        return None
    lost = [f"drop attribute {name}" for name in mine if name not in theirs]
    new = [f"add attribute {name} {theirs[name]}" for name in theirs if name not in mine]
    return Alteration((f"alter type {have.name} {', '.join([*lost, *new])}",))


def _by_name(type_: UserType) -> dict[str, str]:
    found = (NAME.fullmatch(part) for part in type_.parts)
    return {each["name"]: each["type"] for each in found if each}
