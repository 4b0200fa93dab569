from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
import pytest

from trueup.tables import UNSET, ContractError, Sql, Table, UnknownColumn
from trueup.tables.sql_types import parse_type


@dataclass(frozen=True, slots=True, kw_only=True)
class Everything:
    id: int
    name: str
    note: str | None
    paid: Decimal
    born: date
    opens: time
    at: datetime
    takes: timedelta
    active: bool
    share: float
    token: UUID
    photo: bytes
    tags: list[str]
    counts: list[Annotated[int, Sql("int4")]]
    status: Literal["active", "gone"]
    prefs: Annotated[dict[str, Any], Sql("jsonb")]
    phone: Annotated[str | None, Sql("varchar(50)")] = UNSET
    later: Annotated[datetime, Sql("timestamp(3) with time zone")] | msgspec.UnsetType = UNSET


DERIVED = {
    "id": ("bigint", False),
    "name": ("text", False),
    "note": ("text", True),
    "paid": ("numeric", False),
    "born": ("date", False),
    "opens": ("time without time zone", False),
    "at": ("timestamp with time zone", False),
    "takes": ("interval", False),
    "active": ("boolean", False),
    "share": ("double precision", False),
    "token": ("uuid", False),
    "photo": ("bytea", False),
    "tags": ("text[]", False),
    "counts": ("integer[]", False),
    "status": ("text", False),
    "prefs": ("jsonb", False),
    "phone": ("character varying(50)", True),
    "later": ("timestamp(3) with time zone", False),
}


def everything(**options: Any) -> Table[Everything]:
    return Table("public.everything", Everything, **{"primary_key": ("id",), **options})


def test_types_and_nullability_come_from_annotations():
    found = {column.name: (column.declared, column.nullable) for column in everything().columns}

    assert found == DERIVED


def test_a_struct_is_a_row_class_too():
    class Client(msgspec.Struct, frozen=True):
        id: int
        note: str | None = None

    table = Table("public.clients", Client, primary_key=("id",))

    assert [(c.name, c.declared, c.nullable) for c in table.columns] == [
        ("id", "bigint", False),
        ("note", "text", True),
    ]
    assert table.required == {"id"}


def test_columns_without_a_default_are_required_of_a_new_row():
    assert everything().required == set(DERIVED) - {"note", "phone", "later"}


NAMES = {
    "dots anywhere (W-R2)": "a..b.",
    "no schema": "clients",
    "empty schema": ".clients",
    "three parts": "a.b.c",
    "empty": "",
    "NUL": "public.cli\0ents",
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())
def test_name_of_a_table_has_a_schema_and_a_name(name: str):
    with pytest.raises(ContractError, match=r"public\.clients"):
        Table(name, Everything, primary_key=("id",))


def test_reserved_and_hostile_names_of_tables_are_quoted():
    """W-R2: no quoting, so reserved words and mixed case break."""
    table = Table('Order.user"; drop table x; --', Everything, primary_key=("id",))

    assert table.identifier.as_string(None) == '"Order"."user""; drop table x; --"'


OPTIONS = {
    "unknown primary key": ({"primary_key": ("uid",)}, "primary_key names 'uid'"),
    "no primary key": ({"primary_key": ()}, "primary_key is empty"),
    "key is a str": ({"primary_key": "id"}, "must be a tuple"),
    "nullable primary key": ({"primary_key": ("note",)}, "never NULL"),
    "key of jsonb": ({"conflict_key": ("prefs",)}, "can't be part of a key"),
    "key of an array": ({"conflict_key": ("tags",)}, "can't be part of a key"),
    "key twice": ({"conflict_key": ("id", "id")}, "names a column twice"),
    "unknown tenant": ({"tenant": "company"}, "tenant names 'company'"),
    "unknown touch": ({"touch": "updated_at"}, "touch names 'updated_at'"),
    "touch of no time": ({"touch": "name"}, "does not hold"),
    "unknown insert_only": ({"insert_only": ("created",)}, "insert_only names 'created'"),
    "generated conflict key": ({"conflict_key": ("name",), "generated": ("name",)}, "the server makes it"),
}


@pytest.mark.parametrize(("options", "message"), OPTIONS.values(), ids=OPTIONS.keys())
def test_contradictions_are_found_where_the_table_is_declared(options: dict[str, Any], message: str):
    with pytest.raises(ContractError, match=message):
        everything(**options)


ANNOTATIONS: dict[str, tuple[Any, str]] = {
    "dict without a type": (dict[str, int], "no SQL type is derived"),
    "list of anything": (list[Any], "no SQL type is derived"),
    "two classes": (int | str, "no SQL type is derived"),
    "a class of its own": (Exception, "no SQL type is derived"),
    "unknown type": (Annotated[str, Sql("citext")], "none of"),
    "text as integer": (Annotated[str, Sql("integer")], "comes back as int"),
    "float for numeric": (Annotated[float, Sql("numeric(10,2)")], "comes back as Decimal"),
    "list of the wrong class": (Annotated[list[str], Sql("int[]")], "comes back as list"),
    "injection": (Annotated[str, Sql("text); drop table x; --")], "none of"),
}


@pytest.mark.parametrize(("annotation", "message"), ANNOTATIONS.values(), ids=ANNOTATIONS.keys())
def test_annotation_without_a_type_is_an_error(annotation: Any, message: str):
    row = msgspec.defstruct("Row", [("id", int), ("odd", annotation)])

    with pytest.raises(ContractError, match=message):
        Table("public.rows", row, primary_key=("id",))


def test_row_class_is_a_dataclass_or_a_struct():
    with pytest.raises(ContractError, match="must be a dataclass"):
        Table("public.rows", dict, primary_key=("id",))


def test_unknown_column_is_named_with_those_that_exist():
    with pytest.raises(UnknownColumn, match=r"no column 'nmae'.*name"):
        everything().column("nmae")


def test_keys_and_what_the_server_makes_are_not_updatable():
    table = everything(conflict_key=("name",), insert_only=("born",), generated=("share",), touch="at", tenant="active")

    assert set(DERIVED) - table.updatable == {"id", "name", "born", "share", "at", "active"}
    assert set(DERIVED) - set(table.insertable) == {"share"}


TYPES = {
    "int8": "bigint",
    "VARCHAR(50)": "character varying(50)",
    "varchar(50)[]": "character varying(50)[]",
    "numeric(10, 2)": "numeric(10,2)",
    "timestamptz": "timestamp with time zone",
    "timestamp": "timestamp without time zone",
    "timestamp(3) with time zone[]": "timestamp(3) with time zone[]",
    "double precision": "double precision",
    "time": "time without time zone",
}


@pytest.mark.parametrize(("declared", "formatted"), TYPES.items(), ids=TYPES.keys())
def test_types_are_named_as_the_catalog_does(declared: str, formatted: str):
    assert parse_type(declared)[1] == formatted
