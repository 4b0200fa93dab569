"""Differences of structures built by hand; the same over real servers is in tests/integration."""

import pytest

from trueup.parity.schema import ColumnName, Constraint, Generated, Index, QualifiedName, compared, diff, reordered


def changes(source, target):
    """Return the differences as (kind, object, change, severity), in their order."""
    return [(d.kind, d.object, d.change, str(d.severity)) for d in diff(source, target)]


def unique(name, *columns, definition=None, valid=True):
    text = definition or f"UNIQUE ({', '.join(columns)})"
    return Constraint(name=name, kind="unique", columns=columns, definition=text, valid=valid)


def index(name, columns="phone", *, unique=False, valid=True):
    word = "UNIQUE INDEX" if unique else "INDEX"
    definition = f"CREATE {word} ON public.clients USING btree ({columns})"
    return Index(name=name, definition=definition, unique=unique, columns=tuple(columns.split(", ")), valid=valid)


def test_two_empty_databases_give_nothing(build):
    assert diff(build.catalog(), build.catalog()) == ()


def test_missing_table_is_one_difference(build):
    table = build.table(build.column("a"), build.column("b"), constraints=(unique("k", "a"),), indexes=(index("i"),))

    found = changes(build.catalog(table), build.catalog())

    assert found == [("table", "public.clients", "missing", "breaking")]


def test_extra_table_is_one_difference(build):
    found = changes(build.catalog(), build.catalog(build.table(build.column("a"), name="Extra")))

    assert found == [("table", 'public."Extra"', "extra", "behavioural")]


def test_sequence_of_a_missing_table_is_not_named_again(build):
    owner = ColumnName("public", "clients", "id")
    default = "nextval('public.clients_id_seq'::regclass)"
    serial = build.sequence("clients_id_seq", owner=owner, feeds=(owner,))
    table = build.table(build.column("id", "bigint", default=default))

    assert changes(build.catalog(table, serial), build.catalog()) == [
        ("table", "public.clients", "missing", "breaking")
    ]


FORMULA = Generated(storage="stored", expression="(a + 1)")
COLUMNS = [
    ("type", {"type_": "text"}, {"type_": "character varying(50)"}, "type", "lossy"),
    ("NOT NULL lost", {"nullable": False}, {}, "nullability", "behavioural"),
    ("NOT NULL added", {}, {"nullable": False}, "nullability", "breaking"),
    ("default changed", {"default": "1"}, {"default": "2"}, "default", "behavioural"),
    ("default lost", {"default": "1"}, {}, "default", "behavioural"),
    ("default lost where NOT NULL", {"default": "1", "nullable": False}, {"nullable": False}, "default", "breaking"),
    ("default added", {}, {"default": "1"}, "default", "behavioural"),
    ("identity lost", {"identity": "always"}, {}, "identity", "breaking"),
    ("identity always", {"identity": "by default"}, {"identity": "always"}, "identity", "breaking"),
    ("identity by default", {"identity": "always"}, {"identity": "by default"}, "identity", "behavioural"),
    ("serial became identity", {"default": "nextval('s'::regclass)"}, {"identity": "by default"}, "identity",
     "behavioural"),
    ("identity became serial", {"identity": "always"}, {"default": "nextval('s'::regclass)"}, "identity",
     "behavioural"),
    ("generated lost", {"generated": FORMULA}, {}, "generated", "behavioural"),
    ("generated added", {}, {"generated": FORMULA}, "generated", "breaking"),
    ("generated virtual", {"generated": FORMULA},
     {"generated": Generated(storage="virtual", expression="(a + 1)")}, "generated", "behavioural"),
    ("collation", {}, {"collation": '"C"'}, "collation", "behavioural"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("source", "target", "change", "severity"), [c[1:] for c in COLUMNS], ids=[c[0] for c in COLUMNS]
)
def test_one_attribute_of_a_column_is_one_difference(build, source, target, change, severity):
    mine = build.catalog(build.table(build.column("c", **source)))
    theirs = build.catalog(build.table(build.column("c", **target)))

    assert changes(mine, theirs) == [("column", "public.clients.c", change, severity)]


@pytest.mark.parametrize(
    ("source", "target"),
    [({"default": "now()"}, {"default": "CURRENT_TIMESTAMP"}), ({"default": "NULL::character varying"}, {})],
)
def test_equivalent_columns_give_nothing(build, source, target):
    mine, theirs = (build.table(build.column("c", "character varying(5)", **facts)) for facts in (source, target))

    assert diff(build.catalog(mine), build.catalog(theirs)) == ()


def test_order_of_columns_is_not_compared(build):
    one, other = build.column("a"), build.column("b")

    assert diff(build.catalog(build.table(one, other)), build.catalog(build.table(other, one))) == ()


def test_inverted_default_says_so(build):
    mine, theirs = (build.table(build.column("open", "boolean", default=value)) for value in ("true", "false"))

    (found,) = diff(build.catalog(mine), build.catalog(theirs))

    assert (found.change, found.source, found.target) == ("default", "true", "false")
    assert "inverted" in found.meaning
    assert found.remedy == "alter table public.clients alter column open set default true"


@pytest.mark.parametrize(("nullable", "severity"), [(True, "behavioural"), (False, "breaking")])
def test_extra_column_breaks_inserts_only_when_required(build, nullable, severity):
    mine, theirs = build.table(build.column("a")), build.table(build.column("a"), build.column("b", nullable=nullable))

    found = changes(build.catalog(mine), build.catalog(theirs))

    assert found == [("column", "public.clients.b", "extra", severity)]


COLUMN = "phone"
CONSTRAINTS = [
    ("explicit name", unique("once", "phone"), unique("clients_phone_key", "phone"), [("once", "name", "cosmetic")]),
    ("implicit name", unique("clients_phone_key1", "phone"), unique("clients_phone_key", "phone"), []),
    ("order of columns", unique("k", "a", "b"), unique("k", "b", "a"), [("k", "column order", "cosmetic")]),
    ("same name, other columns", unique("k", "a", "b"), unique("k", "a"), [("k", "definition", "breaking")]),
    ("validity", unique("k", "a"), unique("k", "a", valid=False), [("k", "validity", "breaking")]),
    ("M-5 other name, other columns", unique("clients_a_b_key", "a", "b"), unique("clients_a_key", "a"),
     [("clients_a_b_key", "missing", "breaking"), ("clients_a_key", "extra", "breaking")]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("source", "target", "expected"), [c[1:] for c in CONSTRAINTS], ids=[c[0] for c in CONSTRAINTS]
)
def test_constraints_match_by_definition_first(build, source, target, expected):
    mine, theirs = (build.table(build.column("a"), constraints=(constraint,)) for constraint in (source, target))

    found = changes(build.catalog(mine), build.catalog(theirs))

    assert found == [("constraint", f"public.clients.{name}", change, severity) for name, change, severity in expected]


def test_two_equal_constraints_need_two(build):
    mine = build.table(build.column("a"), constraints=(unique("clients_a_key", "a"), unique("clients_a_key1", "a")))
    theirs = build.table(build.column("a"), constraints=(unique("clients_a_key1", "a"),))

    found = changes(build.catalog(mine), build.catalog(theirs))

    assert found == [("constraint", "public.clients.clients_a_key", "missing", "breaking")]


def test_names_swapped_between_definitions_are_names_alone(build):
    mine = build.table(build.column("a"), constraints=(unique("x", "a"), unique("y", "b")))
    theirs = build.table(build.column("a"), constraints=(unique("y", "a"), unique("x", "b")))

    assert [(d.object, d.change) for d in diff(build.catalog(mine), build.catalog(theirs))] == [
        ("public.clients.x", "name"), ("public.clients.y", "name")
    ]  # fmt: skip


def test_unique_constraint_and_unique_index_are_one_difference(build):
    constraint, bare = (unique("k", "phone"),), (index("clients_phone_idx", unique=True),)
    with_constraint, with_index = build.table(constraints=constraint), build.table(indexes=bare)
    expected = [("constraint", "public.clients.k", "kind", "behavioural")]

    assert changes(build.catalog(with_constraint), build.catalog(with_index)) == expected
    assert changes(build.catalog(with_index), build.catalog(with_constraint)) == expected


def test_invalid_unique_index_is_no_stand_in_for_a_constraint(build):
    mine = build.table(constraints=(unique("k", "phone"),))
    theirs = build.table(indexes=(index("i", unique=True, valid=False),))

    assert ("constraint", "public.clients.k", "missing", "breaking") in changes(
        build.catalog(mine), build.catalog(theirs)
    )


def test_check_that_differs_by_the_cast_of_a_retyped_column_is_the_columns_difference(build):
    texts = (
        "CHECK ((c = ANY (ARRAY['a'::text])))",
        "CHECK (((c)::text = ANY ((ARRAY['a'::character varying])::text[])))",
    )
    checks = [Constraint(name="k", kind="check", columns=("c",), definition=text) for text in texts]
    mine = build.table(build.column("c", "text"), constraints=(checks[0],))
    theirs = build.table(build.column("c", "character varying(9)"), constraints=(checks[1],))

    assert [d.change for d in diff(build.catalog(mine), build.catalog(theirs))] == ["type"]


def test_check_that_differs_by_a_cast_is_a_difference_where_types_are_equal(build):
    texts = "CHECK (((c)::integer > 0))", "CHECK ((c > 0))"
    mine, theirs = (
        build.table(
            build.column("c"), constraints=(Constraint(name="k", kind="check", columns=("c",), definition=text),)
        )
        for text in texts
    )

    assert [d.change for d in diff(build.catalog(mine), build.catalog(theirs))] == ["definition"]


INDEXES = [
    ("explicit name", index("by_phone"), index("phones"), [("by_phone", "name", "cosmetic")]),
    ("implicit name", index("clients_phone_idx"), index("clients_phone_idx1"), []),
    ("definition", index("i"), index("i", "phone, name"), [("i", "definition", "behavioural")]),
    ("no longer unique", index("i", unique=True), index("i"), [("i", "definition", "breaking")]),
    ("now unique", index("i"), index("i", unique=True), [("i", "definition", "breaking")]),
    ("not valid", index("i"), index("i", valid=False), [("i", "validity", "behavioural")]),
    ("unique invalid", index("i", unique=True), index("i", unique=True, valid=False), [("i", "validity", "breaking")]),
]  # fmt: skip


@pytest.mark.parametrize(("source", "target", "expected"), [c[1:] for c in INDEXES], ids=[c[0] for c in INDEXES])
def test_indexes_match_by_definition_first(build, source, target, expected):
    mine, theirs = build.table(indexes=(source,)), build.table(indexes=(target,))

    found = changes(build.catalog(mine), build.catalog(theirs))

    assert found == [("index", f"public.{name}", change, severity) for name, change, severity in expected]


@pytest.mark.parametrize(
    ("is_unique", "missing", "extra"), [(True, "breaking", "breaking"), (False, "behavioural", "cosmetic")]
)
def test_a_unique_index_matters_to_code(build, is_unique, missing, extra):
    with_index, without = (
        build.catalog(build.table(indexes=(index("i", unique=is_unique),))),
        build.catalog(build.table()),
    )

    assert changes(with_index, without) == [("index", "public.i", "missing", missing)]
    assert changes(without, with_index) == [("index", "public.i", "extra", extra)]


TABLES = [
    ("persistence", {}, {"persistence": "unlogged"}, "persistence", "lossy"),
    ("partition key", {"partition_key": "RANGE (a)"}, {"partition_key": "LIST (a)"}, "partition key", "breaking"),
    ("bound", {"partition_bound": "DEFAULT"}, {"partition_bound": "FOR VALUES IN (1)"}, "partition bound", "breaking"),
    ("parents", {"parents": (QualifiedName("public", "p"),)}, {}, "inheritance", "breaking"),
    ("row security", {"row_security": True}, {}, "row security", "behavioural"),
    ("forced row security", {"row_security_forced": True}, {}, "forced row security", "behavioural"),
    ("kind", {}, {"kind": "partitioned table", "partition_key": "LIST (a)"}, "kind", "breaking"),
]


@pytest.mark.parametrize(
    ("source", "target", "change", "severity"), [c[1:] for c in TABLES], ids=[c[0] for c in TABLES]
)
def test_one_attribute_of_a_table_is_one_difference(build, source, target, change, severity):
    mine, theirs = build.table(**source), build.table(**target)

    assert changes(build.catalog(mine), build.catalog(theirs)) == [("table", "public.clients", change, severity)]


def test_what_the_reader_may_read_is_not_compared(build):
    assert diff(build.catalog(build.table(readable=True)), build.catalog(build.table(readable=False))) == ()


def test_view_in_place_of_a_table_is_one_difference(build):
    found = changes(build.catalog(build.table(build.column())), build.catalog(build.view("clients")))

    assert found == [("table", "public.clients", "kind", "breaking")]


def test_definition_and_kind_of_views_are_compared(build):
    mine, other = build.view(), build.view(definition="SELECT 2")

    assert changes(build.catalog(mine), build.catalog(other)) == [("view", "public.v", "definition", "behavioural")]
    assert changes(build.catalog(mine), build.catalog(build.view(kind="materialized view"))) == [
        ("view", "public.v", "kind", "behavioural")
    ]
    assert changes(build.catalog(mine), build.catalog()) == [("view", "public.v", "missing", "breaking")]
    assert changes(build.catalog(), build.catalog(mine)) == [("view", "public.v", "extra", "cosmetic")]


def test_moments_in_a_view_are_compared_by_meaning(build):
    mine, theirs = (
        build.view(definition=f" SELECT {now} AS at, 'now()' AS text;") for now in ("now()", "CURRENT_TIMESTAMP")
    )

    assert diff(build.catalog(mine), build.catalog(theirs)) == ()


def test_schemas_are_compared(build):
    one, two = build.catalog(), build.catalog(schemas=("public", "Audit"))

    assert changes(two, one) == [("schema", '"Audit"', "missing", "breaking")]
    assert changes(one, two) == [("schema", '"Audit"', "extra", "cosmetic")]


E, D, C = "enum type", "domain", "composite type"
TYPES = [
    ("missing", (E, "a"), None, ("missing", "breaking")),
    ("extra", None, (E, "a"), ("extra", "cosmetic")),
    ("kind", (E, "a"), (D, "text"), ("kind", "breaking")),
    ("label lost", (E, "a", "b"), (E, "a", "c"), ("labels", "breaking")),
    ("label added", (E, "a"), (E, "a", "b"), ("labels", "behavioural")),
    ("order of labels", (E, "a", "b"), (E, "b", "a"), ("labels", "behavioural")),
    ("label that reads like a function", (E, "now()"), (E, "CURRENT_TIMESTAMP"), ("labels", "breaking")),
    ("check lost", (D, "text", "CHECK ((VALUE <> ''::text))"), (D, "text"), ("definition", "behavioural")),
    ("check added", (D, "text"), (D, "text", "CHECK ((VALUE <> ''::text))"), ("definition", "breaking")),
    ("base type", (D, "text"), (D, "character varying(5)"), ("definition", "breaking")),
    ("attribute", (C, "x integer"), (C, "x bigint"), ("definition", "breaking")),
]


@pytest.mark.parametrize(("source", "target", "expected"), [c[1:] for c in TYPES], ids=[c[0] for c in TYPES])
def test_types_are_compared(build, source, target, expected):
    mine, theirs = (build.catalog(*([build.type(*facts)] if facts else [])) for facts in (source, target))

    assert changes(mine, theirs) == [("type", "public.mood", *expected)]


def test_moments_of_a_domain_are_compared_by_meaning(build):
    mine, theirs = (build.type(D, "date", f"DEFAULT {now}") for now in ("now()", "CURRENT_TIMESTAMP"))

    assert diff(build.catalog(mine), build.catalog(theirs)) == ()


SEQUENCES = [
    ("type", {}, {"type": "integer", "maximum": 2**31 - 1}, ["type"]),
    ("start", {}, {"start": 5}, ["start"]),
    ("increment", {}, {"increment": 5}, ["increment"]),
    ("minimum", {}, {"minimum": -5}, ["minimum"]),
    ("maximum", {}, {"maximum": 5}, ["maximum"]),
    ("cache", {}, {"cache": 5}, ["cache"]),
    ("cycle", {}, {"cycles": True}, ["cycle"]),
    ("owner", {}, {"owner": ColumnName("public", "clients", "id")}, ["owner"]),
]


@pytest.mark.parametrize(("source", "target", "expected"), [c[1:] for c in SEQUENCES], ids=[c[0] for c in SEQUENCES])
def test_parameters_of_sequences_are_compared(build, source, target, expected):
    table = build.table(build.column("id", "bigint"))
    mine, theirs = (build.catalog(table, build.sequence(**facts)) for facts in (source, target))

    assert [d.change for d in diff(mine, theirs)] == expected


def test_sequence_owned_by_a_table_of_an_extension_is_compared(build):
    owner = ColumnName("public", "theirs", "id")
    mine = build.catalog(build.sequence(owner=owner, feeds=(owner,)))
    theirs = build.catalog(build.sequence(owner=owner, feeds=(owner,), type="integer", maximum=2**31 - 1))

    assert changes(mine, theirs) == [("sequence", "public.s", "type", "lossy")]


def test_missing_sequence_breaks_and_extra_does_not(build):
    assert changes(build.catalog(build.sequence()), build.catalog()) == [
        ("sequence", "public.s", "missing", "breaking")
    ]
    assert changes(build.catalog(), build.catalog(build.sequence())) == [("sequence", "public.s", "extra", "cosmetic")]


def test_differences_come_worst_first_then_by_object(build):
    mine = build.catalog(
        build.table(build.column("b"), build.column("a"), build.column("c", default="true")), build.view()
    )
    theirs = build.catalog(build.table(build.column("c", default="false")), schemas=("public", "x"))

    severities = [(str(d.severity), d.object) for d in diff(mine, theirs)]

    assert severities == [
        ("breaking", "public.clients.a"), ("breaking", "public.clients.b"), ("breaking", "public.v"),
        ("behavioural", "public.clients.c"), ("cosmetic", "x"),
    ]  # fmt: skip


def test_every_difference_says_what_it_means_and_what_to_do(build):
    mine = build.catalog(
        build.table(build.column("a"), build.column("b"), constraints=(unique("k", "a"),), indexes=(index("i"),)),
        build.view(), build.sequence(), schemas=("public", "s"),
    )  # fmt: skip
    theirs = build.catalog(build.table(build.column("a", "integer"), build.column("z")), schemas=("public", "t"))

    for found in diff(mine, theirs) + diff(theirs, mine):
        assert found.meaning.endswith(".")
        assert found.remedy


def test_counts_say_how_much_is_compared(build):
    table = build.table(build.column("a"), build.column("b"), constraints=(unique("k", "a"),), indexes=(index("i"),))

    assert compared(build.catalog(table, build.view(), build.sequence())) == {
        "schemas": 1, "tables": 1, "columns": 2, "constraints": 1, "indexes": 1, "sequences": 1, "types": 0,
        "views": 1, "other objects": 0
    }  # fmt: skip


def test_other_order_of_columns_is_no_difference_and_is_known(build):
    a, b, c, d = (build.column(name) for name in "abcd")
    mine, moved, same = (build.catalog(build.table(*columns)) for columns in ((a, b, c), (d, c, b), (a, d, b)))

    assert reordered(mine, moved) == reordered(moved, mine) == (QualifiedName("public", "clients"),)
    assert reordered(mine, same) == reordered(mine, build.catalog()) == ()
    assert not diff(build.catalog(build.table(a, b)), build.catalog(build.table(b, a)))
