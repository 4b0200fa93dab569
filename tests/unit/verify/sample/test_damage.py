from trueup.verify.sample import DAMAGES
from trueup.verify.sample.damage import Trace

ROWS = {Trace.CHANGED, Trace.MISSING, Trace.EXTRA}


def test_each_kind_of_damage_is_there_once() -> None:
    assert [damage.name for damage in DAMAGES] == [
        "changed row",
        "lost row",
        "extra row",
        "NULL turned into ''",
        "timestamp shifted by its offset",
        "numeric rounded",
        "type narrowed",
        "default inverted",
        "unique constraint dropped",
        "sequence left behind",
    ]


def test_damages_do_not_meet_each_other() -> None:
    places = [(damage.expected.object, damage.expected.key) for damage in DAMAGES]

    assert len(set(places)) == len(places)


def test_a_damaged_row_is_named_by_its_key_and_any_other_damage_by_its_change() -> None:
    for damage in DAMAGES:
        expected = damage.expected
        assert bool(expected.key) == (expected.trace in ROWS), damage.name
        assert bool(expected.change) == (expected.trace not in ROWS), damage.name
        assert bool(expected.columns) == (expected.trace is Trace.CHANGED), damage.name


def test_each_damage_does_what_it_is_expected_to() -> None:
    for damage in DAMAGES:
        table, _, part = damage.expected.object.rpartition(".")
        mentioned = damage.expected.object if damage.expected.trace in {*ROWS, Trace.SEQUENCE} else table
        assert mentioned in damage.sql, damage.name
        assert part in damage.sql, damage.name
        assert all(column in damage.sql for column in damage.expected.columns), damage.name
