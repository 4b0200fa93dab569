import pytest

from trueup.parity.schema import ColumnName, QualifiedName, quote_ident
from trueup.parity.schema.pairs import is_implicit


@pytest.mark.parametrize(
    ("name", "written"),
    [("clients", "clients"), ("a1_b", "a1_b"), ("Clients", '"Clients"'), ("select", '"select"'), ("1a", '"1a"'),
     ('a"b', '"a""b"'), ("ünï", '"ünï"'), ("a b", '"a b"'), ("name", "name"), ("between", '"between"'), ("a$", '"a$"'),
     ("a\n", '"a\n"')],
)  # fmt: skip
def test_names_are_quoted_only_where_sql_needs_it(name, written):
    assert quote_ident(name) == written


def test_qualified_names_are_written_as_sql_does():
    assert str(QualifiedName("public", "Order")) == 'public."Order"'
    assert str(ColumnName("public", "clients", "user")) == 'public.clients."user"'


LONG = "a" * 63


@pytest.mark.parametrize(
    ("name", "table", "kind", "implicit"),
    [("clients_pkey", "clients", "primary key", True), ("clients_phone_key1", "clients", "unique", True),
     ("clients_id_fkey_1", "clients", "foreign key", True), ("phone_once", "clients", "unique", False),
     ("orders_pkey", "clients", "primary key", False), ("clients_phone_key", "clients", "check", False),
     (LONG[:58] + "_pkey", LONG, "primary key", True), (LONG[:29] + "_" + "b" * 29 + "_key", LONG, "unique", True)],
)  # fmt: skip
def test_names_that_the_server_gives_are_known(name, table, kind, implicit):
    assert is_implicit(name, QualifiedName("public", table), kind) is implicit
