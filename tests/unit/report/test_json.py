import json
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given

from trueup.report.json import encode, envelope
from trueup.report.model import Finding, Report, Section, Severity, Side, Verdict
from trueup.report.text import encodable

# To explain a failure, hypothesis would trace each line of each attempt, which takes minutes.
REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "json.md"


def written(value):
    """The value as UTF-8 can carry it."""
    match value:
        case str():
            return encodable(value)
        case dict():
            return {written(key): item for key, item in value.items()}
        case list() | tuple():
            return [written(item) for item in value]
    return value


def facts(finding: Finding, compared: dict[str, int]) -> dict[str, object]:
    names = ("check", "verdict", "severity", "object", "message", "meaning", "remedy", "details")
    return written({name: written(getattr(finding, name)) for name in names} | {"compared": written(compared)})


@given(...)
def test_json_is_the_same_line_of_utf8_each_time_and_equals_the_model(report: Report):
    encoded = encode(report)

    decoded = json.loads(encoded)

    assert encode(report) == encoded
    assert "\n" not in encoded.decode("utf-8")
    assert decoded["schema_version"] == 1
    assert decoded["verdict"] == report.verdict
    assert decoded["title"] == written(report.title)
    assert datetime.fromisoformat(decoded["started_at"]) == report.started_at
    assert decoded["sides"] == [
        {name: written(getattr(side, name)) for name in Side.__slots__} for side in report.sides
    ]
    assert [(phase["name"], phase["seconds"]) for phase in decoded["phases"]] == [
        (written(name), seconds) for name, seconds in report.phases
    ]
    assert decoded["notes"] == written(report.notes)
    for told, section in zip(decoded["sections"], report.sections, strict=True):
        assert [told[name] for name in ("check", "title", "verdict", "compared", "seconds")] == [
            written(value)
            for value in (section.check, section.title, section.verdict, section.compared, section.seconds)
        ]
        assert [decoded["findings"][position] for position in told["findings"]] == [
            facts(finding, finding.compared or section.compared) for finding in section.findings
        ]
    positions = [position for section in decoded["sections"] for position in section["findings"]]
    assert positions == list(range(len(report.findings)))  # Each finding stands in the flat list once.
    assert len(decoded["findings"]) == len(report.findings)


def test_keys_of_the_envelope_come_first_and_findings_last(make_finding):
    told = json.loads(envelope(Verdict.FAILED, [make_finding()], compared={"tables": 9}, differences=[]))

    assert list(told) == ["schema_version", "verdict", "compared", "differences", "findings"]


def test_finding_tells_how_much_the_command_compared(make_finding):
    own, common = make_finding(compared={"rows": 3}), make_finding()

    told = json.loads(envelope(Verdict.FAILED, [own, common], compared={"tables": 9}))

    assert [finding["compared"] for finding in told["findings"]] == [{"rows": 3}, {"tables": 9}]


def test_payload_may_hold_dataclasses_enums_and_odd_names():
    side = Side(role="source", name="\udcff", server="", database="", user="")

    told = json.loads(envelope(Verdict.PASSED, differences=[{"severity": Severity.LOSSY, "side": side, "\ud800": 1}]))

    assert told["differences"][0]["severity"] == "lossy"
    assert told["differences"][0]["side"]["name"] == "\\udcff"
    assert told["differences"][0]["\\ud800"] == 1


@pytest.mark.parametrize("key", ["schema_version", "findings"])
def test_payload_cannot_replace_the_envelope(key):
    with pytest.raises((ValueError, TypeError), match=key):
        envelope(Verdict.PASSED, (), **{key: 2})


def test_value_without_a_json_form_is_an_error_not_a_guess():
    with pytest.raises(NotImplementedError, match="complex"):
        envelope(Verdict.PASSED, value=1j)


def test_reference_names_every_key(make_report, make_finding):
    told = json.loads(encode(make_report(make_finding())))
    reference = REFERENCE.read_text(encoding="utf-8")

    for part in (told, told["findings"][0], told["sections"][0], told["sides"][0], told["phases"][0]):
        assert [key for key in part if f'"{key}"' not in reference] == []


def test_section_that_compared_nothing_is_told_inconclusive(make_report):
    told = json.loads(encode(make_report(sections=(Section(check="data", title="Rows"),))))

    assert told["sections"][0]["verdict"] == told["verdict"] == "inconclusive"
