"""What only PostgreSQL 18 has: what the target is, what the source is, and what differs."""
# ruff: noqa: E501 - tables of statements are read by the row

CASES = {
    'virtual column': ('create table t (a int)', 'create table t (a int, b int generated always as (a + 1) virtual)', 'column public.t.b missing'),
    'virtual column is another one': ('create table t (a int, b int generated always as (a + 1) virtual)', 'create table t (a int, b int generated always as (a + 2) virtual)', 'column public.t.b generated'),
    'virtual column becomes stored': ('create table t (a int, b int generated always as (a + 1) virtual)', 'create table t (a int, b int generated always as (a + 1) stored)', 'column public.t.b generated'),
    'key without overlaps': ('create table t (a int4range, b tstzrange)', 'create table t (a int4range, b tstzrange, primary key (a, b without overlaps))', 'constraint public.t.t_pkey missing; column public.t.a nullability; column public.t.b nullability'),
    'foreign key of a period': ('create table r (a int4range, b tstzrange, primary key (a, b without overlaps)); create table t (x int4range, y tstzrange)', 'create table r (a int4range, b tstzrange, primary key (a, b without overlaps)); create table t (x int4range, y tstzrange, foreign key (x, period y) references r (a, period b))', 'constraint public.t.t_x_y_fkey missing'),
    'check that is not enforced': ('create table t (a int)', 'create table t (a int, constraint k check (a > 0) not enforced)', 'constraint public.t.k missing'),
    'check begins to be enforced': ('create table t (a int, constraint k check (a > 0) not enforced)', 'create table t (a int, constraint k check (a > 0))', 'constraint public.t.k definition'),
    'foreign key that is not enforced': ('create table r (a int primary key); create table t (r int)', 'create table r (a int primary key); create table t (r int, constraint k foreign key (r) references r not enforced)', 'constraint public.t.k missing'),
    'name of a NOT NULL': ('create table t (a int not null)', 'create table t (a int constraint must not null)', ''),
    "name of a new column's NOT NULL": ('create table t (a int)', 'create table t (a int, b int constraint must not null)', 'column public.t.b missing'),
    'NOT NULL that is not validated': ('create table t (a int)', 'create table t (a int); alter table t add constraint n not null a not valid', 'column public.t.a nullability'),
    'NOT NULL that is not inherited': ('create table t (a int)', 'create table t (a int, constraint n not null a no inherit)', 'column public.t.a nullability'),
    "names of a new table's NOT NULLs": ('select', 'create table t (a int constraint "A must" not null, b text not null)', 'table public.t missing'),
    'publication of computed columns': ('create table t (a int primary key, b int generated always as (a) stored); create publication p for table t', 'create table t (a int primary key, b int generated always as (a) stored); create publication p for table t with (publish_generated_columns = stored)', 'publication p generated columns'),
    'NOT NULL that holds from now on': ('create table t (a int, b int not null)', 'create table t (a int, b int not null, d int); alter table t add constraint n not null a not valid; alter table t add constraint "D n" not null d not valid', 'column public.t.d missing; column public.t.a nullability'),
    'NOT NULL is validated': ('create table t (a int); alter table t add constraint n not null a no inherit not valid', 'create table t (a int constraint m not null)', 'table column public.t.a not null'),
    'NOT NULL is of the table alone': ('create table t (a int not null, b int constraint x not null no inherit, c int)', 'create table t (a int constraint y not null, b int constraint z not null, c int not null no inherit)', 'table column public.t.b not null; column public.t.c nullability'),
    'NOT NULLs of a new table': ('select', 'create table t (a int constraint n not null no inherit, b int not null no inherit, c int); alter table t add constraint k not null c not valid', 'table public.t missing'),
    'NOT NULL of a parent': ('create table a (x int); create table c () inherits (a)', 'create table a (x int constraint n not null); create table c (y int) inherits (a)', 'column public.c.y missing; column public.a.x nullability; column public.c.x nullability'),
    'grant of MAINTAIN': ('create table t (a int); create table u (a int); grant all on u to pg_monitor', 'create table t (a int); grant maintain on t to pg_monitor; create table u (a int); grant all on u to pg_monitor; revoke insert on u from pg_monitor', 'table public.t grants to pg_monitor; table public.u grants to pg_monitor'),
}  # fmt: skip
