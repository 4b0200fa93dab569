"""A check of rows keeps within its time, and says what it compared until then."""

from typing import Any

import psycopg
import pytest

from trueup.report.model import Verdict
from trueup.verify import Timeline, rows


def test_rows_that_were_compared_in_time_are_told(shops: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "SHARE", 0.1)
    for place in (shops.source, shops.target):
        with psycopg.connect(place.reveal(), autocommit=True) as connection:
            connection.execute("create table a (id int primary key); create table b (id int primary key)")
            connection.execute("insert into a values (1); insert into b values (1)")
    with psycopg.connect(shops.target.reveal()) as holder:

        def hold(message: str) -> None:
            if message.startswith("comparing rows of public.b "):
                holder.execute("lock table b in access exclusive mode")

        report = shops.verify("data", "sequences", deadline_s=40, timeline=Timeline(hold))

    data, sequences = report.sections
    said = {finding.object: finding.message for finding in data.findings}
    assert data.verdict is Verdict.INCONCLUSIVE
    assert said["public.b"] == "not compared: the 4 s that it had were up"
    assert "public.a" not in said
    assert data.compared["source rows"] > 0
    assert sequences.findings == ()
