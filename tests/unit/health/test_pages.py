"""What the pages of health say, and to whom."""

from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, cast

import pytest

from trueup.conninfo import ConnInfo
from trueup.db import Database
from trueup.db.statistics import Statistics
from trueup.health import bodies
from trueup.health.checks import check_runs, domain_check, percentiles
from trueup.health.metrics import exposition
from trueup.health.model import Answer, Status, worst
from trueup.settings import DatabaseSettings

WELL = Answer(status=Status.OK, figures={"total_keys": 7}, age_s=1.23456)
ILL = Answer(status=Status.FAIL, reason="PoolTimeout", figures={"status": "ok", "age": 0})
NOWHERE = Database(DatabaseSettings(conninfo=ConnInfo.parse("host=127.0.0.1 port=1")))
WARNED = Answer(status=Status.WARN, reason="see its figures")
POOL = Statistics(
    **{each.name: 3 for each in fields(Statistics) if each.type is int}, waiting_s=0.5, exchange_s=0.25, held_s=0.75
)


def test_public_page_says_no_more_than_the_plan_asked_for() -> None:
    """W-H1, W-H11: status, uptime and timestamp."""
    page = bodies.page(WELL, 12.3456, is_detailed=False)

    assert page.keys() == {"status", "uptime", "timestamp"}
    assert (page["status"], page["uptime"]) == ("ok", 12.346)
    assert datetime.fromisoformat(str(page["timestamp"])).tzinfo is not None


def test_page_with_the_token_has_the_figures_beside_the_status() -> None:
    page = bodies.page(ILL, 1, is_detailed=True)

    assert page["status"] == "fail"
    assert page["reason"] == "PoolTimeout"
    assert bodies.page(WELL, 1, is_detailed=True)["total_keys"] == 7
    assert bodies.page(WELL, 1, is_detailed=True)["age"] == 1.235


def test_overview_is_as_its_worst_part() -> None:
    """W-H3, W-H9: the whole is not well while a part is not, and the pool is part of it."""
    page = bodies.overview({"database": WELL, "whatsapp": ILL}, 1, is_detailed=True)

    assert page["status"] == "fail"
    assert cast("dict[str, list[Any]]", page["checks"])["whatsapp"][0]["status"] == "fail"
    assert "checks" not in bodies.overview({"database": WELL}, 1, is_detailed=False)


@pytest.mark.parametrize(
    ("answers", "status"),
    [([], Status.FAIL), ([WELL], Status.OK), ([WELL, WARNED], Status.WARN), ([WARNED, ILL, WELL], Status.FAIL)],
)
def test_whole_is_as_its_worst_part_and_nothing_checked_is_a_failure(answers: list[Answer], status: Status) -> None:
    assert worst(answers) is status


class Word(Enum):
    FINE = "Healthy"


@dataclass
class Result:
    status: object
    expired_keys: int = 4


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("ok", Status.OK),
        ("pass", Status.OK),
        (Word.FINE, Status.OK),
        ("warning", Status.WARN),
        ("critical", Status.FAIL),
        ("", Status.FAIL),
        (None, Status.FAIL),
        (1, Status.FAIL),
    ],
)
def test_word_that_is_not_known_to_be_good_is_a_failure(said: object, status: Status) -> None:
    """W-H4: a check that returns nothing sensible isn't well."""
    assert domain_check(NOWHERE, lambda db: Result(said))().status is status
    assert domain_check(NOWHERE, lambda db: Result(said))().figures["expired_keys"] == 4
    assert domain_check(NOWHERE, lambda db: None)().status is Status.FAIL


@dataclass
class Runs:
    last_run_at: datetime | None
    last_success_at: datetime | None


def hours_ago(hours: float) -> datetime:
    return datetime.now(UTC) - timedelta(hours=hours)


@pytest.mark.parametrize(
    ("ran", "passed", "is_awaited", "status"),
    [
        (None, None, False, Status.OK),
        (None, None, True, Status.FAIL),
        (hours_ago(1), None, False, Status.FAIL),
        (hours_ago(1), hours_ago(25), True, Status.WARN),
        (hours_ago(1), hours_ago(26.1), True, Status.FAIL),
        (hours_ago(27), hours_ago(27), False, Status.FAIL),
    ],
)
def test_verification_that_has_not_passed_for_26_hours_is_a_failure(
    ran: datetime | None, passed: datetime | None, is_awaited: bool, status: Status
) -> None:
    """A run that never began tells nobody: the moment of the last one that passed has to."""
    answer = check_runs(lambda: Runs(ran, passed), is_awaited=is_awaited)()

    assert answer.status is status
    assert answer.figures["last_success_at"] == (passed and passed.isoformat())


def test_verification_that_has_just_passed_is_well() -> None:
    now = hours_ago(0)

    assert check_runs(lambda: Runs(now, now), is_awaited=True)() == Answer(
        status=Status.OK, figures={"last_run_at": now.isoformat(), "last_success_at": now.isoformat()}
    )


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        ([0.002], {"p50": 2.0, "p95": 2.0, "p99": 2.0, "count": 1}),
        ([n / 1000 for n in range(101)], {"p50": 50.0, "p95": 95.0, "p99": 99.0, "count": 101}),
    ],
)
def test_percentiles_are_in_ms(seconds: list[float], expected: dict[str, float]) -> None:
    assert percentiles(seconds) == expected


def metrics(answers: dict[str, Answer]) -> list[str]:
    written = exposition(lambda: answers, lambda: POOL)()
    return [line for line in written.decode().splitlines() if not line.startswith("#")]


def test_metrics_tell_statuses_figures_and_the_pool_by_known_names() -> None:
    figures = {"budget": {"most": 21}, "is_stale": True, "last_check": "2026-11-23", "pool": {"max_size": 3}}
    lines = metrics({"database": Answer(status=Status.WARN, figures=figures, age_s=2)})

    assert 'trueup_health_status{check="database",status="ok"} 0.0' in lines
    assert 'trueup_health_status{check="database",status="warn"} 1.0' in lines
    assert 'trueup_health_age_seconds{check="database"} 2.0' in lines
    assert 'trueup_health_figure{check="database",figure="budget.most"} 21.0' in lines
    assert 'trueup_health_figure{check="database",figure="is_stale"} 1.0' in lines
    assert 'db_client_connection_count{state="used"} 3.0' in lines
    assert "db_client_connection_wait_time_seconds_sum 0.5" in lines
    assert not [line for line in lines if "pool." in line or "last_check" in line]
