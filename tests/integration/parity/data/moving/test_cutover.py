"""The pair of the cutover: what its rows had lost is found, columns of other types included once they are declared."""

from pathlib import Path
from typing import Any

import pytest

from trueup.parity.data import TableComparison
from trueup.report.model import Verdict
from trueup.settings import Conversion

PAIR = Path(__file__).parents[5] / "fixtures/databases/cutover"
ZONED = ("created_at", "updated_at", "last_activity")
DECLARED = (
    Conversion(column="public.clients.last_services", by="to_jsonb"),
    *(Conversion(column=f"public.dialog_contexts.{name}", by="at time zone Europe/Moscow") for name in ZONED),
)


@pytest.fixture
def cutover(databases: Any) -> Any:
    databases.source.execute((PAIR / "source.sql").read_bytes())
    databases.target.execute((PAIR / "target.sql").read_bytes())
    return databases


def changed_columns(table: TableComparison) -> set[str]:
    return {column for row in table.changed for column in row.columns}


@pytest.mark.parametrize("places", ["16to18"], indirect=True)
def test_what_the_rows_had_lost_is_found(cutover: Any) -> None:
    """M-22: sequences stayed behind; M-23: a text of digits became a number; M-26: internal ids for external ones.

    M-13 and M-15 could not be compared without a declaration.
    """
    found = {one.table.removeprefix("public."): one for one in cutover.compare(conversions=DECLARED)}

    [key] = found["whatsapp_keys"].changed
    assert (key.columns, key.representation) == (("value",), False), "M-23"
    clients = {row.key: set(row.columns) for row in found["clients"].changed}
    assert all("favorite_staff_ids" in columns for columns in clients.values()), "M-26"
    assert len(clients) == 29
    assert "last_services" not in changed_columns(found["clients"]), "M-13: converted without a loss"
    assert changed_columns(found["dialog_contexts"]) & set(ZONED) == {"created_at"}, "M-15: its offset was dropped"
    assert found["dialog_contexts"].verdict is Verdict.FAILED
    behind = {one.sequence: (one.next_value, one.reached) for one in cutover.sequences_behind().behind}
    assert behind["public.clients_id_seq"] == (1, 5029), "M-22"
