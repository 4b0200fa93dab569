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
    "test_baseline.py::",
    "test_bridge.py::test_process_answers_",
    "test_bugsink.py::test_real_row_stays_here",
    "test_build.py::test_drifted_sample_is_built_",
    "test_bulk.py::test_100000_rows_",
    "test_chain.py::test_chain_remembers_no_salon_",
    "test_cleanup.py::test_run_deletes_just_",
    "test_command.py::test_script_is_",
    "test_commit_cuts.py::",
    "test_data_layer.py::test_failure_is_reported_once_",
    "test_dbmate.py::test_each_continues_",
    "test_dbmate.py::test_either_undoes_",
    "test_differences.py::test_differences_are_found_",
    "test_disk.py::test_full_disk_",
    "test_drain.py::test_sigterm_drains",
    "test_every_type.py::test_every_value_differs_",
    "test_every_type.py::test_planted_edits_",
    "test_every_type.py::test_rows_without_a_key_",
    "test_fate.py::test_transaction_in_doubt_",
    "test_fault_matrix.py::",
    "test_interruption.py::",
    "test_isolation.py::",
    "test_kills.py::",
    "test_limits.py::test_interrupted_rewind_",
    "test_objects.py::test_changed_object_",
    "test_objects.py::test_object_on_one_side_",
    "test_objects.py::test_setting_on_one_side_",
    "test_others.py::test_tolerated_connection_",
    "test_pool.py::test_budget_holds_while_",
    "test_pool.py::test_connection_that_was_idle_",
    "test_pool.py::test_one_login_tries_for_all_",
    "test_pool.py::test_waiting_callers_",
    "test_programs.py::",
    "test_proof.py::",
    "test_provided.py::test_whole_run_",
    "test_references.py::test_a_server_without_the_hash_",
    "test_reversal.py::test_migration_that_does_not_lead_back_",
    "test_salon.py::test_any_number_of_clients_",
    "test_salon.py::test_salon_of_real_size_",
    "test_scale.py::",
    "test_segments.py::test_a_paranoid_comparison_",
    "test_segments.py::test_a_table_of_many_differences_",
    "test_segments.py::test_segments_together_",
    "test_servers.py::test_frozen_server_hangs_",
    "test_tables.py::test_a_hostile_name_",
    "test_tables.py::test_a_table_empty_",
    "test_test_data.py::test_interrupted_run_",
    "test_test_data.py::test_script_runs_",
    "test_values.py::test_rows_in_bulk_",
    "test_verify_sample.py::test_moved_sample_passes_",
    "test_verify_sample.py::test_whole_run_reports_",
    "test_versions.py::test_all_shapes_differ_",
)
"""Tests that take long and ask little of a version, by file and how they begin: every run tries each on one."""
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
    folder = nodeid.partition("::")[0].rpartition("/")[0]
    name = nodeid.removeprefix(f"{folder}/")
    version = VERSION.search(name)
    if version is None or not name.startswith(ON_ONE_VERSION):
        return False
    turn = crc32(VERSION.sub("", name, count=1).encode()) % 2
    return ("16", "18")[turn] != re.findall("1[68]", version[0])[0]
