"""Reports to render: plain ones from factories, odd ones from hypothesis."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import strategies as st

from trueup.report.model import Finding, Report, Section, Severity, Side, Verdict

# Everything a Python string can hold: controls, marks of reading order, surrogates.
texts = st.text(st.characters(exclude_categories=()), max_size=8) | st.sampled_from(
    ["<script>alert(1)</script>", "\"'&", "]]>", "\r\n", "\x00", "\u202e", "\udc80", "{{ 7 * 7 }}", "🙂"]
)
amounts = st.dictionaries(texts, st.integers(0, 2**40), max_size=2)
seconds = st.floats(0, 1e6)
findings = st.builds(
    Finding,
    check=texts,
    verdict=st.sampled_from(Verdict),
    severity=st.none() | st.sampled_from(Severity),
    object=texts,
    message=texts,
    meaning=texts,
    remedy=texts,
    details=st.lists(texts, max_size=2).map(tuple),
    compared=amounts,
)
sections = st.builds(
    Section,
    check=texts,
    title=texts,
    compared=amounts,
    findings=st.lists(findings, max_size=2).map(tuple),
    seconds=seconds,
)
sides = st.builds(Side, role=texts, name=texts, server=texts, database=texts, user=texts)
st.register_type_strategy(
    Report,
    st.builds(
        Report,
        title=texts,
        version=texts,
        command=texts,
        started_at=st.datetimes(timezones=st.just(UTC)),
        sides=st.lists(sides, max_size=2).map(tuple),
        sections=st.lists(sections, max_size=2).map(tuple),
        phases=st.lists(st.tuples(texts, seconds), max_size=2).map(tuple),
        notes=st.lists(texts, max_size=2).map(tuple),
    ),
)


@pytest.fixture(scope="session")
def make_finding() -> Callable[..., Finding]:
    def make(**facts: Any) -> Finding:
        defaults = {
            "check": "schema",
            "verdict": Verdict.FAILED,
            "severity": Severity.BREAKING,
            "object": "public.clients.phone",
            "message": "The column is missing in the target.",
        }
        return Finding(**{**defaults, **facts})

    return make


@pytest.fixture(scope="session")
def make_report() -> Callable[..., Report]:
    def make(*found: Finding, **facts: Any) -> Report:
        sides = [
            Side(role=role, name=f"service={role}", server="PostgreSQL 18.4", database="salon", user="reader")
            for role in ("source", "target")
        ]
        section = Section(check="schema", title="Structure", compared={"tables": 9}, findings=found, seconds=1.5)
        defaults = {
            "title": "salon",
            "version": "0.1.0",
            "started_at": datetime(2026, 3, 1, 2, 0, 3, tzinfo=UTC),
            "sides": tuple(sides),
            "sections": (section,),
            "phases": (("read", 1.0), ("compare", 0.25)),
            "notes": ("The source did not move.",),
            "command": "trueup verify --source service=source",
        }
        return Report(**{**defaults, **facts})

    return make
