import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.migrations.statements import split

WHOLE = {
    "string": "select ';'",
    "doubled quote": "select 'it''s; fine'",
    "backslash in a standard string": r"select 'a\', 1",
    "escaped quote": r"select E'it\'s; fine'",
    "escape after doubled quote": r"select e'a''b\';c'",
    "escape string continued on the next line": "select E'a'\n -- why\n 'b\\';c'",
    "word that ends in e before a string": r"select type'a\', 2",
    "quoted identifier": 'select ";"',
    "doubled double quote": 'select "a"";b"',
    "dollar quotes": "select $$;$$",
    "tagged dollar quotes": "select $a$ ; $$ ; $b$ ; $a$",
    "tag outside ASCII": "select $naïve$;$naïve$",
    "dollar in an identifier opens nothing": "select a$b from c$b",
    "parameter opens nothing": "select $1 + $2",
    "line comment": "select 1 -- ; no\n + 1",
    "comment after an operator": "select 5*--;\n3",
    "nested comments": "select /* ; /* ; */ ; */ 1",
    "parentheses": "create rule r as on insert to t do also (select 1; select 2)",
    "begin atomic": "create function f() returns int begin atomic select 1; select 2; end",
    "begin atomic with case": (
        "create or replace procedure p() begin atomic select case when true then 1 else 2 end; select 2; end"
    ),
    "unclosed string": "select 'a; select 1",
    "unclosed escape string": r"select E'a\'; select 1",
    "escape string that ends in a backslash": "select E'a;\\",
    "unclosed identifier": 'select "a; select 1',
    "unclosed dollar quotes": "select $a$ ; $b$",
    "unclosed comment": "select 1 /* ; /* */ ; ",
}


@pytest.mark.parametrize("text", WHOLE.values(), ids=WHOLE.keys())
def test_semicolon_inside_ends_nothing(text: str):
    found = split(text)

    assert [statement.text for statement in found] == [text]


CUT = {
    "plain": (["select 1;", " select 2"], "select 1; select 2"),
    "comment goes with what follows": (["select 1;", " -- next\nselect 2;"], "select 1; -- next\nselect 2;"),
    "closing parenthesis too many": (["select 1);", "select 2"], "select 1);select 2"),
    "begin of a transaction": (["begin;", "select 1;", "end;"], "begin;select 1;end;"),
    "case outside a body": (["select case when a then 1 end;", "select 2"], "select case when a then 1 end;select 2"),
    "function named begin": (
        ["create function begin() as $$;$$;", "select 1"],
        "create function begin() as $$;$$;select 1",
    ),
    "statement after a body": (
        ["create function f() begin atomic select 1; end;", "select 2;"],
        "create function f() begin atomic select 1; end;select 2;",
    ),
    "string ends before a word": (["select 'a'e;", "select 1"], "select 'a'e;select 1"),
    "standard string is not continued as an escape string": ([r"select 'a\';", "select 1"], r"select 'a\';select 1"),
    "windows line endings": (["select 1; ".strip(), "\r\n-- ;\r\nselect 2;"], "select 1;\r\n-- ;\r\nselect 2;"),
}


@pytest.mark.parametrize(("parts", "text"), CUT.values(), ids=CUT.keys())
def test_text_is_cut_after_each_semicolon_outside(parts: list[str], text: str):
    found = split(text)

    assert [statement.text for statement in found] == parts


@pytest.mark.parametrize("text", ["", ";", " ;; ", "-- a;\n", "/* ; */;", "\n\t\r\f\v"])
def test_blanks_comments_and_semicolons_are_no_statement(text: str):
    assert all(statement.is_blank for statement in split(text))


@pytest.mark.parametrize("text", ["select", "'a'", "1", "\u00a0", '"a"', "$$a$$", "("])
def test_anything_else_is_a_statement(text: str):
    (statement,) = split(text)

    assert not statement.is_blank


def test_statement_knows_where_its_first_word_stands():
    text = "select 1;\n/* why */ -- so\n  Update T set a = (select b);"

    _, statement = split(text)

    assert text[statement.start :].startswith("Update")
    assert statement.offset == len("select 1;")
    assert statement.words == ("update", "t", "set", "a")


MARKS = ["'", '"', "$", "$$", "$a$", "\\", "E'", "--", "/*", "*/", "(", ")", ";", "\n", "\r", " "]
WORDS = ["a", "e", "1", "é", "\u00a0", "begin atomic ", "create function ", "case ", "end ", "select "]
SQL_LIKE = st.lists(st.sampled_from(MARKS + WORDS), max_size=40).map("".join)


@given(SQL_LIKE)
def test_nothing_is_lost(text: str):
    found = split(text)

    assert "".join(statement.text for statement in found) == text
    assert [statement.offset for statement in found] == [
        sum(len(earlier.text) for earlier in found[:index]) for index in range(len(found))
    ]


def quote(text: str) -> dict[str, str]:
    bare = text.replace("*", "").replace("/", "").replace("\n", "").replace("\r", "")
    return {
        "string": "'" + text.replace("'", "''") + "'",
        "escape string": "E'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'",
        "identifier": '"' + text.replace('"', '""') + '"',
        "dollar": f"$tag${text}$tag$",
        "comment": f"/*{bare}*/1",
        "line comment": f"--{bare}\n1",
    }


@given(st.lists(st.tuples(SQL_LIKE, st.sampled_from(sorted(quote("")))), max_size=6))
def test_quotes_hide_whatever_they_hold(values: list[tuple[str, str]]):
    statements = [f"select {quote(text)[form]};" for text, form in values]

    found = split("".join(statements))

    assert [statement.text for statement in found] == statements
