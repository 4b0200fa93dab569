import pytest

from trueup.parity.data import ChangedRow, Condition, Recheck, Sample, TableComparison, Window
from trueup.parity.schema import Catalog, Difference
from trueup.report.model import Section, Severity, Verdict
from trueup.verify.rows import data_section, findings_of_table
from trueup.verify.sequences import unreadable
from trueup.verify.structure import finding_of_difference, schema_section

KINDS = ("tables", "views", "sequences", "types", "objects", "annotations", "not_compared", "skipped")
NOTHING = {kind: {} for kind in KINDS}
EMPTY = Catalog(schemas=frozenset({"public"}), **NOTHING)


def table(**facts):
    return TableComparison(**{"table": "public.shop", "verdict": Verdict.FAILED, "key": ("id",)} | facts)


def passed(rows):
    return table(verdict=Verdict.PASSED, source_rows=rows, target_rows=rows)


def test_two_databases_without_an_object_are_inconclusive_though_nothing_differs():
    section = schema_section(EMPTY, EMPTY, ())

    assert section.verdict is Verdict.INCONCLUSIVE
    assert "neither database" in section.findings[0].message


@pytest.mark.parametrize(
    ("change", "message", "details"),
    [
        ("missing", "the column is in the source only", ()),
        ("extra", "the column is in the target only", ()),
        ("type", "the column's type differs", ("source: text", "target: none")),
    ],
)
def test_difference_of_structure_is_said_in_words(change, message, details):
    difference = Difference(
        kind="column", object="public.shop.name", change=change, severity=Severity.LOSSY, source="text", target=None
    )

    finding = finding_of_difference(difference)

    assert (finding.message, finding.details, finding.severity) == (message, details, Severity.LOSSY)


def test_every_state_of_rows_is_a_finding_of_its_own_with_keys_and_columns():
    found = table(
        missing=(("1",),),
        extra=(("2",), ("3",)),
        changed=(
            ChangedRow(key=("4",), columns=("name", "phone"), representation=False),
            ChangedRow(key=("5",), columns=("price",), representation=True),
        ),
        missing_count=1,
        extra_count=2,
        changed_count=2,
    )

    findings = list(findings_of_table(found))

    assert [(one.message, one.severity, one.details) for one in findings] == [
        ("1 row is in the source only", Severity.BREAKING, ("id = 1",)),
        ("2 rows are in the target only", Severity.BREAKING, ("id = 2", "id = 3")),
        ("1 row differs in name, phone", Severity.BREAKING, ("id = 4: name, phone",)),
        ("1 row is equal, yet written otherwise in price", Severity.BEHAVIOURAL, ("id = 5: price",)),
    ]


def test_rows_beyond_the_limit_are_counted_not_forgotten():
    found = table(
        changed=(ChangedRow(key=("4",), columns=("name",), representation=False),),
        changed_count=12_345,
        missing_count=7,
    )

    lost, changed = findings_of_table(found)

    assert lost.message == "7 rows are in the source only"
    assert changed.message == "12,345 rows differ in name"


def test_row_of_a_table_without_key_is_named_by_its_hash():
    [finding] = findings_of_table(table(key=(), missing=(("00ff",),), missing_count=1))

    assert finding.details == ("row with hash 00ff",)


def test_table_that_could_not_be_read_is_left_open_with_its_reason():
    [finding] = findings_of_table(
        table(verdict=Verdict.INCONCLUSIVE, reason="permission denied", columns_not_compared=("a: in the source only",))
    )

    assert (finding.verdict, finding.severity) == (Verdict.INCONCLUSIVE, None)
    assert finding.details == ("a: in the source only",)


@pytest.mark.parametrize(
    ("tables", "verdict"),
    [
        ((), Verdict.INCONCLUSIVE),
        ((passed(0),), Verdict.INCONCLUSIVE),
        ((passed(3), passed(0)), Verdict.PASSED),
        ((passed(3), table(missing_count=1)), Verdict.FAILED),
        ((passed(3), table(verdict=Verdict.INCONCLUSIVE, reason="permission denied")), Verdict.INCONCLUSIVE),
    ],
    ids=["no table", "empty tables", "an empty one beside a full one", "a lost row", "an unreadable one"],
)
def test_verdict_is_never_better_than_what_was_compared(tables, verdict):
    """5.4: nothing compared, both sides empty and both sides failing are not agreement."""
    assert data_section(tables).verdict is verdict


def test_rows_that_move_are_left_open_with_their_keys_and_settled_ones_are_counted():
    moving = table(
        verdict=Verdict.INCONCLUSIVE, moving=(("7",), ("9",)), moving_count=2, source_rows=9, settled_count=4
    )

    section = data_section((moving, passed(3)), recheck=Recheck(seconds=5))

    [finding] = section.findings
    assert section.notes == (
        "Rows that differed were read again, with pauses of 5 s: 4 settled, 0 still different, 2 still moving.",
    )
    assert (section.verdict, finding.verdict, finding.severity) == (Verdict.INCONCLUSIVE, Verdict.INCONCLUSIVE, None)
    assert (finding.message, finding.details) == ("2 rows are still moving", ("id = 7", "id = 9"))
    assert (section.compared["rows that settled"], section.compared["rows still moving"]) == (4, 2)


def test_rows_that_only_settled_leave_the_verdict_green():
    section = data_section((table(verdict=Verdict.PASSED, source_rows=3, target_rows=3, settled_count=1),))

    assert (section.verdict, section.findings) == (Verdict.PASSED, ())


def test_sample_calls_itself_one_and_is_never_green():
    sampled = table(verdict=Verdict.INCONCLUSIVE, is_sample=True, source_rows=5, target_rows=5)

    section = data_section((sampled,), Window(sample=Sample(percent=5)))

    assert (section.verdict, section.title) == (Verdict.INCONCLUSIVE, "Rows (sample)")
    assert [one.message for one in section.findings] == ["this is a sample, 5 % of the rows: 0 of its rows differ"]
    assert section.notes == ("This is a sample: 5 % of the rows, chosen by the hash of their keys.",)


def test_sample_whose_rows_differ_has_failed():
    sampled = table(is_sample=True, source_rows=5, target_rows=5, missing_count=1)

    section = data_section((sampled,), Window(sample=Sample(rows=5)))

    assert section.verdict is Verdict.FAILED
    assert len(section.findings) == 2


def test_window_without_a_row_says_so():
    section = data_section((passed(0),), Window(where=(Condition(expression="id < 0"),)))

    assert section.verdict is Verdict.INCONCLUSIVE
    assert "no table has a row of those asked for" in section.findings[0].message


def test_tables_without_a_row_are_counted():
    assert data_section((passed(3), passed(0))).compared["tables without a row"] == 1


def test_section_that_compared_nothing_cannot_pass():
    assert Section(check="x", title="X").verdict is Verdict.INCONCLUSIVE


def test_unreadable_sequence_is_left_open():
    finding = unreadable("target", "public.shop_id_seq: permission denied: ask")

    assert (finding.object, finding.verdict) == ("public.shop_id_seq", Verdict.INCONCLUSIVE)
    assert finding.message == "not readable in the target: permission denied: ask"
