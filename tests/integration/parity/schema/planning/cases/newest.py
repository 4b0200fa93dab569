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
    'NOT NULL that is not validated': ('create table t (a int)', 'create table t (a int); alter table t add constraint n not null a not valid', 'column public.t.a nullability', 'table column public.t.a not null'),
    'NOT NULL that is not inherited': ('create table t (a int)', 'create table t (a int, constraint n not null a no inherit)', 'column public.t.a nullability', 'table column public.t.a not null'),
    "names of a new table's NOT NULLs": ('select', 'create table t (a int constraint "A must" not null, b text not null)', 'table public.t missing'),
    'publication of computed columns': ('create table t (a int primary key, b int generated always as (a) stored); create publication p for table t', 'create table t (a int primary key, b int generated always as (a) stored); create publication p for table t with (publish_generated_columns = stored)', 'publication p generated columns'),
}  # fmt: skip
