"""Sequences and identities: what the target is, what the source is, and what differs."""
# ruff: noqa: E501 - tables of statements are read by the row

CASES = {
    'sequence': ('select', 'create sequence s as int start 5 increment -1 minvalue -9 maxvalue 9 cache 3 cycle', 'sequence public.s missing'),
    'parameters of a sequence': ('create sequence s', 'create sequence s as smallint increment 2 start 7 cycle', 'sequence public.s cycle; sequence public.s increment; sequence public.s start; sequence public.s type'),
    'owner of a sequence': ('create sequence s; create table t (a int)', 'create sequence s; create table t (a int); alter sequence s owned by t.a', 'sequence public.s owner'),
    'owner of a sequence is another column': ('create sequence s; create table t (a int, b int); alter sequence s owned by t.a', 'create sequence s; create table t (a int, b int); alter sequence s owned by t.b', 'sequence public.s owner'),
    'sequence of two columns': ("create sequence s; create table t (a int default nextval('s'), b int default nextval('s'))", "create sequence s; create table t (a int default nextval('s'), b int)", 'column public.t.b default'),
    'sequence is gone with its serial': ('create table t (a serial, b int)', 'create table t (b int)', 'column public.t.a extra', "order"),
    'sequence becomes an identity': ('create table t (a serial primary key)', 'create table t (a int generated always as identity primary key)', 'column public.t.a identity'),
    "grants on an identity's sequence": ('create table t (a int generated always as identity)', 'create table t (a int generated always as identity); grant usage on sequence t_a_seq to pg_monitor', 'sequence public.t_a_seq grants to pg_monitor'),
    'unlogged sequence': ('create sequence s', 'create unlogged sequence s', 'sequence public.s persistence'),
    'comment on a sequence': ('create sequence s', "create sequence s; comment on sequence s is 'x'; grant usage on sequence s to pg_monitor", 'sequence public.s grants to pg_monitor; sequence public.s comment'),
    'owned sequence outlives its table': ("create sequence s; create table t (a int default nextval('s')); alter sequence s owned by t.a", "create sequence s; create table u (a int default nextval('s'))", 'table public.t extra; table public.u missing; sequence public.s missing'),
    'least number is raised': ('create sequence s; create table t (a int generated always as identity)', 'create sequence s minvalue 5 start 7; create table t (a int generated always as identity (minvalue 5 start 7))', 'sequence public.s minimum; sequence public.s start; sequence public.t.a minimum; sequence public.t.a start'),
}  # fmt: skip
