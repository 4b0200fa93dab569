"""The SQL that changes rows which still are what they were, and notes the others. Does no I/O."""

from collections.abc import Mapping, Sequence

from psycopg import sql

from trueup.parity.data.beyond.foreign_keys import ForeignKey
from trueup.parity.data.hashing.expressions import comma
from trueup.parity.data.pairing.pairs import ReadColumn
from trueup.parity.data.repair.model import Change, Written
from trueup.parity.data.repair.order import Group
from trueup.parity.data.repair.values import to_assign, to_guard
from trueup.parity.schema import Column, QualifiedName, Table

NOTED = sql.SQL("pg_temp.trueup_left_alone")
"""The table of the rows that no longer are what they were."""
AND = sql.SQL("\n    and ")

Tables = Mapping[QualifiedName, Table]


def statement(groups: Sequence[Group], foreign_keys: Sequence[ForeignKey], tables: Tables) -> str:
    """Return one statement that changes the rows of all groups, and notes those that it leaves alone."""
    rows, changes, noted = [], [], []
    for number, group in enumerate(groups):
        first, wanted, done = group[0], _wanted(number), sql.Identifier(f"done_{number}")
        if first.kind == "insert":
            change, left = _insert(first, wanted), _exists(first)
        else:
            change = _change(first, wanted, _unreferenced(first, groups, foreign_keys, tables))
            left = sql.SQL("w.n not in (select n from {})").format(done)
        rows.append(_rows(group, wanted))
        changes.append(sql.SQL("{} as (\n  {}\n)").format(done, change))
        noted.append(
            sql.SQL("select {}, {}, array[{}] from {} as w where {}").format(
                sql.Literal(str(first.written.name)), sql.Literal(first.kind), comma(_keys(first)), wanted, left
            )
        )
    whole = sql.SQL("with {}\ninsert into {}\n{};").format(
        sql.SQL(",\n").join(rows + changes), NOTED, sql.SQL("\nunion all\n").join(noted)
    )
    return whole.as_string()


def _rows(group: Group, wanted: sql.Identifier) -> sql.Composed:
    """Return the rows of a group as a subquery of texts."""
    first = group[0]
    names = [sql.Identifier("n"), sql.Identifier("was")]
    names += [sql.Identifier(f"k{number}") for number in range(len(first.key))]
    names += [sql.Identifier(f"v{number}") for number in range(len(first.values))]
    rows = (
        sql.SQL("({})").format(comma(map(sql.Literal, (number, row.digest, *row.key, *row.values.values()))))
        for number, row in enumerate(group)
    )
    return sql.SQL("{} ({}) as (\n  values\n    {}\n)").format(wanted, comma(names), sql.SQL(",\n    ").join(rows))


def _change(first: Change, wanted: sql.Identifier, guards: Sequence[sql.Composable]) -> sql.Composed:
    relation = _relation(first.written.table)
    if first.kind == "delete":
        head = sql.SQL("delete from {} as t using {} as w").format(relation, wanted)
    else:
        pairs = zip(map(sql.Identifier, first.values), _assigned(first), strict=True)
        head = sql.SQL("update {} as t set {} from {} as w").format(
            relation, comma(sql.SQL("{} = {}").format(*pair) for pair in pairs), wanted
        )
    return sql.SQL("{}\n  where {}\n  returning w.n").format(head, AND.join([*_still(first, "t"), *guards]))


def _insert(first: Change, wanted: sql.Identifier) -> sql.Composed:
    return sql.SQL(
        "insert into {} ({}) overriding system value\n  select {} from {} as w\n  where not {}\n  returning 1"
    ).format(
        sql.Identifier(*first.written.name),
        comma(map(sql.Identifier, first.values)),
        comma(_assigned(first)),
        wanted,
        _exists(first),
    )


def _assigned(first: Change) -> list[sql.Composed]:
    columns = first.written.table.columns
    return [to_assign(columns[name], sql.Identifier("w", f"v{number}")) for number, name in enumerate(first.values)]


def _exists(first: Change) -> sql.Composed:
    relation, same = _relation(first.written.table), sql.SQL(" and ").join(_is_row(first.written, "t"))
    return sql.SQL("exists (select from {} as t where {})").format(relation, same)


def _still(first: Change, alias: str) -> list[sql.Composed]:
    """Return the conditions that a row under an alias is one of those wanted, `w`, and is what it was."""
    text = digest(first.written.table, first.guarded, alias)
    return [*_is_row(first.written, alias), sql.SQL("{} = w.was").format(text)]


def digest(table: Table, names: Sequence[str], alias: str = "t") -> sql.Composed:
    """Return the MD5 of the text of some columns of a row."""
    values = (to_guard(table.columns[name], sql.Identifier(alias, name)) for name in names)
    return sql.SQL("md5(row({})::text)").format(comma(values))


def _is_row(written: Written, alias: str) -> list[sql.Composed]:
    return [
        _is_key(one, written.table.columns[one.name], alias, sql.Identifier("w", f"k{number}"))
        for number, one in enumerate(written.reading.key)
    ]


def _is_key(one: ReadColumn, column: Column, alias: str, text: sql.Composable) -> sql.Composed:
    value: sql.Composable = sql.Identifier(alias, one.name)
    if one.form.conversion:
        value = sql.SQL(one.form.conversion).format(value, sql.Literal(one.form.argument))
    if one.form.conversion or _is_foreign(column):
        return sql.SQL("{} = {}").format(sql.SQL(one.form.key).format(value), text)
    return sql.SQL("{} = {}").format(value, to_assign(column, text))


def _unreferenced(
    first: Change, groups: Sequence[Group], foreign_keys: Sequence[ForeignKey], tables: Tables
) -> list[sql.Composed]:
    """Return the conditions that no row points to one that is deleted, but for those that are deleted with it.

    Without them a foreign key that cascades would delete rows of which nobody knew.
    """
    if first.kind != "delete":
        return []
    return [
        _no_child(key, tables, [(number, group[0]) for number, group in enumerate(groups)])
        for key in foreign_keys
        if key.parent == first.written.name and key.child in tables
    ]


def _no_child(key: ForeignKey, tables: Tables, groups: Sequence[tuple[int, Change]]) -> sql.Composed:
    child, parent = tables[key.child].columns, tables[key.parent].columns
    conditions = [
        _same(child[mine], parent[theirs]) for mine, theirs in zip(key.columns, key.parent_columns, strict=True)
    ]
    for number, first in groups:
        if first.written.name == key.child:
            conditions.append(
                sql.SQL("not exists (select from {} as w where {})").format(
                    _wanted(number), sql.SQL(" and ").join(_still(first, "c"))
                )
            )
    return sql.SQL("not exists (select from {} as c where {})").format(
        sql.Identifier(*key.child), sql.SQL(" and ").join(conditions)
    )


def _same(child: Column, parent: Column) -> sql.Composed:
    text = sql.SQL('{}::text collate "C"' if _is_foreign(child) or _is_foreign(parent) else "{}")
    return sql.SQL("{} = {}").format(
        text.format(sql.Identifier("c", child.name)), text.format(sql.Identifier("t", parent.name))
    )


def _is_foreign(column: Column) -> bool:
    """Return whether its type's own `=` may lie in a schema that the search path doesn't show."""
    return column.value_type.kind == "base" and column.value_type.name.schema != "pg_catalog"


def _keys(first: Change) -> list[sql.Identifier]:
    return [sql.Identifier("w", f"k{number}") for number in range(len(first.key))]


def _wanted(number: int) -> sql.Identifier:
    return sql.Identifier(f"wanted_{number}")


def _relation(table: Table) -> sql.Composed:
    only = sql.SQL("" if table.kind == "partitioned table" else "only ")
    return sql.SQL("{}{}").format(only, sql.Identifier(*table.name))
