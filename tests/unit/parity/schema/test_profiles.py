"""What a host or trueup itself has put into a database is left out on both sides, and counted."""

from dataclasses import replace

import pytest

from trueup.parity.schema import (
    PROFILES,
    Constraint,
    DefinedObject,
    ObjectKey,
    Profile,
    QualifiedName,
    apart_from,
    diff,
)

SUPABASE = PROFILES["supabase"]
HOST = Profile(
    label="profile host",
    schemas=frozenset({"auth", "My Host"}),
    roles=frozenset({"anon", "host admin"}),
    extensions=frozenset({"pg_host", "uuid-ossp"}),
    publications=frozenset({"live"}),
    event_triggers=frozenset({"watch"}),
)


def defined(kind, identity, table=None):
    return DefinedObject(kind=kind, identity=identity, parts={}, table=table)


def renamed(thing, schema, name):
    return replace(thing, name=QualifiedName(schema, name))


@pytest.fixture
def hosted(build):
    """Return a database of one table, with a host's things around it."""
    users, quoted = renamed(build.table(), "auth", "users"), renamed(build.table(), "My Host", "t")
    return build.catalog(
        build.table(),
        users,
        quoted,
        renamed(build.view(), "auth", "v"),
        renamed(build.sequence(), "auth", "s"),
        renamed(build.type("enum type", "a"), "auth", "e"),
        defined("trigger", "new_user on auth.users", users.name),
        defined("function", "auth.uid()"),
        defined("cast", "(integer AS auth.e)"),
        defined("operator family", '"My Host".o USING btree'),
        defined("extension", "pg_host"),
        defined("extension", '"uuid-ossp"'),
        defined("publication", "live"),
        defined("event trigger", "watch"),
        schemas=("public", "auth", "My Host"),
        annotations={
            ObjectKey("schema", "auth"): {"owner": "host admin"},
            ObjectKey("table", "auth.users"): {"owner": "host admin", "grants to anon": "select"},
            ObjectKey("table column", "auth.users.c"): {"comment": "x"},
            ObjectKey("table constraint", 'k on "My Host".t'): {"comment": "x"},
            ObjectKey("extension", "pg_host"): {"comment": "x"},
            ObjectKey("default acl", 'for role "host admin" on tables'): {"grants to web": "select"},
            ObjectKey("default acl", "for role app in schema auth on tables"): {"grants to web": "select"},
            ObjectKey("default acl", "for role app on tables"): {"grants to anon": "select"},
            ObjectKey("table", "public.clients"): {
                "owner": "app", "grants to anon": "select", 'grants to "host admin"': "select"
            },
        },
    )  # fmt: skip


@pytest.fixture
def plain(build):
    return build.catalog(build.table(), annotations={ObjectKey("table", "public.clients"): {"owner": "app"}})


def test_what_a_host_adds_is_no_difference(hosted, plain):
    for pair in ((hosted, plain), (plain, hosted)):
        assert diff(*apart_from(HOST, *pair)) == ()
        assert diff(*pair) != ()


def test_all_that_is_left_out_is_counted(hosted, plain):
    mine, theirs = apart_from(HOST, hosted, plain)

    assert dict(mine.skipped) == {
        "schema auth (profile host)": 9,
        'schema "My Host" (profile host)': 3,
        "extension pg_host (profile host)": 1,
        'extension "uuid-ossp" (profile host)': 1,
        "publication live (profile host)": 1,
        "event trigger watch (profile host)": 1,
        "grants to role anon (profile host)": 2,
        'grants to role "host admin" (profile host)': 1,
        'default privileges of role "host admin" (profile host)': 1,
    }
    assert dict(theirs.skipped) == {}


@pytest.mark.parametrize(
    ("kind", "identity"),
    [
        ("function", "public.f(auth.e)"),
        ("function", "public.auth(integer)"),
        ("function", "authors.f()"),
        ("extension", "postgis"),
        ("function", "live"),
    ],
)
def test_what_only_mentions_a_host_is_compared(build, kind, identity):
    [found] = diff(*apart_from(HOST, build.catalog(defined(kind, identity)), build.catalog()))

    assert (found.kind, found.object, found.change) == (kind, identity, "missing")


def test_policy_of_a_table_is_compared_whoever_it_is_for(build):
    policy = DefinedObject(kind="policy", identity="p on public.clients", parts={"roles": "anon"})

    [found] = diff(*apart_from(HOST, build.catalog(build.table(), policy), build.catalog(build.table())))

    assert found.kind == "policy"


def owned(build, owner):
    return build.catalog(build.table(), annotations={ObjectKey("table", "public.clients"): {"owner": owner}})


@pytest.mark.parametrize(
    ("mine", "theirs"), [("host admin", "app"), ("app", "host admin"), ("anon", "host admin"), ("app", "app")]
)
def test_owner_that_the_host_chose_equals_any_other(build, mine, theirs):
    found = apart_from(HOST, owned(build, mine), owned(build, theirs))

    assert diff(*found) == ()
    assert sum(sum(each.skipped.values()) for each in found) == (mine != theirs)


def test_owner_whom_nobody_named_is_compared(build):
    [found] = diff(*apart_from(HOST, owned(build, "app"), owned(build, "other")))

    assert found.kind == "owner"


def journal(build, *more):
    made = renamed(build.table(), "trueup", "made")
    numbers = renamed(build.sequence(), "trueup", "numbers")
    return build.catalog(build.table(), made, numbers, *more, schemas=("public", "trueup"))


@pytest.mark.parametrize("profile", [None, HOST], ids=["no profile", "a profile"])
def test_own_journal_is_no_difference_and_is_counted(build, profile):
    mine, theirs = apart_from(profile, journal(build), build.catalog(build.table()))

    assert diff(mine, theirs) == ()
    assert mine.skipped["schema trueup (trueup's own)"] == 3


def test_schema_that_only_has_the_journals_name_is_compared(build):
    other = build.catalog(renamed(build.table(), "trueup", "clients"), schemas=("public", "trueup"))

    assert len(diff(*apart_from(None, other, build.catalog()))) == 2


def history(build, *columns, schema="public"):
    """Return a database of one table that also records its migrations, with all that is said of that table."""
    columns = columns or (build.column("version"),)
    key = Constraint(name="pk", kind="primary key", columns=("version",), definition="PRIMARY KEY (version)")
    table = renamed(build.table(*columns, constraints=(key,)), schema, "schema_migrations")
    places = {
        "table": f"{schema}.schema_migrations",
        "table column": f"{schema}.schema_migrations.version",
        "table constraint": f"pk on {schema}.schema_migrations",
        "index": f"{schema}.pk",
    }
    said = {ObjectKey(kind, identity): {"comment": "x"} for kind, identity in places.items()}
    policy = defined("policy", f"p on {schema}.schema_migrations", table.name)
    return build.catalog(build.table(), table, policy, annotations=said, schemas=("public", "app"))


@pytest.mark.parametrize("schema", ["public", "app"])
@pytest.mark.parametrize("profile", [None, HOST], ids=["no profile", "a profile"])
def test_table_of_migrations_is_no_difference_and_is_counted(build, profile, schema):
    recorded, plain = history(build, schema=schema), build.catalog(build.table(), schemas=("public", "app"))

    for pair in ((recorded, plain), (plain, recorded)):
        mine, theirs = apart_from(profile, *pair)
        assert diff(mine, theirs) == ()
        assert {**mine.skipped, **theirs.skipped} == {f"table {schema}.schema_migrations (history of migrations)": 1}


def test_table_that_only_has_the_name_of_the_one_of_migrations_is_compared(build):
    other = history(build, build.column("version"), build.column("dirty"))

    assert diff(*apart_from(None, other, build.catalog(build.table(), schemas=("public", "app"))))
    assert diff(*apart_from(None, history(build), other))


def test_what_is_not_there_is_not_counted(build):
    mine, theirs = apart_from(SUPABASE, build.catalog(build.table()), build.catalog())

    assert (dict(mine.skipped), dict(theirs.skipped)) == ({}, {})
