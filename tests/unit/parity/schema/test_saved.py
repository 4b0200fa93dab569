"""A structure in a file: all of it comes back, and what is no such file says so."""

import hashlib
import json
from dataclasses import fields
from datetime import UTC, datetime

import pytest

from trueup.errors import UsageError
from trueup.parity.schema import (
    Catalog,
    Column,
    Constraint,
    DefinedObject,
    Generated,
    Index,
    ObjectKey,
    Saved,
    Sequence,
    Table,
    UserType,
    ValueType,
    View,
    encode_structure,
    read_structure,
)
from trueup.parity.schema.saved import FORMAT_VERSION, Content

NOW = datetime(2026, 11, 23, 2, 30, tzinfo=UTC)


@pytest.fixture
def saved(build):
    generated = Generated(storage="stored", expression="(a || 'é\t\\')")
    z, a = build.column("z", "character varying(5)[]", collation='"C"'), build.column("a", generated=generated)
    trigger = DefinedObject(kind="trigger", identity='"T" on public.clients', parts={"state": "disabled"}, create=None)
    catalog = build.catalog(
        build.table(z, a, primary_key=("z", "a")),
        build.view(),
        build.sequence(minimum=-(2**63)),
        build.type("enum type", "happy", "it's"),
        trigger,
        annotations={ObjectKey("table", "public.clients"): {"owner": "app", "comment": 'a "b"\n'}},
    )
    needs = frozenset({(ObjectKey("view", "public.v"), ObjectKey("table", "public.clients"))})
    return Saved(
        catalog=catalog, needs=needs, database="shop", user="app", server_version=180004, taken_at=NOW, trueup="1.2"
    )  # fmt: skip


@pytest.fixture
def file(saved, tmp_path):
    file = tmp_path / "last-night.json"
    file.write_bytes(encode_structure(saved))
    return file


def test_all_of_a_structure_comes_back(saved, file):
    found = read_structure(file)

    assert found.catalog == saved.catalog
    assert found.needs == saved.needs
    assert (found.database, found.user, found.server_version, found.taken_at, found.trueup) == (
        "shop", "app", 180004, NOW, "1.2"
    )  # fmt: skip
    assert found.name == str(file)


def test_columns_keep_their_order(file):
    [table] = read_structure(file).catalog.tables.values()

    assert list(table.columns) == ["z", "a"]


def test_same_structure_gives_the_same_bytes(saved, file):
    assert encode_structure(read_structure(file)) == encode_structure(saved)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is not a structure"),
        (b"create table t ();", "is not a structure"),
        (b"[]", "is not a structure"),
        (b'{"schema_version": 1, "verdict": "passed", "findings": []}', "is not a structure"),
        (b'{"format": "trueup structure", "format_version": 99}', "reads version 2: read the database again"),
        (b'{"format": "trueup structure", "format_version": 2}', "is damaged"),
        (b"\xff\xfe", "is not a structure"),
    ],
    ids=["empty", "SQL", "a list", "a report", "newer", "without its content", "no text"],
)
def test_what_is_no_structure_of_this_format_is_refused(tmp_path, content, said):
    file = tmp_path / "x.json"
    file.write_bytes(content)

    with pytest.raises(UsageError, match=said) as caught:
        read_structure(file)

    assert "x.json" in str(caught.value)


def test_part_of_a_file_is_refused(file):
    file.write_bytes(file.read_bytes()[:-200])

    with pytest.raises(UsageError, match="only a part of one"):
        read_structure(file)


def test_key_that_nobody_knows_is_refused(file):
    """It would have to be compared: a file of another version differs in its version."""
    file.write_text(json.dumps({**json.loads(file.read_bytes()), "roles": []}))

    with pytest.raises(UsageError, match=r"damaged.*roles"):
        read_structure(file)


def test_file_that_is_not_there_says_why(tmp_path):
    with pytest.raises(UsageError, match="No such file"):
        read_structure(tmp_path / "x.json")


SHAPES = {1: "4a3e6f76a24cd720", 2: "5b2e903089dc054b"}
MADE_OF = (
    Catalog, Table, Column, ValueType, Generated, Constraint, Index, View, Sequence, UserType, DefinedObject
)  # fmt: skip


def test_format_version_rises_with_what_a_catalog_is_made_of():
    """Where this fails, raise FORMAT_VERSION, and add the new digest here: an older file lacks what is new."""
    names = [
        *Content.__struct_fields__,
        *(f"{kind.__name__}.{field.name}" for kind in MADE_OF for field in fields(kind)),
    ]

    assert SHAPES[FORMAT_VERSION] == hashlib.sha256(" ".join(names).encode()).hexdigest()[:16]
