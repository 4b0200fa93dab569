"""Differences between structures that real servers hold: on one version, and from 16 to 18."""
# ruff: noqa: E501, ISC004 - tables of statements are read by the row

import pytest

from trueup.parity.schema import diff

CLIENTS = "create table clients (id int primary key, phone text, name text, last_services jsonb); "


def column(type_):
    return f"create table t (c {type_})"


def one(change, severity, source, target, kind="column", name="public.t.c"):
    return [(kind, name, change, severity, source, target)]


TIMESTAMPTZ, TIMESTAMP = "timestamp with time zone", "timestamp without time zone"

CASES = {
    "M-1 a renamed column is one missing and one extra": (
        "create table services (id int, active boolean not null default true)",
        "create table services (id int, is_active boolean not null default true)",
        [("column", "public.services.active", "missing", "breaking", "boolean default true not null", None),
         ("column", "public.services.is_active", "extra", "behavioural", None, "boolean default true not null")],
    ),
    "M-3 a renamed external id": (
        "create table bookings (yclients_id int)", "create table bookings (yclients_record_id int)",
        [("column", "public.bookings.yclients_id", "missing", "breaking", "integer", None),
         ("column", "public.bookings.yclients_record_id", "extra", "behavioural", None, "integer")],
    ),
    "M-5 a composite unique is a plain index": (
        "create table t (a int, b int, unique (a, b))", "create table t (a int, b int); create index on t (a, b)",
        [("constraint", "public.t.t_a_b_key", "missing", "breaking", "UNIQUE (a, b)", None),
         ("index", "public.t_a_b_idx", "extra", "cosmetic", None, "CREATE INDEX ON public.t USING btree (a, b)")],
    ),
    "M-5 a composite unique has one column": (
        "create table t (a int, b int, unique (a, b))", "create table t (a int unique, b int)",
        [("constraint", "public.t.t_a_b_key", "missing", "breaking", "UNIQUE (a, b)", None),
         ("constraint", "public.t.t_a_key", "extra", "breaking", None, "UNIQUE (a)")],
    ),
    "M-7 another column and a new required one": (
        "create table t (staff_id int, date date)",
        "create table t (yclients_staff_id int, company_id int not null, date date)",
        [("column", "public.t.company_id", "extra", "breaking", None, "integer not null"),
         ("column", "public.t.staff_id", "missing", "breaking", "integer", None),
         ("column", "public.t.yclients_staff_id", "extra", "behavioural", None, "integer")],
    ),
    "M-8 a missing table with all it holds": (
        CLIENTS + "create table hooks (id serial primary key, c int references clients unique check (c > 0)); create index"
        " on hooks (c, id)", CLIENTS,
        [("table", "public.hooks", "missing", "breaking", "table", None)],
    ),
    "M-10 a unique that ON CONFLICT needs": (
        "create table t (c int unique)", "create table t (c int)",
        one("missing", "breaking", "UNIQUE (c)", None, "constraint", "public.t.t_c_key"),
    ),
    "M-13 jsonb to text[]": (
        column("jsonb default '[]'"), column("text[] default '[]'::text".replace("'[]'::text", "'{}'")),
        [("column", "public.t.c", "type", "breaking", "jsonb", "text[]"),
         ("column", "public.t.c", "default", "behavioural", "'[]'::jsonb", "'{}'::text[]")],
    ),
    "M-14 jsonb to varchar": (
        column("jsonb"), column("varchar(50)"), one("type", "breaking", "jsonb", "character varying(50)")),
    "M-15 timestamptz to timestamp": (
        column("timestamptz default now()"), column("timestamp default now()"),
        one("type", "lossy", TIMESTAMPTZ, TIMESTAMP)),
    "M-15 timestamp to timestamptz": (
        column("timestamp"), column("timestamptz"), one("type", "behavioural", TIMESTAMP, TIMESTAMPTZ)),
    "M-17 bigint to integer": (
        column("bigint default 0"), column("integer default 0"), one("type", "lossy", "bigint", "integer")),
    "M-17 bigserial to serial is the column's": (
        column("bigserial primary key"), column("serial primary key"), one("type", "lossy", "bigint", "integer")),
    "M-17 bigint identity to integer identity": (
        column("bigint generated always as identity"), column("int generated always as identity"),
        one("type", "lossy", "bigint", "integer")),
    "M-18 text to integer": (column("text"), column("integer"), one("type", "breaking", "text", "integer")),
    "M-19 NOT NULL lost": (column("text not null"), column("text"), one("nullability", "behavioural", "not null", "null")),
    "NOT NULL added": (column("text"), column("text not null"), one("nullability", "breaking", "null", "not null")),
    "M-20 a default lost": (column("int default 0"), column("int"), one("default", "behavioural", "0", None)),
    "M-20 a default inverted": (
        column("boolean not null default false"), column("boolean not null default true"),
        one("default", "behavioural", "false", "true")),
    "M-20 a default lost with a type narrowed": (
        column("text default 'Bronze'"), column("varchar(9)"),
        [("column", "public.t.c", "type", "lossy", "text", "character varying(9)"),
         ("column", "public.t.c", "default", "behavioural", "'Bronze'::text", None)]),
    "M-20 a quoted default": (
        column("text default 'INIT'"), column("text default '''INIT'''"),
        one("default", "behavioural", "'INIT'::text", "'''INIT'''::text")),
    "M-21 integer to numeric": (
        column("integer default 0"), column("numeric default 0"), one("type", "behavioural", "integer", "numeric")),
    "M-21 integer to uuid": (column("integer"), column("uuid"), one("type", "breaking", "integer", "uuid")),
    "M-21 integer to bigint": (column("integer"), column("bigint"), one("type", "behavioural", "integer", "bigint")),
    "M-25 uuid to serial": (
        column("uuid default gen_random_uuid() primary key"), column("serial primary key"),
        [("column", "public.t.c", "type", "breaking", "uuid", "integer"),
         ("column", "public.t.c", "default", "behavioural", "gen_random_uuid()", "nextval('public.t_c_seq'::regclass)"),
         ("sequence", "public.t_c_seq", "extra", "cosmetic", None, "integer start 1 increment 1")]),
    "text to varchar with its keys, checks and indexes": (
        "create table t (c text default 'x' unique check (c in ('x', 'y'))); create index on t (lower(c)) where c <> ''",
        "create table t (c varchar(9) default 'x' unique check (c in ('x', 'y'))); create index on t (lower(c))"
        " where c <> ''",
        one("type", "lossy", "text", "character varying(9)")),
    "serial to identity": (
        column("serial"), column("int generated by default as identity"),
        one("identity", "behavioural", "nextval('public.t_c_seq'::regclass)", "by default")),
    "identity to serial": (
        column("int generated always as identity"), column("serial"),
        one("identity", "behavioural", "always", "nextval('public.t_c_seq'::regclass)")),
    "options of an identity": (
        column("int generated always as identity (start 5)"), column("int generated always as identity"),
        one("start", "behavioural", "5", "1", "sequence")),
    "serial's sequence by another name": (
        column("serial"), column("serial") + "; alter sequence t_c_seq rename to numbers",
        one("name", "behavioural", "public.t_c_seq", "public.numbers", "sequence", "public.t_c_seq")),
    "a sequence that a default lost": (
        column("serial"), column("int not null"),
        [("column", "public.t.c", "default", "breaking", "nextval('public.t_c_seq'::regclass)", None),
         ("sequence", "public.t_c_seq", "missing", "breaking", "integer start 1 increment 1", None)]),
    "generated": (
        "create table t (a int, c int generated always as (a + 1) stored)",
        "create table t (a int, c int generated always as (a + 2) stored)",
        one("generated", "behavioural", "(a + 1) stored", "(a + 2) stored")),
    "precision": (
        column("numeric(10,2)"), column("numeric(8,2)"), one("type", "lossy", "numeric(10,2)", "numeric(8,2)")),
    "fewer decimal places": (
        column("numeric(10,3)"), column("numeric(10,2)"), one("type", "lossy", "numeric(10,3)", "numeric(10,2)")),
    "digits of a second": (
        column("timestamptz(3)"), column("timestamptz(0)"),
        one("type", "lossy", "timestamp(3) with time zone", "timestamp(0) with time zone")),
    "domain over the same type": (
        "create domain d as text; create table t (c d)", "create domain d as text; create table t (c text)",
        one("type", "behavioural", "public.d", "text")),
    "enum to text": (
        "create type d as enum ('a'); create table t (c d)", "create type d as enum ('a'); create table t (c text)",
        one("type", "behavioural", "public.d", "text")),
    "labels of an enum": (
        "create type t as enum ('a', 'b')", "create type t as enum ('a')",
        one("labels", "breaking", "a, b", "a", "type", "public.t")),
    "check of a domain": (
        "create domain t as text check (value <> '')", "create domain t as text",
        one("definition", "behavioural", "text CHECK ((VALUE <> ''::text))", "text", "type", "public.t")),
    "names of a domain's checks": (
        "create domain t as text check (value <> '') check (value <> 'x')",
        "create domain t as text constraint b check (value <> 'x') constraint a check (value <> '')", []),
    "actions of a foreign key": (
        "create table p (a int primary key); create table t (c int references p on delete cascade)",
        "create table p (a int primary key); create table t (c int references p)",
        one("definition", "behavioural", "FOREIGN KEY (c) REFERENCES public.p(a) ON DELETE CASCADE",
            "FOREIGN KEY (c) REFERENCES public.p(a)", "constraint", "public.t.t_c_fkey")),
    "foreign key that nothing enforces": (
        "create table p (a int primary key); create table t (c int references p)",
        "create table p (a int primary key); create table t (c int references p); alter table t disable trigger all",
        one("validity", "breaking", "valid", "not valid", "constraint", "public.t.t_c_fkey")),
    "foreign key whose parent is not watched": (
        "create table p (a int primary key); create table t (c int references p)",
        "create table p (a int primary key); create table t (c int references p); alter table p disable trigger all",
        one("validity", "breaking", "valid", "not valid", "constraint", "public.t.t_c_fkey")),
    "a table becomes partitioned": (
        "create table t (c int)", "create table t (c int) partition by list (c)",
        one("kind", "breaking", "table", "partitioned table", "table", "public.t")),
    "a literal with a backslash and another type": (
        column(r"text default E'a\\b'"), column(r"varchar(9) default E'a\\b'"),
        one("type", "lossy", "text", "character varying(9)")),
    "foreign key to another table": (
        "create table p (a int primary key); create table q (a int primary key); create table t (c int references p)",
        "create table p (a int primary key); create table q (a int primary key); create table t (c int references q)",
        one("definition", "breaking", "FOREIGN KEY (c) REFERENCES public.p(a)", "FOREIGN KEY (c) REFERENCES public.q(a)",
            "constraint", "public.t.t_c_fkey")),
    "foreign key lost by a partitioned table is one difference": (
        "create table p (a int primary key); create table t (c int references p) partition by list (c); create table t1"
        " partition of t default", "create table p (a int primary key); create table t (c int) partition by list (c);"
        " create table t1 partition of t default",
        one("missing", "behavioural", "FOREIGN KEY (c) REFERENCES public.p(a)", None, "constraint", "public.t.t_c_fkey")),
    "not validated": (
        "create table t (c int check (c > 0))", "create table t (c int); alter table t add check (c > 0) not valid",
        one("definition", "behavioural", "CHECK ((c > 0))", "CHECK ((c > 0)) NOT VALID", "constraint", "public.t.t_c_check")),
    "another check": (
        "create table t (c int check (c > 0))", "create table t (c int check (c > 1))",
        one("definition", "breaking", "CHECK ((c > 0))", "CHECK ((c > 1))", "constraint", "public.t.t_c_check")),
    "nulls not distinct": (
        "create table t (c int unique nulls not distinct)", "create table t (c int unique)",
        one("definition", "breaking", "UNIQUE NULLS NOT DISTINCT (c)", "UNIQUE (c)", "constraint", "public.t.t_c_key")),
    "another primary key": (
        "create table t (c int not null, d int not null, primary key (c))",
        "create table t (c int not null, d int not null, constraint k primary key (c, d))",
        one("definition", "breaking", "PRIMARY KEY (c)", "PRIMARY KEY (c, d)", "constraint", "public.t.t_pkey")),
    "unique index in place of a unique constraint": (
        "create table t (c int unique nulls not distinct)",
        "create table t (c int); create unique index on t (c) nulls not distinct",
        one("kind", "behavioural", "UNIQUE NULLS NOT DISTINCT (c)",
            "CREATE UNIQUE INDEX ON public.t USING btree (c) NULLS NOT DISTINCT", "constraint", "public.t.t_c_key")),
    "predicate of an index": (
        "create table t (c int); create index i on t (c) where c > 0", "create table t (c int); create index i on t (c)",
        one("definition", "behavioural", "CREATE INDEX ON public.t USING btree (c) WHERE (c > 0)",
            "CREATE INDEX ON public.t USING btree (c)", "index", "public.i")),
    "name of an index": (
        "create table t (c int); create index i on t (c)", "create table t (c int); create index j on t (c)",
        one("name", "cosmetic", "i", "j", "index", "public.i")),
    "index of a materialized view": (
        "create materialized view t as select 1 as c; create unique index i on t (c)",
        "create materialized view t as select 1 as c",
        one("missing", "breaking", "CREATE UNIQUE INDEX ON public.t USING btree (c)", None, "index", "public.i")),
    "a view": (
        "create view t as select 1 as c", "create view t as select 2 as c",
        one("definition", "behavioural", " SELECT 1 AS c;", " SELECT 2 AS c;", "view", "public.t")),
    "a table is a view": (
        "create table t (c int)", "create view t as select 2 as c",
        one("kind", "breaking", "table", "view", "table", "public.t")),
    "bounds of a partition": (
        "create table p (c int) partition by range (c); create table t partition of p for values from (0) to (9)",
        "create table p (c int) partition by range (c); create table t partition of p for values from (0) to (8)",
        one("partition bound", "breaking", "FOR VALUES FROM (0) TO (9)", "FOR VALUES FROM (0) TO (8)", "table", "public.t")),
    "a detached partition": (
        "create table p (c int) partition by list (c); create table t partition of p default",
        "create table p (c int) partition by list (c); create table t (c int)",
        [("table", "public.t", "inheritance", "breaking", "public.p", None),
         ("table", "public.t", "partition bound", "breaking", "DEFAULT", None)]),
    "row security": (
        "create table t (c int); alter table t enable row level security", "create table t (c int)",
        one("row security", "behavioural", "on", "off", "table", "public.t")),
    "quoted names": (
        'create table "T t" ("select" int)', 'create table "T t" ("select" bigint)',
        one("type", "behavioural", "integer", "bigint", "column", 'public."T t"."select"')),
    "a schema with its table": (
        'create schema "A"; create table "A".t (c int)', "select",
        [("schema", '"A"', "missing", "breaking", "schema", None),
         ("table", '"A".t', "missing", "breaking", "table", None)]),
    "collation": (column('text collate "C"'), column("text"), one("collation", "behavioural", '"C"', None)),
    "unlogged": (
        "create table t (c int)", "create unlogged table t (c int)",
        one("persistence", "lossy", "permanent", "unlogged", "table", "public.t")),
}  # fmt: skip


ROLES = (
    "create role one; create role two; create table t (c int); create function f() returns int language sql return 1; "
)
EQUIVALENT = {
    "moments in a default": (column("timestamptz default now()"), column("timestamptz default current_timestamp")),
    "moments in a check": (
        "create table t (c timestamptz check (c > now()))", "create table t (c timestamptz check (c > current_timestamp))"),
    "moments in a view": (
        "create view t as select now() as c", "create view t as select transaction_timestamp() as c"),
    "moments in a policy": (
        "create table t (c timestamptz); create policy p on t using (c > now())",
        "create table t (c timestamptz); create policy p on t using (c > current_timestamp)"),
    "formatting of expressions": (
        "create table t (c int check (c>0 AND c<5), d text default ('a')); create index on t ((c+1)) where (c>0)",
        "create table t (c integer check (((c > 0) and c < 5)), d text default 'a'); create index on t ((c + 1)) where c > 0"),
    "names that the server gives": (
        "create table t (c int, d int, unique (c), unique (d), check (c > 0), check (d > 0))",
        "create table t (c int, d int, unique (d), unique (c), check (d > 0), check (c > 0)); alter table t rename constraint"
        " t_c_key to t_c_key1"),
    "order of grants": (
        ROLES + "grant select on t to one; grant insert, update on t to two",
        ROLES + "grant update on t to two; grant select on t to one; grant insert on t to two"),
    "grants that are the default": (
        ROLES, ROLES + "grant all on t to current_user; grant execute on function f to public;"
        " grant select on t to one; revoke select on t from one"),
    "grants one by one and as all": (
        ROLES + "grant select, insert, update, delete, truncate, references, trigger on t to one",
        ROLES + "grant all on t to one; do $$ begin if current_setting('server_version_num')::int >= 170000 then"
        " revoke maintain on t from one; end if; end $$"),
    "default privileges that are the default": (
        "select", "alter default privileges grant execute on functions to public"),
    "order of policies' roles": (
        ROLES + "create policy p on t to one, two", ROLES + "create policy p on t to two, one"),
    "words of types": (
        "create table t (c int8, d timestamp with time zone, e decimal(5), f varchar(3))",
        "create table t (c bigint, d timestamptz, e numeric(5,0), f character varying(3))"),
    "default of nothing": (column("text default null"), column("text")),
}  # fmt: skip


@pytest.mark.parametrize(("one", "other"), EQUIVALENT.values(), ids=EQUIVALENT)
def test_what_means_the_same_is_no_difference(read, one, other):
    assert found(read(one), read(other)) == found(read(other), read(one)) == []


def found(source, target):
    return [(d.kind, d.object, d.change, str(d.severity), d.source, d.target) for d in diff(source, target)]


@pytest.mark.parametrize(("source", "target", "expected"), CASES.values(), ids=CASES.keys())
def test_differences_are_found_and_no_other(read, source, target, expected):
    assert found(read(source), read(target)) == expected


@pytest.mark.parametrize(("source", "target", "expected"), CASES.values(), ids=CASES.keys())
def test_versions_of_the_two_sides_add_nothing_and_hide_nothing(read16, read18, source, target, expected):
    assert found(read16(source), read18(target)) == found(read18(source), read16(target)) == expected


@pytest.mark.parametrize(("source", "target", "expected"), CASES.values(), ids=CASES.keys())
def test_the_other_way_round_is_seen_too(read18, source, target, expected):
    assert bool(diff(read18(target), read18(source))) == bool(expected)
