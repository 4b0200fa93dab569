"""Statements made of parts, where the parts say enough."""

import pytest

from trueup.parity.schema import DefinedObject
from trueup.parity.schema.planning.making import defined_object, dropped_object


def made(kind, identity="public.o", **parts):
    return defined_object(DefinedObject(kind=kind, identity=identity, parts=parts))


def test_family_is_made_with_its_loose_members():
    found = made("operator family", operators="operator 1 <(integer,bigint)", functions="function 1 (a, b) f(a,b)")

    head = "create operator family public.o; alter operator family public.o add "
    assert found == (f"{head}operator 1 <(integer,bigint), function 1 (a, b) f(a,b)",)
    assert made("operator family") == ("create operator family public.o",)


CLASS = {"type": "integer", "default": "true", "family": "public.f USING btree"}


@pytest.mark.parametrize(
    ("parts", "members"),
    [
        ({}, "storage integer"),
        ({"storage": "box"}, "storage box"),
        ({"operators": "operator 1 <(a,b)", "storage": "box"}, "operator 1 <(a,b), storage box"),
        ({"functions": "function 1 (a, b) f(a,b)"}, "function 1 (a, b) f(a,b)"),
    ],
    ids=["none", "storage", "operators", "functions"],
)
def test_class_is_made_with_its_own_members(parts, members):
    head = "create operator class public.o default for type integer using btree family public.f"
    assert made("operator class", "public.o USING btree", **CLASS, **parts) == (f"{head} as {members}",)


def test_base_type_is_not_reached():
    assert made("type", input="public.in") == ()
    assert made("type", input="shell_in") == ("create type public.o",)


def test_language_without_a_handler_is_not_reached():
    assert made("language", "l", trusted="false") == ()


def test_user_of_a_mapping_is_quoted():
    found = DefinedObject(kind="user mapping", identity="a b on server s", parts={})

    assert defined_object(found) == ('create user mapping for "a b" server s',)
    assert dropped_object(found) == ('drop user mapping for "a b" server s',)


def test_options_that_may_be_secrets_are_not_written():
    assert made("server", "s", wrapper="w", options="host 'x', password ***") == ()
