"""Finds, among what two sides have, which thing of one is which of the other."""

from collections.abc import Callable, Hashable, Iterable
from typing import Generic, Protocol, TypeVar

from trueup.parity.schema.names import QualifiedName


class Named(Protocol):
    """Has a name."""

    @property
    def name(self) -> str: ...  # noqa: D102


T = TypeVar("T", bound=Named)

LABELS = {
    "primary key": "pkey", "unique": "key", "foreign key": "fkey", "check": "check", "exclusion": "excl",
    "index": "idx", "sequence": "seq",
}  # fmt: skip
ROOT_BYTES = 25
"""Of the table's name that the server keeps in an implicit name, however long the columns' names are."""


class Unmatched(Generic[T]):
    """Holds what both sides have and is not matched yet."""

    def __init__(self, source: Iterable[T], target: Iterable[T]) -> None:
        self.source, self.target = list(source), list(target)

    def take(self, key: Callable[[T], Hashable]) -> list[tuple[T, T]]:
        """Remove and return the pairs whose keys are equal, those with the same name first; None matches nothing."""
        by_name = self._take(lambda item: None if key(item) is None else (item.name, key(item)))
        return by_name + self._take(key)

    def _take(self, key: Callable[[T], Hashable]) -> list[tuple[T, T]]:
        pairs: list[tuple[T, T]] = []
        left: list[T] = []
        for item in self.source:
            wanted = key(item)
            match = next((other for other in self.target if wanted is not None and key(other) == wanted), None)
            if match is None:
                left.append(item)
            else:
                self.target.remove(match)
                pairs.append((item, match))
        self.source = left
        return pairs


def is_implicit(name: str, relation: QualifiedName, kind: str) -> bool:
    """Return whether the server itself would give this name: clients_phone_key, clients_phone_key1."""
    root = relation.name.encode()[:ROOT_BYTES].decode(errors="ignore")
    stem = name.rstrip("0123456789").rstrip("_")
    return name.startswith(root) and stem.endswith(f"_{LABELS[kind]}")
