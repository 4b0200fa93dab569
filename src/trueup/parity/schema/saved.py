"""The structure of a database as a file, so that what it was last night can be compared with what it is today.

The file is one JSON object; docs/reference/json.md says what is in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal, NamedTuple

import msgspec

from trueup.errors import UsageError
from trueup.parity.schema.model import (
    Annotations,
    Catalog,
    DefinedObject,
    ObjectKey,
    Sequence,
    Table,
    UserType,
    View,
)

FORMAT: Literal["trueup structure"] = "trueup structure"
FORMAT_VERSION = 2
"""Rises whenever the values change that a catalog is made of: an older file would differ by that alone."""

Need = tuple[ObjectKey, ObjectKey]


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """Is what a database was made of at some moment; its rows are not kept."""

    catalog: Catalog
    needs: frozenset[Need]
    """What in it needs what, for a plan."""
    database: str
    user: str
    """Who read it."""
    server_version: int
    """As the server counts it: 180004 is 18.4."""
    taken_at: datetime
    """With its time zone."""
    trueup: str
    """The version of trueup that read it."""
    name: str = ""
    """Of the file it was read from."""


class Said(NamedTuple):
    """Is what is said of an object beside its definition."""

    key: ObjectKey
    said: Annotations


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """Is what every file of any version begins with."""

    format: Literal["trueup structure"]
    format_version: int


class Content(Head, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Is the content of a file; what a catalog keeps by name is a list here."""

    trueup: str
    taken_at: Annotated[datetime, msgspec.Meta(tz=True)]
    database: str
    user: str
    server_version: int
    schemas: list[str]
    tables: list[Table]
    views: list[View]
    sequences: list[Sequence]
    types: list[UserType]
    objects: list[DefinedObject]
    annotations: list[Said]
    not_compared: dict[str, int]
    skipped: dict[str, int]
    needs: list[Need]


def encode_structure(saved: Saved) -> bytes:
    """Return a structure as the content of a file, one value a line; the same structure gives the same bytes."""
    catalog = saved.catalog
    content = Content(
        format=FORMAT,
        format_version=FORMAT_VERSION,
        trueup=saved.trueup,
        taken_at=saved.taken_at,
        database=saved.database,
        user=saved.user,
        server_version=saved.server_version,
        schemas=sorted(catalog.schemas),
        tables=list(catalog.tables.values()),
        views=list(catalog.views.values()),
        sequences=list(catalog.sequences.values()),
        types=list(catalog.types.values()),
        objects=[catalog.objects[key] for key in sorted(catalog.objects)],
        annotations=[Said(key, in_order(catalog.annotations[key])) for key in sorted(catalog.annotations)],
        not_compared=dict(catalog.not_compared),
        skipped=dict(catalog.skipped),
        needs=sorted(saved.needs),
    )
    return msgspec.json.format(msgspec.json.encode(content, enc_hook=plain), indent=1) + b"\n"


def in_order(said: Annotations) -> Annotations:
    """Return what is said, sorted by what it is about."""
    return dict(sorted(said.items()))


def plain(value: object) -> object:
    """Return a read-only mapping as one that can be written."""
    if isinstance(value, Mapping):
        return dict(value)
    raise NotImplementedError(f"a structure holds no {type(value).__name__}")


def read_structure(file: Path) -> Saved:
    """Return the structure that a file holds.

    Raises:
        UsageError: the file can't be read, is no structure, or has a format that this version doesn't know.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}") from None
    return decode_structure(content, str(file))


def decode_structure(content: bytes, name: str) -> Saved:
    """Return the structure in the content of a file of that name.

    Raises:
        UsageError: it is no structure, or has a format that this version doesn't know.
    """
    try:
        head = msgspec.json.decode(content, type=Head)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{name} is not a structure that `trueup schema snapshot` wrote, or only a part of one: {error}"
        ) from None
    if head.format_version != FORMAT_VERSION:
        raise UsageError(
            f"{name} has format version {head.format_version}, and this trueup reads version {FORMAT_VERSION}: read the"
            " database again by `trueup schema snapshot`, or use the version of trueup that wrote the file"
        )
    try:
        found = msgspec.json.decode(content, type=Content)
    except msgspec.ValidationError as error:
        raise UsageError(f"{name} is damaged: {error}; read the database again by `trueup schema snapshot`") from None
    return saved_from(found, name)


def saved_from(content: Content, name: str) -> Saved:
    """Return the content of a file as a structure."""
    catalog = Catalog(
        schemas=frozenset(content.schemas),
        tables=MappingProxyType({table.name: table for table in content.tables}),
        views=MappingProxyType({view.name: view for view in content.views}),
        sequences=MappingProxyType({sequence.name: sequence for sequence in content.sequences}),
        types=MappingProxyType({type_.name: type_ for type_ in content.types}),
        objects=MappingProxyType({ObjectKey(each.kind, each.identity): each for each in content.objects}),
        annotations=MappingProxyType({each.key: each.said for each in content.annotations}),
        not_compared=MappingProxyType(content.not_compared),
        skipped=MappingProxyType(content.skipped),
    )
    return Saved(
        catalog=catalog,
        needs=frozenset(content.needs),
        database=content.database,
        user=content.user,
        server_version=content.server_version,
        taken_at=content.taken_at,
        trueup=content.trueup,
        name=name,
    )
