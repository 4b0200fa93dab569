"""The arithmetic of connections: declared, allowed, in use."""

from types import MappingProxyType
from typing import Any

import pytest

from trueup.db.budgets import Budget, Room, count_services, judge
from trueup.settings import Service

SEVEN = tuple(Service(name=f"service-{number}") for number in range(7))


def room(**changes: Any) -> Room:
    usual = {"role": "api", "database": "salon", "max_connections": 30, "reserved": 5, "database_limit": None}
    frozen = {name: MappingProxyType(value) if isinstance(value, dict) else value for name, value in changes.items()}
    return Room(**{**usual, **frozen})


def found(services: tuple[Service, ...] = SEVEN, **changes: Any) -> list[str]:
    return [f"{finding.subject}: {finding.message}" for finding in judge(services, room(**changes))]


def test_seven_services_of_three_are_twenty_one() -> None:
    """W-P5: 7 x 3 = 21 was a comment."""
    assert Budget(services=SEVEN, room=room(), findings=()).most == 21
    assert found() == []


def test_every_process_counts() -> None:
    """W-P5: 16 processes ran where 7 were counted."""
    assert found((*SEVEN, Service(name="worker", processes=4))) == [
        "server: the services may open 33 connections, max_connections less the reserved ones allow 25"
    ]


SUM = "the services may open 21 connections"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"max_connections": 26}, []),
        ({"max_connections": 25}, [f"server: {SUM}, max_connections less the reserved ones allow 20"]),
        ({"database_limit": 21}, []),
        ({"database_limit": 20}, [f"database salon: {SUM}, its connection limit allows 20"]),
        ({"role_limits": {"api": 21}}, []),
        ({"role_limits": {"api": 20}}, [f"role api: {SUM}, its connection limit allows 20"]),
        ({"role_limits": {"somebody": 1}}, []),
        ({"in_use": {"service-0": 3}}, []),
        ({"in_use": {"service-0": 4}}, ["service service-0: it holds 4 connections and declares 3"]),
        ({"in_use": {"psql": 4}}, []),
        (
            {"in_use": {"psql": 4, "": 1}},
            [
                (
                    "server: 5 connections belong to no declared service (without a name 1, psql 4); with the 21 of the"
                    " services they exceed 25"
                )
            ],
        ),
    ],
)
def test_sum_is_held_against_each_limit(changes: dict[str, Any], expected: list[str]) -> None:
    """W-P8: no view of pg_stat_activity and max_connections."""
    assert found(**changes) == expected


def test_limit_of_a_role_counts_the_services_of_that_role() -> None:
    services = (Service(name="a", role="reader"), Service(name="b", role="writer"), Service(name="c", role="writer"))

    assert found(services, role_limits={"reader": 3, "writer": 5}) == [
        "role writer: the services may open 6 connections, its connection limit allows 5"
    ]


def test_service_is_what_stands_before_the_process_id() -> None:
    assert count_services(["api:1", "api:22", "a:b:3", "psql", "x:y", ""]) == {
        "api": 2,
        "a:b": 1,
        "psql": 1,
        "x:y": 1,
        "": 1,
    }
