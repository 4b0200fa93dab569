from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Annotated, Any

import pytest

from trueup.tables import UNSET, Sql, StatementRefused, Table, UnknownColumn, asc, desc, statements
from trueup.tables.conditions import Operator
from trueup.tables.orders import Order, parse_after, parse_order
from trueup.tables.statements import Statement


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    id: int = UNSET
    company_id: int
    phone: str
    name: str | None = UNSET
    created_at: datetime = UNSET
    updated_at: datetime = UNSET


CLIENTS = Table(
    "public.clients",
    Client,
    primary_key=("id",),
    conflict_key=("company_id", "phone"),
    tenant="company_id",
    insert_only=("created_at",),
    touch="updated_at",
)
ALL = tuple(each.name for each in fields(Client))
BY_PHONE = (("phone", Operator.EQ),)


def text(statement: Statement) -> str:
    return statement.text.decode()


def test_select_lists_its_columns():
    assert text(statements.select(CLIENTS, BY_PHONE, one=True)) == (
        'select "id", "company_id", "phone", "name", "created_at", "updated_at"\n'
        'from "public"."clients"\n'
        'where "phone" = $1::text\n'
        "limit 1"
    )


def test_upsert_changes_what_the_contract_lets_it_change():
    changed = text(statements.upsert(CLIENTS, ALL, "old")).split("do update\n")[1]

    assert changed.startswith('set "name" = excluded."name", "updated_at" = now()\n')
    assert 'where ("stored"."name") is distinct from (excluded."name")' in changed.replace('"excluded"', "excluded")
    assert changed.endswith('old."id" is null')


def test_update_assigns_the_touched_column_once():
    """W-R: appending updated_at = now() to data that has it assigns it twice, which is 42601."""
    assert text(statements.update(CLIENTS, ("name",), BY_PHONE)).count('"updated_at" =') == 1
    assert text(statements.upsert(CLIENTS, ALL, "xmax")).count('"updated_at" =') == 1


def test_same_shape_is_the_same_statement():
    first = statements.select(CLIENTS, (("phone", Operator.EQ),), parse_order(CLIENTS, "-name"), limit=True)
    second = statements.select(CLIENTS, (("phone", Operator.EQ),), parse_order(CLIENTS, ["-name"]), limit=True)

    assert first is second


COLUMNS = '"id", "company_id", "phone", "name", "created_at", "updated_at"'
STORED = ", ".join(f'"stored".{name}' for name in COLUMNS.split(", "))
VALUES = "$1::bigint, $2::bigint, $3::text, $4::text, $5::timestamp with time zone, $6::timestamp with time zone"
GIVEN = ", ".join(f"{value} as {name}" for value, name in zip(VALUES.split(", "), COLUMNS.split(", "), strict=True))
SAME = '"stored"."company_id" = "excluded"."company_id" and "stored"."phone" = "excluded"."phone"'
CHANGED = 'set "name" = excluded."name", "updated_at" = now()'
DIFFERS = '("stored"."name") is distinct from ("excluded"."name")'
UPSERT = f"""insert into "public"."clients" as stored ({COLUMNS})
values ({VALUES})
on conflict ("company_id", "phone") do update
{CHANGED}
where {DIFFERS}
returning {STORED}, """
UPDATE_OR_READ = f"""with excluded as (select {GIVEN}), changed as (
update "public"."clients" as stored
{CHANGED}
from excluded
where {SAME}
  and {DIFFERS}
returning {STORED})
select {COLUMNS}, true from changed
union all
select {STORED}, false from "public"."clients" as stored, excluded
where {SAME}
  and not exists (select 1 from changed)"""

BUILT: dict[str, tuple[Callable[[], Statement], str]] = {
    "select": (
        lambda: statements.select(CLIENTS, BY_PHONE, parse_order(CLIENTS, "name"), limit=True, offset=True),
        (
            f'select {COLUMNS}\nfrom "public"."clients"\nwhere "phone" = $1::text\n'
            'order by "name" nulls last, "id"\nlimit $2::bigint\noffset $3::bigint'
        ),
    ),
    "count": (
        lambda: statements.count(CLIENTS, BY_PHONE),
        'select count(*)\nfrom "public"."clients"\nwhere "phone" = $1::text',
    ),
    "exists": (
        lambda: statements.exists(CLIENTS, BY_PHONE),
        'select exists (select 1\nfrom "public"."clients"\nwhere "phone" = $1::text)',
    ),
    "insert": (
        lambda: statements.insert(CLIENTS, ALL),
        f'insert into "public"."clients" ({COLUMNS})\nvalues ({VALUES})\nreturning {COLUMNS}',
    ),
    "insert some": (
        lambda: statements.insert(CLIENTS, ("phone", "company_id")),
        f'insert into "public"."clients" ("phone", "company_id")\nvalues ($1::text, $2::bigint)\nreturning {COLUMNS}',
    ),
    "insert nothing": (
        lambda: statements.insert(CLIENTS, ()),
        f'insert into "public"."clients" default values\nreturning {COLUMNS}',
    ),
    "insert_or_nothing": (
        lambda: statements.insert_or_nothing(CLIENTS, ALL),
        (
            f'insert into "public"."clients" ({COLUMNS})\nvalues ({VALUES})\n'
            f'on conflict ("company_id", "phone") do nothing\nreturning {COLUMNS}'
        ),
    ),
    "upsert on 18": (lambda: statements.upsert(CLIENTS, ALL, "old"), UPSERT + 'old."id" is null'),
    "upsert before 18": (lambda: statements.upsert(CLIENTS, ALL, "xmax"), UPSERT + "stored.xmax = 0"),
    "update": (
        lambda: statements.update(CLIENTS, ("name",), BY_PHONE),
        (
            'update "public"."clients"\nset "name" = $1::text, "updated_at" = now()\nwhere "phone" = $2::text\n'
            f"returning {COLUMNS}"
        ),
    ),
    "update_or_read": (lambda: statements.update_or_read(CLIENTS, ALL), UPDATE_OR_READ),
    "delete": (
        lambda: statements.delete(CLIENTS, BY_PHONE),
        'delete from "public"."clients"\nwhere "phone" = $1::text',
    ),
}


@pytest.mark.parametrize(("build", "expected"), BUILT.values(), ids=BUILT.keys())
def test_statement_is_what_it_looks_like(build: Callable[[], Statement], expected: str):
    assert text(build()) == expected


@pytest.mark.parametrize(("build", "expected"), BUILT.values(), ids=BUILT.keys())
def test_no_statement_asks_for_all_columns(build: Callable[[], Statement], expected: str):
    """W-R: findOne is SELECT *, so a column that is added, dropped or moved reaches the code."""
    assert "*" not in text(build()).replace("count(*)", "")


def test_cursor_is_declared_fetched_from_and_closed_by_its_quoted_name():
    declare, fetch, close = statements.cursor(Statement(b"select 1"), 'a"b', 50)

    assert declare.text == b'declare "a""b" no scroll cursor for\nselect 1'
    assert fetch.text == b'fetch forward 50 from "a""b"'
    assert close.text == b'close "a""b"'
    assert not any(each.is_lasting for each in (declare, fetch, close))


def test_json_is_held_as_text_where_rows_are_compared():
    @dataclass
    class Row:
        id: int
        prefs: Annotated[Any, Sql("json")]
        more: Annotated[Any, Sql("jsonb")]

    table = Table("public.rows", Row, primary_key=("id",))

    assert (
        '("stored"."prefs"::text, "stored"."more") is distinct from ("excluded"."prefs"::text, "excluded"."more")'
        in text(statements.upsert(table, ("id", "prefs", "more"), "old"))
    )


ORDERS = {
    "nothing": ([], (Order("id"),)),
    "a name": ("name", (Order("name"), Order("id"))),
    "descending": (["-name"], (Order("name", descending=True), Order("id", descending=True))),
    "nulls first": ([asc("name", nulls="first")], (Order("name", nulls="first"), Order("id"))),
    "mixed": (["-name", "phone"], (Order("name", descending=True), Order("phone"), Order("id"))),
    "key within": (["id", desc("name")], (Order("id"), Order("name", descending=True))),
}


@pytest.mark.parametrize(("given", "orders"), ORDERS.values(), ids=ORDERS.keys())
def test_key_breaks_ties(given: list[str | Order], orders: tuple[Order, ...]):
    """W-R29: no stable tie-breaker for pagination."""
    assert parse_order(CLIENTS, given) == orders


def test_nulls_rule_is_written_only_where_nulls_can_be():
    rendered = text(statements.select(CLIENTS, (), parse_order(CLIENTS, ["-phone", "-name"])))

    assert rendered.endswith('order by "phone" desc, "name" desc nulls last, "id" desc')


@pytest.mark.parametrize("order", ["(select 1)", "name desc", "name; drop table x", "--name", ""])
def test_hostile_order_never_reaches_sql(order: str):
    """W-R1: orderBy accepts a subselect."""
    with pytest.raises(UnknownColumn):
        parse_order(CLIENTS, [order])


@pytest.mark.parametrize("order", [[7], [None], [("name", "desc")], ["name", "-name"]])
def test_order_that_is_none_is_refused(order: list[str]):
    """W-R30: order not a string is a TypeError."""
    with pytest.raises(StatementRefused, match="order_by"):
        parse_order(CLIENTS, order)


@pytest.mark.parametrize("kind", ["json", "jsonb", "json[]"])
def test_json_has_no_order(kind: str):
    @dataclass
    class Row:
        id: int
        prefs: Annotated[Any, Sql(kind)]

    with pytest.raises(StatementRefused, match="no order worth asking for"):
        parse_order(Table("public.rows", Row, primary_key=("id",)), "prefs")


def test_one_direction_without_nulls_compares_rows_so_that_an_index_serves():
    orders = parse_order(CLIENTS, ["phone"])
    keyset, _ = parse_after(CLIENTS, orders, {"phone": "x", "id": 3})

    assert '("phone", "id") > ($1::text, $2::bigint)' in text(
        statements.select(CLIENTS, (), orders, limit=True, keyset=keyset)
    )


def test_page_after_a_row_that_lacks_a_column_is_refused():
    with pytest.raises(StatementRefused, match="lacks 'id'"):
        parse_after(CLIENTS, parse_order(CLIENTS, "phone"), Client(company_id=1, phone="x"))
