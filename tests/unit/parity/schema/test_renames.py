"""Guesses about new names: each is said as a hint, with its score, and changes no difference."""

import pytest

from trueup.parity.schema import Constraint, Index, QualifiedName, UserType, diff
from trueup.parity.schema.renames import is_opposite


def hints(build, mine, theirs):
    source = build.catalog(build.table(*(build.column(name, type_) for name, type_ in mine)))
    target = build.catalog(build.table(*(build.column(name, type_) for name, type_ in theirs)))
    return {found.object.rpartition(".")[2]: found.hint for found in diff(source, target) if found.hint}


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        (("active", "boolean"), ("is_active", "boolean")),
        (("yclients_id", "bigint"), ("yclients_record_id", "bigint")),
        (("staff_id", "integer"), ("yclients_staff_id", "integer")),
        (("avatar", "text"), ("avatar_url", "text")),
        (("raw_phone", "text"), ("rawPhone", "text")),
        (("note", "text"), ("notes", "character varying(50)")),
    ],
    ids=["M-1", "M-3", "M-7", "M-24", "camel", "retyped"],
)
def test_column_under_another_name_is_hinted_at(build, mine, theirs):
    found = hints(build, [mine, ("id", "integer")], [theirs, ("id", "integer")])

    assert list(found) == [mine[0]]
    assert f"may be {theirs[0]}" in found[mine[0]].replace('"', "")


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [("fired", "is_active"), ("is_active", "fired"), ("enabled", "is_disabled"), ("is_valid", "is_not_valid"),
     ("deleted", "is_current"), ("hidden", "visible")],
)  # fmt: skip
def test_flag_whose_name_turned_into_its_opposite_is_never_copied_as_it_is(build, mine, theirs):
    """M-2: a plain rename of fired to is_active would have flipped every row."""
    found = hints(build, [(mine, "boolean")], [(theirs, "boolean")])

    assert "means the opposite: copy it as `not`" in found[mine]


@pytest.mark.parametrize(
    ("one", "other"),
    [("is_active", "active"), ("fired", "dismissed"), ("not_fired", "is_active"), ("fired", "not_active"), ("a", "b")],
)
def test_words_that_agree_are_no_opposites(one, other):
    assert not is_opposite(one, other)


def test_flags_alone_have_opposites(build):
    assert hints(build, [("fired", "date")], [("is_active", "boolean")]) == {}


@pytest.mark.parametrize(
    ("mine", "theirs"), [(("name", "text"), ("price", "text")), (("visits", "integer"), ("visited_at", "date"))]
)
def test_unlike_columns_are_left_alone(build, mine, theirs):
    assert hints(build, [mine], [theirs]) == {}


def test_column_is_in_one_guess_only(build):
    found = hints(build, [("client_id", "integer"), ("client", "integer")], [("client_ids", "integer")])

    assert list(found) == ["client_id"]


def test_table_under_another_name_is_known_by_its_columns(build):
    columns = [build.column("id", "integer"), build.column("phone"), build.column("name")]
    source = build.catalog(build.table(*columns, name="customers"))
    target = build.catalog(build.table(*columns, name="clients"), build.table(build.column("z"), name="custom"))

    [hint] = [found.hint for found in diff(source, target) if found.hint]
    assert hint.startswith("may be public.clients now")


def test_label_under_another_name_is_hinted_at(build):
    name = QualifiedName("public", "status")
    source = build.catalog(UserType(name=name, kind="enum type", parts=("new", "cancelled")))
    target = build.catalog(UserType(name=name, kind="enum type", parts=("new", "canceled")))

    [found] = diff(source, target)
    assert found.hint == "'cancelled' may be 'canceled' now (0.94)"


def key(name, *columns, kind="unique"):
    return Constraint(name=name, kind=kind, columns=columns, definition=f"{kind.upper()} ({', '.join(columns)})")


def index(name, column, head="CREATE INDEX"):
    definition = f"{head} ON public.clients USING btree ({column})"
    return Index(name=name, definition=definition, unique="UNIQUE" in head, columns=(column,))


def parts(build, mine, theirs):
    source, target = (build.catalog(build.table(constraints=each[0], indexes=each[1])) for each in (mine, theirs))
    return {found.object: found.hint for found in diff(source, target) if found.hint}


def test_constraint_under_another_name_is_hinted_at(build):
    mine = (key("clients_phone_key", "phone"), key("clients_pkey", "id", kind="primary key"))
    theirs = (key("clients_telephone_key", "telephone"), key("clients_email_check", "email", kind="check"))

    assert parts(build, (mine, ()), (theirs, ())) == {
        "public.clients.clients_phone_key": "may be clients_telephone_key now (0.88)"
    }


def test_index_under_another_name_is_hinted_at(build):
    mine, theirs = (
        (index("by_phone", "phone"),),
        (index("by_telephone", "telephone"), index("z", "q", "CREATE UNIQUE INDEX")),
    )

    assert parts(build, ((), mine), ((), theirs)) == {"public.by_phone": "may be by_telephone now (0.88)"}


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        (([key("k", "a")], []), ([], [index("k", "a || b")])),
        (([key("by_phone", "phone")], []), ([key("z", "id", "created_at", kind="check")], [])),
        (([], [index("by_phone", "phone")]), ([], [index("i", "lower(z)", "CREATE UNIQUE INDEX")])),
    ],
    ids=["constraint and index", "unique and check", "unique and not"],
)
def test_part_of_another_kind_is_no_new_name(build, mine, theirs):
    assert parts(build, mine, theirs) == {}
