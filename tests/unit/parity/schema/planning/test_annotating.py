"""What is said of objects is changed by statements, in an order in which they can run."""

import pytest

from trueup.parity.schema import ObjectKey
from trueup.parity.schema.planning.annotating import annotated

TABLE = ObjectKey("table", "public.t")
ALL = "delete, insert, maintain, references, select, trigger, truncate, update"


def statements(have, want, key=TABLE):
    return list(annotated(key, have, want))


def as_role(role, statement):
    head = f"create or replace function pg_temp.trueup_grant() returns void language sql set role = {role}"
    return [f"{head} as '{statement}'", "select pg_temp.trueup_grant()"]


def test_others_grant_after_they_may_and_revoke_before_they_may_no_more():
    said = {"grants to web": "select with grant option", "grants by web to report": "select"}

    assert statements({}, said) == [
        "grant select on table public.t to web with grant option",
        *as_role("web", "grant select on table public.t to report"),
    ]
    assert statements(said, {}) == [
        *as_role("web", "revoke select on table public.t from report"),
        "revoke select on table public.t from web",
    ]


def test_quoted_names_of_grantors_are_told_apart():
    said = {'grants by "a to b" to "c by d"': "select"}

    assert statements({}, said) == as_role('"a to b"', 'grant select on table public.t to "c by d"')


@pytest.mark.parametrize("role", ["web", "its owner"])
def test_who_had_everything_loses_all_at_once(role):
    """Before 17 there is no MAINTAIN to name."""
    name = "app" if role == "its owner" else role
    have, want = ({"owner": "app", f"grants to {role}": granted} for granted in (ALL, "select"))

    assert statements(have, want) == [
        f"revoke all on table public.t from {name}",
        f"grant select on table public.t to {name}",
    ]
    assert statements(want, have) == [f"grant all on table public.t to {name}"]


def test_points_in_names_part_nothing():
    column = ObjectKey("table column", 'public."a.b"."c.d"')

    assert statements({}, {"grants to web": "select"}, column) == ['grant select ("c.d") on table public."a.b" to web']


def test_options_are_changed_one_by_one():
    column = ObjectKey("foreign table column", "public.t.a")
    have, want = {"foreign options": "x '1', y 'a, b'"}, {"foreign options": "y 'c=''d', \"Z z\" '2'"}

    assert statements(have, want, column) == [
        "alter foreign table public.t alter column a options (drop x, add \"Z z\" '2', set y 'c=''d')"
    ]


def test_targets_of_an_index_are_changed_by_number():
    have, want = {"statistics targets": "1=5, 3=7"}, {"statistics targets": "1=5, 2=9"}

    assert statements(have, want, ObjectKey("index", "public.i")) == [
        "alter index public.i alter column 2 set statistics 9",
        "alter index public.i alter column 3 set statistics -1",
    ]
