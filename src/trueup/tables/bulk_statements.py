"""The SQL that writes many rows at once, which are given as one array a column (`trueup.tables.payloads`).

Each statement writes in the order of the key, the same for every writer, and answers with counts.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from psycopg import sql

from trueup.tables.contract import Column, Table
from trueup.tables.sql_types import Family
from trueup.tables.statements import (
    SHAPES,
    Flag,
    Names,
    Statement,
    assignments,
    changed_by,
    compose,
    differs,
    inserted,
    names_of,
    on_conflict,
    same_key,
)


def incoming(table: Table[Any], names: Names, coded: Names) -> sql.Composable:
    """Return a SELECT of the rows that are given, under the names of the columns, in the order in which they are given.

    Of arrays that are equally long, a select list gives the first elements, the second ones, and so on. Columns that
    are `coded` hold indexes into dictionaries, which follow as parameters and whose words are read once.
    """
    dictionaries = {name: number for number, name in enumerate(coded, len(names) + 1)}
    given, typed = [], []
    for number, column in enumerate(map(table.column, names), 1):
        sent_as, value = column.type.sent_as, f"c{number}::{column.type.name}"
        if dictionary := dictionaries.get(column.name):
            sent_as = "smallint"
            value = f"(select array(select unnest(${dictionary}::text[])::{column.type.name}))[c{number}]"
        given.append(sql.SQL(f"unnest(${number}::{sent_as}[]) as c{number}"))
        typed.append(sql.SQL(f"{value} as {{}}").format(column.identifier))
    return sql.SQL("select {}\nfrom (select {}) as given").format(listed(typed), listed(given))


def listed(parts: Iterable[sql.Composable]) -> sql.Composable:
    """Return the parts with commas between them."""
    return sql.SQL(", ").join(parts)


def by_key(table: Table[Any], of: str) -> sql.Composable:
    """Return the order of the key that Python's `sorted` gives: texts by code point, whatever the collation."""
    return sql.SQL("\norder by {}").format(listed(key_order(of, table.column(name)) for name in table.key))


def key_order(of: str, column: Column) -> sql.Composable:
    """Return one column of the order of the key."""
    rule = sql.SQL('{} collate "C"') if column.type.family is Family.TEXT else sql.SQL("{}")
    return rule.format(sql.Identifier(of, column.name))


COUNTS = sql.SQL(
    "\nselect count(*) filter (where is_new), count(*) filter (where not is_new), count(*) filter (where is_new)\n"
    "from written"
)
"""Inserted, updated, and how many had to be inserted."""


@lru_cache(SHAPES)
def replace(table: Table[Any], names: Names, coded: Names, flag: Flag) -> Statement:
    """Return what inserts or updates every row that is given; a row that would stay as it is is not written.

    The rows are given in the order of the key, which nothing here disturbs.
    """
    return compose(
        sql.SQL("with incoming as ({})").format(incoming(table, names, coded)),
        written(table, names, flag, "incoming", sql.SQL("")),
        COUNTS,
        is_binary=True,
    )


@lru_cache(SHAPES)
def sync(table: Table[Any], names: Names, coded: Names, flag: Flag) -> Statement:
    """Return what `replace` does, but looks first: rows that stay as they are cost no write at all."""
    differ = sql.SQL(" or {}").format(differs(table, changed_by(table, names), "stored", "incoming"))
    return compose(
        sql.SQL("with incoming as ({})").format(incoming(table, names, coded)),
        sql.SQL(
            ",\nchanged as (select {}\nfrom incoming left join {} as stored on {}\nwhere stored.{} is null{})"
        ).format(
            names_of(table, names, of="incoming"),
            table.identifier,
            same_key(table, "stored", "incoming"),
            sql.Identifier(table.primary_key[0]),
            differ if changed_by(table, names) else sql.SQL(""),
        ),
        written(table, names, flag, "changed", by_key(table, "changed")),
        COUNTS,
        is_binary=True,
    )


def written(table: Table[Any], names: Names, flag: Flag, rows: str, order: sql.Composable) -> sql.Composable:
    """Return the part that inserts or updates rows and tells them apart."""
    if changed_by(table, names):
        conflict, is_new = on_conflict(table, names), inserted(table, flag)
    else:
        conflict, is_new = sql.SQL("\non conflict ({}) do nothing").format(names_of(table, table.key)), sql.SQL("true")
    return sql.SQL(
        ",\nwritten as (insert into {} as stored ({})\nselect {}\nfrom {}{}{}\nreturning {} as is_new)"
    ).format(
        table.identifier,
        names_of(table, names),
        names_of(table, names, of=rows),
        sql.Identifier(rows),
        order,
        conflict,
        is_new,
    )


@lru_cache(SHAPES)
def in_steps(table: Table[Any], names: Names, coded: Names) -> Statement:
    """Return what locks the rows that exist, inserts the others, and updates the locked ones, in this order.

    Where another writer inserts one of them at the same moment, fewer are inserted than had to be: run it again.
    """
    changed = changed_by(table, names)
    update = sql.SQL(
        "{held},\nupdated as (update {table} as stored\nset {settings}\n"
        "from incoming as excluded join held on {same_held}\nwhere {same} and {differs}\nreturning 1)"
    ).format(
        held=held(table),
        table=table.identifier,
        settings=assignments(table, changed),
        same_held=same_key(table, "held", "excluded"),
        same=same_key(table, "stored", "excluded"),
        differs=differs(table, changed, "stored", "excluded"),
    )
    return compose(
        sql.SQL("with incoming as materialized ({})").format(incoming(table, names, coded)),
        update if changed else sql.SQL(",\nupdated as (select 1 where false)"),
        sql.SQL(
            ",\nfresh as materialized (select {names}\nfrom incoming\n"
            "where {after}not exists (select 1 from {table} as stored where {same}))"
            ",\nwritten as (insert into {table} ({columns})\nselect {fresh}\nfrom fresh{order}\n"
            "on conflict ({key}) do nothing\nreturning 1)"
            "\nselect (select count(*) from written), (select count(*) from updated), (select count(*) from fresh)"
        ).format(
            names=names_of(table, names, of="incoming"),
            after=sql.SQL("(select count(*) from held) >= 0 and " if changed else ""),
            table=table.identifier,
            same=same_key(table, "stored", "incoming"),
            columns=names_of(table, names),
            fresh=names_of(table, names, of="fresh"),
            order=by_key(table, "fresh"),
            key=names_of(table, table.key),
        ),
        is_binary=True,
    )


@lru_cache(SHAPES)
def hold(table: Table[Any], names: Names, coded: Names) -> Statement:
    """Return what locks the rows that exist, and changes nothing."""
    return compose(
        sql.SQL("with incoming as ({})").format(incoming(table, names, coded)),
        held(table),
        sql.SQL("\nselect count(*) from held"),
        is_binary=True,
    )


def held(table: Table[Any]) -> sql.Composable:
    """Return the part that locks the rows that exist, in the order of the key."""
    return sql.SQL(
        ",\nheld as materialized (select {}\nfrom {} as stored join incoming on {}{}\nfor no key update of stored)"
    ).format(
        names_of(table, table.key, of="stored"),
        table.identifier,
        same_key(table, "stored", "incoming"),
        by_key(table, "stored"),
    )
