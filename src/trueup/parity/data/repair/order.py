"""In which order rows are written, so that no foreign key is broken at any time. Does no I/O."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from trueup.parity.data.beyond.foreign_keys import ForeignKey
from trueup.parity.data.repair.model import Change, Kind, Place
from trueup.parity.schema import QualifiedName
from trueup.tables.markers.graph import in_order

ROWS_AT_ONCE = 500
"""That a statement writes; tables that point to each other in a circle are written by one, whatever their size."""

Group = tuple[Change, ...]
"""Rows that one statement writes alike: of one table, in one way, in the same columns."""


def steps(changes: Iterable[Change], foreign_keys: Sequence[ForeignKey]) -> Iterator[tuple[Group, ...]]:
    """Yield the groups of each statement: deletes, children first; inserts, parents first; updates; deletes again.

    A row to which another still points until that is updated is deleted last. Foreign keys are checked at the end of
    a statement: so one of them writes all tables of a circle.
    """
    rows = tuple(changes)
    late = pointed_to(rows, foreign_keys)
    early_deletes = [row for row in rows if row.kind == "delete" and row.place not in late]
    late_deletes = [row for row in rows if row.kind == "delete" and row.place in late]
    circles = circles_of({row.written.name for row in rows}, foreign_keys)
    yield from _steps(early_deletes, circles[::-1], foreign_keys)
    yield from _steps([row for row in rows if row.kind == "insert"], circles, foreign_keys)
    yield from _steps([row for row in rows if row.kind == "update"], circles, foreign_keys)
    yield from _steps(late_deletes, circles[::-1], foreign_keys)


def circles_of(tables: Iterable[QualifiedName], foreign_keys: Iterable[ForeignKey]) -> list[tuple[QualifiedName, ...]]:
    """Return the tables, those that are pointed to first; tables that point to each other stand together."""
    named = {str(table): table for table in sorted(tables)}
    edges = [(str(key.child), str(key.parent)) for key in foreign_keys]
    return [tuple(named[name] for name in circle) for circle in in_order(named, edges)]


def pointed_to(changes: Sequence[Change], foreign_keys: Sequence[ForeignKey]) -> set[Place]:
    """Return the rows to be deleted to which rows point that are updated to point elsewhere, or deleted as late."""
    waiting = [row for row in changes if row.kind == "delete"]
    pointing = [row for row in changes if row.kind == "update"]
    late: set[Place] = set()
    while pointing:
        values = {target for row in pointing for target in _targets(row, foreign_keys)}
        pointing = [row for row in waiting if row.place not in late and values & {*_names(row, foreign_keys)}]
        late |= {row.place for row in pointing}
    return late


def _targets(row: Change, foreign_keys: Sequence[ForeignKey]) -> Iterator[tuple[object, ...]]:
    """Yield the names of the rows to which a row points and no longer will."""
    for key in foreign_keys:
        leaves = row.kind == "delete" or {*key.columns} & row.values.keys()
        if key.child == row.written.name and leaves:
            yield key.parent, key.parent_columns, tuple(row.held.get(name) for name in key.columns)


def _names(row: Change, foreign_keys: Sequence[ForeignKey]) -> Iterator[tuple[object, ...]]:
    """Yield by what others may point to a row."""
    for key in foreign_keys:
        if key.parent == row.written.name:
            yield key.parent, key.parent_columns, tuple(row.held.get(name) for name in key.parent_columns)


def _steps(
    rows: Iterable[Change], circles: Iterable[tuple[QualifiedName, ...]], foreign_keys: Sequence[ForeignKey]
) -> Iterator[tuple[Group, ...]]:
    by_table: defaultdict[QualifiedName, list[Change]] = defaultdict(list)
    for row in rows:
        by_table[row.written.name].append(row)
    for circle in circles:
        groups = [group for table in circle for group in _alike(by_table[table])]
        kinds: set[Kind] = {group[0].kind for group in groups}
        if kinds != {"update"} and _is_closed(circle, foreign_keys):
            yield from [tuple(groups)] if groups else []
        else:
            yield from ((part,) for group in groups for part in _cut(group))


def _is_closed(circle: tuple[QualifiedName, ...], foreign_keys: Iterable[ForeignKey]) -> bool:
    return len(circle) > 1 or any(key.child == key.parent == circle[0] for key in foreign_keys)


def _alike(rows: Iterable[Change]) -> list[Group]:
    groups: defaultdict[tuple[object, ...], list[Change]] = defaultdict(list)
    for row in rows:
        groups[row.kind, tuple(row.values), row.guarded].append(row)
    return [tuple(group) for group in groups.values()]


def _cut(group: Group) -> Iterator[Group]:
    for start in range(0, len(group), ROWS_AT_ONCE):
        yield group[start : start + ROWS_AT_ONCE]
