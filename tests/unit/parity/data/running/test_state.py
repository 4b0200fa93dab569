import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from trueup.errors import Refused, UsageError
from trueup.parity.data import ChangedRow, Span, TableComparison, TablePair, open_state
from trueup.parity.data.pairing.pairs import Reading
from trueup.parity.data.running.state import State
from trueup.parity.data.sides.moment import Moment, Moments
from trueup.parity.schema import QualifiedName
from trueup.report.model import Verdict

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LATER = datetime(2026, 11, 23, 13, tzinfo=UTC)


def pair(name: str) -> TablePair:
    reading = Reading(table=QualifiedName("public", name), has_partitions=False, columns=())
    return TablePair(source=reading, target=reading)


def moments(source: str = "7:7:", target: str = "9:9:", *, database: str = "1/5", name: str = "here") -> Moments:
    return (
        Moment(name=name, database=database, snapshot=source),
        Moment(name="there", database="2/5", snapshot=target),
    )


SAME = moments()
FOUND = TableComparison(
    table="public.a",
    verdict=Verdict.FAILED,
    source_rows=3,
    target_rows=2,
    key=("id", "sub"),
    missing=(("1", None),),
    changed=(ChangedRow(key=("2", "x"), columns=("v",), representation=True),),
    missing_count=1,
    changed_count=1,
    seconds=0.5,
)
UNREAD = TableComparison(table="public.a", verdict=Verdict.INCONCLUSIVE, reason="permission denied")


def begin(state: State, found: Moments = SAME, at: datetime = NOON) -> None:
    """Do what a comparison of two tables does first."""
    state._meet(found, at)
    state.ledger.open([pair("a"), pair("b")], max_rows=10)


def stop_after_one(file: Path, part: TableComparison = FOUND) -> None:
    with open_state(file) as state:
        begin(state)
        state.ledger.plan(pair("a"), [Span(high=0), Span(low=0)])
        state.ledger.add(pair("a"), 1, part)


def test_what_was_compared_is_there_again(tmp_path: Path) -> None:
    stop_after_one(tmp_path / "state")

    with open_state(tmp_path / "state") as state:
        begin(state)

        account = state.ledger.accounts["public.a"]
        assert account.parts == {1: FOUND}
        assert account.spans == (Span(high=0), Span(low=0))


def test_file_is_its_owners_alone(tmp_path: Path) -> None:
    stop_after_one(tmp_path / "state")

    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["state"]


def test_what_could_not_be_read_is_tried_again(tmp_path: Path) -> None:
    stop_after_one(tmp_path / "state", UNREAD)

    with open_state(tmp_path / "state") as state:
        begin(state)

        assert state.ledger.accounts["public.a"].parts == {}
        assert state.resumption is None


def test_file_of_a_comparison_that_ended_is_removed(tmp_path: Path) -> None:
    """A nightly run must not tell last night's result."""
    with open_state(tmp_path / "state") as state:
        begin(state)
        for name in "ab":
            state.ledger.plan(pair(name))
            state.ledger.add(pair(name), 0, FOUND)
        assert (tmp_path / "state").exists()

    assert not (tmp_path / "state").exists()


def test_comparison_that_never_began_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), open_state(tmp_path / "state"):
        raise KeyboardInterrupt

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("now", "is_of_one_moment"),
    [(moments(), True), (moments(source="8:8:"), False), (moments(target="9:10:9"), False)],
    ids=["nobody wrote", "source was written", "target was written"],
)
def test_resumption_is_of_one_moment_only_where_nobody_wrote(
    tmp_path: Path, now: Moments, is_of_one_moment: bool
) -> None:
    stop_after_one(tmp_path / "state")

    with open_state(tmp_path / "state") as state:
        begin(state, now, LATER)
        state.ledger.add(pair("a"), 0, FOUND)

        how = state.resumption

    assert how is not None
    assert (how.began_at, how.taken, how.runs, how.is_of_one_moment) == (NOON, 1, 2, is_of_one_moment)


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        (moments(name="elsewhere"), "its source was here, and now it is elsewhere; name another file by --state"),
        (moments(database="1/6"), "its source was here, and now it is here, another database under that name"),
    ],
)
def test_state_of_other_databases_is_refused_and_left_alone(tmp_path: Path, now: Moments, reason: str) -> None:
    stop_after_one(tmp_path / "state")
    before = (tmp_path / "state").read_bytes()

    with pytest.raises(Refused, match=reason), open_state(tmp_path / "state") as state:
        begin(state, now)

    assert (tmp_path / "state").read_bytes() == before


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"select 1", "is not a state that"),
        (b'{"format": "trueup structure", "format_version": 1}', "is not a state that"),
        (b'{"format": "trueup comparison", "format_version": 1}', "is not a state that"),
        (b'{"format": "trueup comparison", "format_version": 99}', "version 99, and this trueup reads version 1"),
        (b"\xff\xfe", "is not a state that"),
    ],
)
def test_file_that_is_no_state_is_an_error_and_left_alone(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "file").write_bytes(content)

    with pytest.raises(UsageError, match=reason), open_state(tmp_path / "file"):
        pass

    assert (tmp_path / "file").read_bytes() == content


def test_folder_that_is_not_there_is_an_error_before_anything_is_compared(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot write .*: No such file or directory; name another file by --state"):
        open_state(tmp_path / "none" / "state").__enter__()
