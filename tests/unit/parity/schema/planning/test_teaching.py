"""Statements made of parts, where the parts say enough."""

import pytest

from trueup.parity.schema import DefinedObject
from trueup.parity.schema.planning.making import defined_object, dropped_object


def made(kind, identity="public.o", **parts):
    return defined_object(DefinedObject(kind=kind, identity=identity, parts=parts))


FAMILY = "create operator family public.o; alter operator family public.o add "


@pytest.mark.parametrize(
    ("parts", "member"),
    [
        ({"operators": "1 <(integer,integer) s"}, "operator 1 <(integer,integer)"),
        ({"functions": "1 f(a,b) date date"}, "function 1 (date, date) f(a,b)"),
        ({"functions": "1 f(a,b) integer bigint"}, "function 1 (integer, bigint) f(a,b)"),
        (
            {"functions": "1 f(a) time with time zone time with time zone"},
            "function 1 (time with time zone, time with time zone) f(a)",
        ),
    ],
)
def test_family_is_made_with_its_members(parts, member):
    assert made("operator family", **parts) == (FAMILY + member,)


@pytest.mark.parametrize(
    "parts",
    [{"operators": "15 <->(point,point) o 1970"}, {"functions": "1 f(a) time with time zone date"}],
    ids=["sorts by a family", "types that can't be told apart"],
)
def test_family_that_cannot_be_read_is_not_reached(parts):
    assert made("operator family", **parts) == ()


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
