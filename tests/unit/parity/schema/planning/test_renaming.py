"""Constraints and indexes that only have another name are renamed, so that nothing is built or checked again."""

from trueup.parity.schema import Constraint, Index, ObjectKey, QualifiedName
from trueup.parity.schema.planning.plan import Structure, steps


def statements(have, want):
    found = steps(Structure(have, frozenset()), Structure(want, frozenset()))
    return [statement for step in found for statement in step.statements]


def unique(name, definition="UNIQUE (c)"):
    return Constraint(name=name, kind="unique", columns=("c",), definition=definition)


def index(name, definition="CREATE INDEX ON public.clients USING btree (c)"):
    return Index(name=name, definition=definition, unique=False, columns=("c",))


def test_constraint_and_index_with_other_names_are_renamed(build):
    have = build.catalog(build.table(build.column(), constraints=(unique("old"),), indexes=(index("Odd"),)))
    want = build.catalog(build.table(build.column(), constraints=(unique("new"),), indexes=(index("even"),)))

    assert statements(have, want) == [
        'alter index public."Odd" rename to even',
        "alter table public.clients rename constraint old to new",
    ]


def test_names_that_stay_are_not_given_away(build):
    have = build.catalog(build.table(build.column(), indexes=(index("a"), index("b"))))
    want = build.catalog(build.table(build.column(), indexes=(index("b"), index("c"))))

    assert statements(have, want) == ["alter index public.a rename to c"]


def test_name_that_something_else_has_is_not_taken(build):
    have = build.catalog(build.table(build.column(), indexes=(index("a"),)), build.view(name="b"))
    want = build.catalog(build.table(build.column(), indexes=(index("b"),)))

    assert not any("rename" in statement for statement in statements(have, want))


def test_index_of_another_definition_is_made_anew(build):
    have = build.catalog(build.table(build.column(), constraints=(unique("old", "UNIQUE (d)"),)))
    want = build.catalog(build.table(build.column(), constraints=(unique("new"),)))

    assert not any("rename" in statement for statement in statements(have, want))


def test_what_is_said_of_it_goes_along(build):
    def catalog(name):
        said = {
            ObjectKey("index", f"public.{name}"): {"comment": "fast"},
            ObjectKey("table", "public.clients"): {"clustered by": f"public.{name}"},
        }
        return build.catalog(build.table(build.column(), indexes=(index(name),)), annotations=said)

    assert statements(catalog("old"), catalog("new")) == ["alter index public.old rename to new"]


def test_index_of_a_materialized_view_is_renamed(build):
    def catalog(name):
        view = build.view(kind="materialized view")
        return build.catalog(type(view)(name=view.name, kind=view.kind, definition="SELECT 1", indexes=(index(name),)))

    assert statements(catalog("old"), catalog("new")) == ["alter index public.old rename to new"]
    assert QualifiedName("public", "v") in catalog("old").views
