"""A baseline as text, and what of it is not taken over for another clone."""

import pytest

from trueup.testing.rewind.moments import Moment
from trueup.testing.rewind.state import State, Surroundings
from trueup.testing.rewind.storing import Stored
from trueup.testing.rewind.structure import Catalog, Sequence, Structure, Table
from trueup.testing.rewind.witness import Witness

MOMENT = Moment(database=20_000, horizon="900", configuration="read again")
TABLE = Table(
    number=0, schema="Über", name="Ünter", columns=("id",), is_view=False, is_guarded=True, size_bytes=8192, oid=16_390
)


def stored(witness: Witness | None) -> Stored:
    structure = Structure(
        database=16_384,
        version=180_004,
        tables=(TABLE,),
        sequences=(Sequence(oid=16_389, schema="Über", name="s"),),
        class_columns=("relname",),
        catalogs=(Catalog(1259, "pg_catalog", "pg_class"),),
    )
    state = State(
        taken="700",
        horizon="700",
        counts=(2,),
        copies={0: b"\\x00\xff\t\xc3\x9c\n"},
        positions=((3, True),),
        database_rows=1,
        server_rows=2,
        initdb_rows=3,
        classes="digest",
        surroundings=Surroundings("read", "0", ""),
        written="0",
        sessions=frozenset({(1, "then")}),
        witness=witness,
    )
    return Stored(structure=structure, state=state, is_counted=witness is not None)


WITNESS = Witness(begun="", catalogs="30", tables=("0",), sequences=("0",))


@pytest.mark.parametrize("witness", [None, WITNESS])
def test_text_loses_nothing(witness: Witness | None) -> None:
    whole = stored(witness)

    assert Stored.decode(whole.encode()) == whole


def test_moment_is_that_of_the_clone() -> None:
    found = stored(None).at(MOMENT)

    assert found.structure.database == 20_000
    assert (found.state.taken, found.state.horizon) == ("900", "900")
    assert found.state.surroundings == Surroundings("read again", "0", "")
    assert found.state.sessions == frozenset()
    assert found.state.witness is None
    assert found.state.copies == stored(None).state.copies


def test_what_was_counted_for_another_clone_is_compared_with_nothing() -> None:
    found = stored(WITNESS).at(MOMENT).state.witness

    assert found is not None
    assert not WITNESS.is_comparable(found)
