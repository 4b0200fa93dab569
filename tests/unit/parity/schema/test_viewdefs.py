"""Queries of views as 15 printed them, and as 18 prints the same ones: all of them copied from servers."""
# ruff: noqa: E501 - each side of a pair is one line

import pytest

from trueup.parity.schema.viewdefs import unqualified

PAIRS = {
    "one table": ("SELECT t.a FROM public.t;", "SELECT a FROM public.t;"),
    "alias": (
        "SELECT x.a, (x.b || 't.a'::text) AS z FROM public.t x WHERE (x.a > 1) ORDER BY x.a;",
        "SELECT a, (b || 't.a'::text) AS z FROM public.t x WHERE (a > 1) ORDER BY a;",
    ),
    "subquery": (
        "SELECT t.a, ( SELECT max(u.a) AS max FROM public.u WHERE (u.d = t.b)) AS m FROM public.t;",
        "SELECT a, ( SELECT max(u.a) AS max FROM public.u WHERE (u.d = t.b)) AS m FROM public.t;",
    ),
    "subquery of the same alias": (
        "SELECT x.a FROM public.t x WHERE (x.a IN ( SELECT x_1.a FROM public.u x_1));",
        "SELECT a FROM public.t x WHERE (a IN ( SELECT x_1.a FROM public.u x_1));",
    ),
    "exists": (
        "SELECT t.a FROM public.t WHERE (EXISTS ( SELECT 1 FROM public.u WHERE (u.a = t.a)));",
        "SELECT a FROM public.t WHERE (EXISTS ( SELECT 1 FROM public.u WHERE (u.a = t.a)));",
    ),
    "with": (
        "WITH c AS ( SELECT t.a FROM public.t ) SELECT c.a FROM c;",
        "WITH c AS ( SELECT t.a FROM public.t ) SELECT a FROM c;",
    ),
    "query as a table": (
        "SELECT s.a, s.b FROM ( SELECT t.a, t.b FROM public.t) s;",
        "SELECT a, b FROM ( SELECT t.a, t.b FROM public.t) s;",
    ),
    "function as a table": ("SELECT g.n FROM generate_series(1, 3) g(n);", "SELECT n FROM generate_series(1, 3) g(n);"),
    "ordinality": (
        "SELECT z.ordinality, z.x FROM unnest(ARRAY[1, 2]) WITH ORDINALITY z(x, ordinality);",
        "SELECT ordinality, x FROM unnest(ARRAY[1, 2]) WITH ORDINALITY z(x, ordinality);",
    ),
    "values as a table": (
        "SELECT v.x FROM ( VALUES (1,'a'::text), (2,'b'::text)) v(x, y);",
        "SELECT x FROM ( VALUES (1,'a'::text), (2,'b'::text)) v(x, y);",
    ),
    "composite": ("SELECT (w.p).x AS x FROM public.w;", "SELECT (p).x AS x FROM public.w;"),
    "schema of the same name": ("SELECT q.q FROM q.q;", "SELECT q FROM q.q;"),
    "only": ("SELECT t.a FROM ONLY public.t;", "SELECT a FROM ONLY public.t;"),
    "sample": (
        "SELECT t.a FROM public.t TABLESAMPLE system (10);", "SELECT a FROM public.t TABLESAMPLE system (10);"
    ),
    "from that is none": (
        'SELECT EXTRACT(year FROM t.c) AS "extract" FROM public.t WHERE (t.a IS DISTINCT FROM 3);',
        'SELECT EXTRACT(year FROM c) AS "extract" FROM public.t WHERE (a IS DISTINCT FROM 3);',
    ),
    "window": (
        "SELECT t.a, row_number() OVER (PARTITION BY t.b ORDER BY t.c) AS row_number FROM public.t;",
        "SELECT a, row_number() OVER (PARTITION BY b ORDER BY c) AS row_number FROM public.t;",
    ),
    "clauses behind": (
        "SELECT DISTINCT ON (t.b) t.b, t.a FROM public.t ORDER BY t.b, t.a DESC OFFSET 1 LIMIT 3;",
        "SELECT DISTINCT ON (b) b, a FROM public.t ORDER BY b, a DESC OFFSET 1 LIMIT 3;",
    ),
    "lock": (
        "SELECT CASE WHEN (t.a > 1) THEN 'x'::text ELSE t.b END AS k FROM public.t FOR UPDATE OF t;",
        "SELECT CASE WHEN (a > 1) THEN 'x'::text ELSE b END AS k FROM public.t FOR UPDATE OF t;",
    ),
    "quoted": ('SELECT "T".a FROM public.t "T";', 'SELECT a FROM public.t "T";'),
}  # fmt: skip
SAME = {
    "join": "SELECT t.a, u.d FROM (public.t JOIN public.u USING (a));",
    "two tables": "SELECT t.a FROM public.t, public.u x(f, g) WHERE (x.f = t.a);",
    "union": "SELECT t.a FROM public.t UNION SELECT u.a FROM public.u ORDER BY 1;",
    "lateral": "SELECT t.a FROM (public.t LEFT JOIN LATERAL ( SELECT u.d FROM public.u WHERE (u.a = t.a)) l ON (true));",
    "whole row": "SELECT count(t.*) AS n FROM public.t;",
    "type of a schema of that name": "SELECT 'x'::t.mood AS m FROM public.t;",
    "function of a schema of that name": "SELECT t.f(1) AS f FROM public.t;",
    "no table": "SELECT 1 AS one;",
    "values": "VALUES (1), (2);",
    "rows of functions": "SELECT f.a FROM ROWS FROM(generate_series(1, 2), generate_series(1, 3)) f(a, b);",
    "literal": "SELECT 't.a'::text AS a, E'\\\\t.a'::text AS b FROM public.t;",
}


@pytest.mark.parametrize(("old", "new"), PAIRS.values(), ids=PAIRS)
def test_only_table_of_a_query_is_not_named_before_its_columns(old, new):
    assert unqualified(old) == new


@pytest.mark.parametrize("text", SAME.values(), ids=SAME)
def test_what_names_no_column_of_the_only_table_stays(text):
    assert unqualified(text) == text


@pytest.mark.parametrize("text", [new for _, new in PAIRS.values()])
def test_what_newer_servers_print_stays(text):
    assert unqualified(text) == text
