"""Baselines within baselines: of a module, of a class, of a test."""

import pytest
from tests.integration.testing.rewind.conftest import Run, content

from trueup.conninfo import ConnInfo
from trueup.db import connect
from trueup.errors import Refused
from trueup.testing.rewind import Baseline, NotRewound, Rewound


def test_each_baseline_is_gone_back_to(filled: ConnInfo, baseline: Baseline, run: Run) -> None:
    empty = content(filled)
    run("insert into companies (title) values ('of the module'); delete from notes where body = 'other'")
    module = baseline.nest()
    of_module = content(filled)
    run("update companies set title = title || '!'; insert into notes values ('of the class')")
    of_class, test = content(filled), module.nest()

    for _ in range(2):
        run("truncate notes; delete from clients where id = 20")
        assert isinstance(test.rewind(), Rewound)
        assert content(filled) == of_class
    assert isinstance(module.rewind(), Rewound)
    assert content(filled) == of_module
    assert isinstance(baseline.rewind(), Rewound)
    assert content(filled) == empty


def test_inner_baseline_knows_a_new_structure(filled: ConnInfo, baseline: Baseline, run: Run) -> None:
    run("create table extra (n int); insert into extra values (1); drop table scratch")
    inner = baseline.nest()
    before = content(filled)
    run("update extra set n = 2; delete from notes")

    assert isinstance(inner.rewind(), Rewound)
    assert content(filled) == before
    assert isinstance(baseline.rewind(), NotRewound)


def test_inner_baseline_leaves_the_connection_open(baseline: Baseline, run: Run) -> None:
    baseline.nest().close()
    run("delete from notes")

    assert isinstance(baseline.rewind(), Rewound)


def test_inner_baseline_of_a_database_at_work_is_refused(filled: ConnInfo, baseline: Baseline) -> None:
    with connect(filled) as other:
        other.execute("begin; insert into notes values ('not yet')")

        with pytest.raises(Refused, match="holding locks"):
            baseline.nest()


def test_inner_baseline_verifies_as_the_outer_does(filled: ConnInfo, run: Run) -> None:
    with Baseline.take(filled, verify=True) as outer:
        run("insert into notes values ('x')")
        inner = outer.nest()
        run("insert into notes values ('y')")

        assert isinstance(inner.rewind(), Rewound)
        assert isinstance(outer.rewind(), Rewound)


def test_inner_baseline_of_a_closed_one_is_refused(baseline: Baseline) -> None:
    baseline.close()

    with pytest.raises(Refused, match="the connection was lost"):
        baseline.nest()


def test_inner_baseline_after_its_connection_was_ended_is_refused(baseline: Baseline, run: Run) -> None:
    run(f"select pg_terminate_backend({baseline.pid})")

    with pytest.raises(Refused, match="the connection was lost"):
        baseline.nest()
