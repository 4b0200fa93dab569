import pytest

from trueup.errors import UsageError
from trueup.parity.data.pairing.window import SAMPLE_PARTS, Condition, Sample, Since, Window
from trueup.parity.schema import QualifiedName

CLIENTS, BOOKINGS = QualifiedName("public", "clients"), QualifiedName("public", "bookings")


@pytest.mark.parametrize(
    ("text", "table", "expression"),
    [
        ("company_id = 7", None, "company_id = 7"),
        ("public.clients: company_id = 7", CLIENTS, "company_id = 7"),
        (" Public.Clients :id > 1", CLIENTS, "id > 1"),
        ('"Odd "".""".clients: id > 1', QualifiedName('Odd "."', "clients"), "id > 1"),
        ("t.note::text = 'a: b'", None, "t.note::text = 'a: b'"),
        ("t.note::text", None, "t.note::text"),
        ("note = 'public.clients: x'", None, "note = 'public.clients: x'"),
        ("public.салоны: имя <> ''\n and id > 2", QualifiedName("public", "салоны"), "имя <> ''\n and id > 2"),
    ],
)
def test_condition_is_of_one_table_or_of_all(text: str, table: QualifiedName | None, expression: str) -> None:
    found = Condition.parse(text)

    assert (found.table, found.expression) == (table, expression)


@pytest.mark.parametrize("text", ["", "  ", "public.clients:", "public.clients: \n"])
def test_condition_without_an_expression_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="no expression"):
        Condition.parse(text)


def test_since_is_a_column_and_its_value() -> None:
    found = Since.parse(" updated_at = 2026-01-31 12:00=x ")

    assert (found.column, found.value) == ("updated_at", "2026-01-31 12:00=x")


@pytest.mark.parametrize("text", ["", "updated_at", "=1", "updated_at=", " = "])
def test_since_without_column_or_value_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--since"):
        Since.parse(text)


@pytest.mark.parametrize(
    ("text", "rows", "parts"),
    [
        ("50%", 1, SAMPLE_PARTS // 2),
        ("100 %", 10**9, SAMPLE_PARTS),
        ("0.000001%", 10**9, 1),
        ("1000", 4000, SAMPLE_PARTS // 4),
        ("1000", 0, SAMPLE_PARTS),
        ("1000", 10, SAMPLE_PARTS),
        ("1", 10**12, 1),
    ],
)
def test_sample_is_a_share_or_a_number_of_rows(text: str, rows: int, parts: int) -> None:
    assert Sample.parse(text).parts(rows) == parts


@pytest.mark.parametrize("text", ["", "0", "0%", "101%", "-1", "5 rows", "1e3", "٣"])
def test_sample_of_nothing_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--sample"):
        Sample.parse(text)


def test_window_says_what_it_leaves_out() -> None:
    window = Window(
        where=(Condition.parse("id > 1"), Condition.parse("public.clients: id > 2")),
        since=Since.parse("seen=2026-01-31"),
        sample=Sample.parse("2.5%"),
    )

    assert list(window.lines()) == [
        "Only rows of all tables where id > 1.",
        "Only rows of public.clients where id > 2.",
        "Only rows whose seen is at least 2026-01-31.",
        "This is a sample: 2.5 % of the rows, chosen by the hash of their keys.",
    ]
    assert window.expressions(CLIENTS) == ("id > 1", "id > 2")
    assert window.expressions(BOOKINGS) == ("id > 1",)
    assert Sample.parse("10000").size == "about 10,000 rows of each table"


def test_window_can_be_typed_again() -> None:
    where = ("id > 1", "public.clients: id > 2")
    window = Window(
        where=tuple(map(Condition.parse, where)), since=Since.parse("seen=2026-01-31"), sample=Sample.parse("2.5 %")
    )

    assert window.as_json() == {"where": [*where], "since": "seen=2026-01-31", "sample": "2.5%"}
    assert Window(sample=Sample.parse("10000")).as_json() == {"where": [], "since": None, "sample": "10000"}


def test_window_that_leaves_out_nothing_is_none() -> None:
    assert not Window()
    assert list(Window().lines()) == []
