"""The checker itself: each anomaly by hand, and none where there is none. Needs no server."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.integration.db.isolation.checker import FORBIDDEN, Kind, kinds
from tests.integration.db.isolation.history import Append, Event, History, Operation, Read, Told, Version

X, Y, Z = 1, 2, 3


def did(*operations: Operation, told: Told = Told.COMMITTED) -> Event:
    return Event(told=told, operations=operations)


def history(*events: Event, **stored: Version) -> History:
    return History(events=events, stored={{"x": X, "y": Y, "z": Z}[key]: values for key, values in stored.items()})


CASES = {
    "write cycle": (
        {Kind.G0},
        history(did(Append(X, 1), Append(Y, 1)), did(Append(X, 2), Append(Y, 2)), x=(1, 2), y=(2, 1)),
    ),
    "aborted read": (
        {Kind.G1A, Kind.ORDER},
        history(did(Append(X, 1), told=Told.ROLLED_BACK), did(Read(X, (1,))), x=()),
    ),
    "aborted read of what was stored after all": (
        {Kind.G1A, Kind.RESURRECTED},
        history(did(Append(X, 1), told=Told.ROLLED_BACK), did(Read(X, (1,))), x=(1,)),
    ),
    "intermediate read": (
        {Kind.G1B, Kind.G_SINGLE},
        history(did(Append(X, 1), Append(X, 2)), did(Read(X, (1,))), x=(1, 2)),
    ),
    "circular information flow": (
        {Kind.G1C},
        history(did(Append(X, 1), Read(Y, (2,))), did(Append(Y, 2), Read(X, (1,))), x=(1,), y=(2,)),
    ),
    "circular information flow by a write": (
        {Kind.G1C},
        history(did(Append(X, 1), Read(Y, (2,))), did(Append(X, 2), Append(Y, 2)), x=(1, 2), y=(2,)),
    ),
    "read skew": (
        {Kind.G_SINGLE},
        history(did(Read(X, ()), Read(Y, (2,))), did(Append(X, 1), Append(Y, 2)), x=(1,), y=(2,)),
    ),
    "read skew over a third": (
        {Kind.G_SINGLE},
        history(
            did(Read(X, ()), Read(Z, (3,))), did(Append(X, 1)), did(Read(X, (1,)), Append(Z, 3)), x=(1,), z=(3,)
        ),
    ),
    "two versions of one list": (
        {Kind.G_SINGLE, Kind.UNREPEATABLE},
        history(did(Read(X, ()), Read(X, (1,))), did(Append(X, 1)), x=(1,)),
    ),
    "long fork": (
        {Kind.G_NONADJACENT},
        history(
            did(Append(X, 1)), did(Append(Y, 2)),
            did(Read(X, (1,)), Read(Y, ())), did(Read(X, ()), Read(Y, (2,))),
            x=(1,), y=(2,),
        ),
    ),
    "write skew": (
        {Kind.G2_ITEM},
        history(did(Read(X, ()), Append(Y, 2)), did(Read(Y, ()), Append(X, 1)), x=(1,), y=(2,)),
    ),
    "lost update": (
        {Kind.G_SINGLE, Kind.LOST_UPDATE},
        history(did(Read(X, ()), Append(X, 1)), did(Read(X, ()), Append(X, 2)), x=(1, 2)),
    ),
    "lost update that overwrote": (
        {Kind.LOST, Kind.LOST_UPDATE},
        history(did(Read(X, ()), Append(X, 1)), did(Read(X, ()), Append(X, 2)), x=(2,)),
    ),
    "own write not seen": ({Kind.INTERNAL}, history(did(Append(X, 1), Read(X, ())), x=(1,))),
    "own write not at the end": (
        {Kind.INTERNAL, Kind.ORDER},
        history(did(Append(X, 1), Read(X, (1, 2))), did(Append(X, 2)), x=(2, 1)),
    ),
    "reads that disagree": (
        {Kind.ORDER},
        history(did(Append(X, 1)), did(Append(X, 2)), did(Read(X, (2,))), x=(1, 2)),
    ),
    "lost write": ({Kind.LOST}, history(did(Append(X, 1)), x=())),
    "lost write to a key that is not there": ({Kind.LOST}, history(did(Append(X, 1)))),
    "half of a transaction with an unknown end": (
        {Kind.LOST},
        history(did(Append(X, 1), Append(Y, 2), told=Told.UNKNOWN), x=(1,), y=()),
    ),
    "rolled back and stored": ({Kind.RESURRECTED}, history(did(Append(X, 1), told=Told.ROLLED_BACK), x=(1,))),
    "stored twice": ({Kind.DUPLICATE}, history(did(Append(X, 1)), x=(1, 1))),
    "written by nobody": ({Kind.UNEXPLAINED}, history(x=(9,))),
}  # fmt: skip


@pytest.mark.parametrize(("expected", "given_history"), CASES.values(), ids=CASES)
def test_anomaly_is_found_by_its_name_and_no_other(expected: set[Kind], given_history: History) -> None:
    assert kinds(given_history) == expected


@pytest.mark.parametrize("stored", [(), (1,)], ids=["it did not happen", "it did"])
def test_unknown_outcome_may_be_either(stored: Version) -> None:
    assert kinds(history(did(Append(X, 1), told=Told.UNKNOWN), did(Read(X, stored)), x=stored)) == set()


def test_reads_of_who_rolled_back_prove_nothing() -> None:
    assert kinds(history(did(Read(X, (7,)), told=Told.ROLLED_BACK), did(Read(X, (7,)), told=Told.UNKNOWN))) == set()


def test_read_of_a_list_that_was_locked_first_may_differ_from_an_earlier_one() -> None:
    """Read committed: the update sees what others committed since the first read."""
    found = kinds(history(did(Read(X, ()), Append(X, 2), Read(X, (1, 2))), did(Append(X, 1)), x=(1, 2)))

    assert found == {Kind.G_SINGLE, Kind.UNREPEATABLE}
    assert not found & FORBIDDEN["read committed"]


def test_each_level_forbids_what_the_weaker_ones_do() -> None:
    levels = [FORBIDDEN[level] for level in ("read committed", "repeatable read", "serializable")]

    assert levels[0] < levels[1] < levels[2] == set(Kind)


@given(seed=st.integers(0, 2**32), count=st.integers(1, 60))
def test_one_after_another_shows_no_anomaly(seed: int, count: int) -> None:
    whole, _ = one_after_another(random.Random(seed), count)

    assert kinds(whole) == set()


@given(seed=st.integers(0, 2**32), count=st.integers(5, 60))
def test_committed_write_that_vanishes_is_always_found(seed: int, count: int) -> None:
    whole, _ = one_after_another(random.Random(seed), count)
    key = next((key for key, values in whole.stored.items() if any_committed(whole, key, values[-1:])), None)
    if key is None:
        return

    shortened = History(events=whole.events, stored={**whole.stored, key: whole.stored[key][:-1]})

    assert Kind.LOST in kinds(shortened)


def any_committed(whole: History, key: int, values: Version) -> bool:
    written = {(a.key, a.value) for event in whole.events if event.told is Told.COMMITTED for a in event.appends()}
    return any((key, value) in written for value in values)


def one_after_another(dice: random.Random, count: int) -> tuple[History, int]:
    """Return the history of transactions that ran alone, some rolled back, some with an end that nobody was told."""
    stored: dict[int, Version] = {}
    events = []
    value = 0
    for _ in range(count):
        mine, operations = dict(stored), list[Operation]()
        for _ in range(dice.randint(1, 5)):
            key = dice.randint(1, 4)
            if dice.random() < 0.5:
                operations.append(Read(key, mine.get(key, ())))
            else:
                value += 1
                operations.append(Append(key, value))
                mine[key] = (*mine.get(key, ()), value)
        told = dice.choice(list(Told))
        if told is Told.COMMITTED or (told is Told.UNKNOWN and dice.random() < 0.5):
            stored = mine
        events.append(Event(told=told, operations=tuple(operations)))
    return History(events=tuple(events), stored=stored), value
