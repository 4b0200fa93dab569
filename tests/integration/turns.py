"""Which tests of those that repeat themselves every run tries, always the same; `-m long` tries the others."""

import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from zlib import crc32

import pytest

SAMPLED = {
    "test_plan_between_the_states_of_a_project_is_proved_and_does_what_was_proved[pg16-": 31,
    "test_plan_between_the_states_of_a_project_is_proved_and_does_what_was_proved[pg18-": 12,
    "through_pgbouncer.py::test_backend[": 5,
    "through_pgbouncer.py::test_refusal": 5,
    "through_pgbouncer.py::test_wire[": 5,
    "through_pgbouncer.py::": 2,
}
"""Of which tests, by the first part that their ids hold, every run tries one in so many; `-m long` tries the others."""
ON_ONE_VERSION = (
    "cli/test_verify_sample.py::test_moved_sample_passes_",
    "cli/test_verify_sample.py::test_whole_run_reports_",
    "db/isolation/test_isolation.py::",
    "db/test_commit_cuts.py::",
    "db/test_drain.py::test_sigterm_drains",
    "db/test_fate.py::test_transaction_in_doubt_",
    "db/test_fault_matrix.py::",
    "db/test_interruption.py::",
    "db/test_pool.py::test_budget_holds_while_",
    "db/test_pool.py::test_connection_that_was_idle_",
    "db/test_pool.py::test_one_login_tries_for_all_",
    "db/test_pool.py::test_waiting_callers_",
    "migrations/test_dbmate.py::test_each_continues_",
    "migrations/test_dbmate.py::test_either_undoes_",
    "observe/test_bugsink.py::test_real_row_stays_here",
    "parity/data/test_every_type.py::test_every_value_differs_",
    "parity/data/test_every_type.py::test_planted_edits_",
    "parity/data/test_every_type.py::test_rows_without_a_key_",
    "parity/data/test_references.py::test_a_server_without_the_hash_",
    "parity/data/test_scale.py::",
    "parity/data/test_segments.py::test_a_paranoid_comparison_",
    "parity/data/test_segments.py::test_a_table_of_many_differences_",
    "parity/data/test_segments.py::test_segments_together_",
    "parity/data/test_tables.py::test_a_hostile_name_",
    "parity/data/test_tables.py::test_a_table_empty_",
    "parity/schema/planning/test_proof.py::",
    "parity/schema/test_differences.py::test_differences_are_found_",
    "parity/schema/test_objects.py::test_changed_object_",
    "parity/schema/test_objects.py::test_object_on_one_side_",
    "parity/schema/test_objects.py::test_setting_on_one_side_",
    "tables/test_bulk.py::test_100000_rows_",
    "tables/test_values.py::test_rows_in_bulk_",
    "testing/faults/test_disk.py::test_full_disk_",
    "testing/faults/test_servers.py::test_frozen_server_hangs_",
    "testing/rewind/test_baseline.py::",
    "testing/rewind/test_limits.py::test_interrupted_rewind_",
    "testing/rewind/test_others.py::test_tolerated_connection_",
    "testing/rewind/test_programs.py::",
    "testing/rules/test_reversal.py::test_migration_that_does_not_lead_back_",
    "testing/test_provided.py::test_whole_run_",
    "verify/sample/test_build.py::test_drifted_sample_is_built_",
)
"""Tests that take long and ask little of a version, by the beginning of their ids: every run tries each on one."""
VERSION = re.compile(r"(?<=[\[-])(pg)?1[68](\W?to\W?1[68])?(?=[]-])")


def left_out(items: Iterable[pytest.Item]) -> Iterator[pytest.Item]:
    """Yield the tests that are tried again elsewhere: on another version, without a pooler in between."""
    found = {item.nodeid: item for item in items}
    for part, nodeids in groupby(sorted(found, key=part_of), part_of):
        for number, nodeid in enumerate(sorted(nodeids)):
            if number % SAMPLED.get(part, 1) or is_of_the_others(nodeid):
                yield found[nodeid]


def part_of(nodeid: str) -> str:
    return next((part for part in SAMPLED if part in nodeid), "")


def is_of_the_others(nodeid: str) -> bool:
    """Say whether it is the other version's turn: by the test's own name, so that no other test changes it."""
    version = VERSION.search(nodeid)
    if version is None or not nodeid.removeprefix("tests/integration/").startswith(ON_ONE_VERSION):
        return False
    turn = crc32(VERSION.sub("", nodeid, count=1).encode()) % 2
    return ("16", "18")[turn] != re.findall("1[68]", version[0])[0]
