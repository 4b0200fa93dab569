"""Servers are asked whether they hash alike, and compared by other means where they don't."""

from contextlib import ExitStack
from typing import Any

import pytest

from trueup.parity.data import agreed_rules, lockstep
from trueup.parity.data.hashing.references import VALUES, reference_hashes
from trueup.report.model import Verdict


def rules_of(databases: Any, **options: Any) -> Any:
    with ExitStack() as stack:
        source, target = databases.sides(stack, user=options.pop("user", "postgres"))
        both = stack.enter_context(lockstep(source.snapshot, target.snapshot))
        assert reference_hashes(source.snapshot).keys() <= VALUES.keys()
        return agreed_rules(both, **options)


def test_both_versions_hash_every_reference_value_alike(databases: Any) -> None:
    rules = rules_of(databases)

    assert (rules.hashing, rules.as_text) == ("native", frozenset())
    assert rules_of(databases, is_paranoid=True).hashing == "both"


@pytest.fixture
def hashless(databases: Any) -> Any:
    """Return a role that one server gives no record hash to: as one would that has none."""
    databases.both("create role no_hash login", "grant usage on schema public to no_hash")
    databases.target.execute("revoke execute on function pg_catalog.hash_record_extended(record, bigint) from public")
    yield "no_hash"
    databases.target.execute("grant execute on function pg_catalog.hash_record_extended(record, bigint) to public")
    databases.both("drop owned by no_hash", "drop role no_hash")


@pytest.mark.parametrize("key", ["bigint primary key", "text primary key", "bigint"])
def test_a_server_without_the_hash_is_compared_by_text(databases: Any, hashless: str, key: str) -> None:
    databases.both(
        f"create table t (id {key}, price numeric, doc jsonb)",
        "insert into t select i, i / 8.0, jsonb_build_object('n', i) from generate_series(1, 500) i",
        "grant select on t to no_hash",
    )
    same = databases.compare_one(user=hashless)
    databases.target.execute("update t set price = price + 0.5 where id::text in ('7', '90')")

    found = databases.compare_one(user=hashless)

    assert rules_of(databases, user=hashless).hashing == "text"
    assert same.verdict is Verdict.PASSED
    if key == "bigint":
        assert (found.missing_count, found.extra_count) == (2, 2)
    else:
        assert {(row.key, row.columns) for row in found.changed} == {(("7",), ("price",)), (("90",), ("price",))}
