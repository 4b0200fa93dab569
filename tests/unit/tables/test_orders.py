"""The page after a row is what follows it in the order, NULLs and directions as they are."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from itertools import count

import pytest
from psycopg import sql

from trueup.tables import StatementRefused, Table, asc, desc
from trueup.tables.orders import Order, parse_after, parse_order, render_after, render_order


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    id: int
    phone: str
    name: str | None = None
    seen: date | None = None


CLIENTS = Table("public.clients", Client, primary_key=("id",))
ANN, NOBODY = Client(id=3, phone="x", name="Ann"), Client(id=3, phone="x")

Asked = str | Order


def text(part: sql.Composable) -> str:
    return part.as_bytes(None).decode()


AFTER: dict[str, tuple[Callable[[], list[Asked]], Client, str, list[bytes]]] = {
    "one direction": (lambda: ["phone"], ANN, '("phone", "id") > ($1::text, $2::bigint)', [b"x", b"3"]),
    "one direction down": (lambda: ["-phone"], ANN, '("phone", "id") < ($1::text, $2::bigint)', [b"x", b"3"]),
    "the key alone": (list, ANN, '("id") > ($1::bigint)', [b"3"]),
    "two directions": (
        lambda: ["-phone", asc("id")],
        ANN,
        '(("phone" < $1::text) or ("phone" = $1::text and "id" > $2::bigint))',
        [b"x", b"3"],
    ),
    "NULLs last": (
        lambda: ["name"],
        ANN,
        '((("name" > $1::text or "name" is null)) or ("name" = $1::text and "id" > $2::bigint))',
        [b"Ann", b"3"],
    ),
    "NULLs last, at a NULL": (lambda: ["name"], NOBODY, '(("name" is null and "id" > $1::bigint))', [b"3"]),
    "NULLs first": (
        lambda: [asc("name", nulls="first")],
        ANN,
        '(("name" > $1::text) or ("name" = $1::text and "id" > $2::bigint))',
        [b"Ann", b"3"],
    ),
    "NULLs first, at a NULL": (
        lambda: [desc("name", nulls="first")],
        NOBODY,
        '(("name" is not null) or ("name" is null and "id" < $1::bigint))',
        [b"3"],
    ),
    "three columns": (
        lambda: ["-name", "phone"],
        ANN,
        (
            '((("name" < $1::text or "name" is null)) or ("name" = $1::text and "phone" > $2::text)'
            ' or ("name" = $1::text and "phone" = $2::text and "id" > $3::bigint))'
        ),
        [b"Ann", b"x", b"3"],
    ),
}


@pytest.mark.parametrize(("asked", "row", "condition", "parameters"), AFTER.values(), ids=AFTER.keys())
@pytest.mark.parametrize(
    "given", [lambda row: row, lambda row: {name: getattr(row, name) for name in Client.__slots__}]
)
def test_page_begins_after_the_row(asked, row, condition, parameters, given):
    orders = parse_order(CLIENTS, asked())

    keyset, sent = parse_after(CLIENTS, orders, given(row))

    assert (text(render_after(CLIENTS, orders, keyset, count(1))), sent) == (condition, parameters)


@pytest.mark.parametrize(
    ("asked", "clause"),
    [
        (lambda: ["phone"], '"phone", "id"'),
        (lambda: ["-phone"], '"phone" desc, "id" desc'),
        (lambda: [asc("name")], '"name" nulls last, "id"'),
        (lambda: [asc("name", nulls="first")], '"name" nulls first, "id"'),
        (lambda: [desc("name")], '"name" desc nulls last, "id" desc'),
        (lambda: [desc("name", nulls="first"), asc("phone")], '"name" desc nulls first, "phone", "id"'),
    ],
)
def test_order_is_written_as_it_was_asked_for(asked, clause):
    assert text(render_order(CLIENTS, parse_order(CLIENTS, asked()))) == f"\norder by {clause}"


@pytest.mark.parametrize("after", [{"id": 3}, object()], ids=["a mapping", "an object"])
def test_row_that_lacks_a_column_of_the_order_is_refused(after):
    with pytest.raises(StatementRefused, match=r"public\.clients: after lacks 'phone', which the rows are ordered by"):
        parse_after(CLIENTS, parse_order(CLIENTS, ["phone"]), after)


def test_null_of_a_mapping_is_no_missing_column():
    assert parse_after(CLIENTS, parse_order(CLIENTS, ["name"]), {"id": 3, "name": None}) == ((True, False), [b"3"])
