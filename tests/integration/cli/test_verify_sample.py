"""The main job: two real data sets, moved between two real servers, verified; and damage, found to the last row."""

import json
from collections import Counter
from xml.etree import ElementTree as ET

import pytest

from trueup.cli.exits import ExitCode
from trueup.servers import EmbeddedServer
from trueup.verify.sample import DAMAGES, build_sample
from trueup.verify.sample.damage import Trace

DIRECTIONS = pytest.mark.parametrize("versions", [(16, 18), (18, 16)], ids=["16-to-18", "18-to-16"])


@DIRECTIONS
def test_moved_sample_passes_and_the_report_says_how_much_was_compared(trueup, tmp_path, versions):
    source, target = versions

    done = trueup("verify", "--source-version", source, "--target-version", target, "--junit", "out/junit.xml")

    report = json.loads((tmp_path / "reports/report.json").read_bytes())
    assert done.code == ExitCode.PASSED
    assert report["verdict"] == "passed"
    assert report["findings"] == []
    assert [side["server"].split()[1].split(".")[0] for side in report["sides"]] == [str(source), str(target)]
    compared = {section["check"]: section["compared"] for section in report["sections"]}
    assert compared["schema"]["tables"] == compared["data"]["tables"] == 16
    assert compared["data"]["source rows"] == compared["data"]["target rows"] == 15_607 + 57_915
    assert compared["sequences"] == {"source sequences": 10, "target sequences": 10}
    assert {"start two servers", "build the source", "check data"} <= {phase["name"] for phase in report["phases"]}
    assert "reports/report.html" in done.out
    assert "passed" in (tmp_path / "reports/report.html").read_text().lower()
    assert ET.parse(tmp_path / "out/junit.xml").getroot().get("failures") == "0"


@pytest.fixture(scope="module", params=[(16, 18), (18, 16)], ids=["16-to-18", "18-to-16"])
def drifted(request, cache_folder):
    source, target = request.param
    with (
        EmbeddedServer(source, cache_folder=cache_folder) as source_server,
        EmbeddedServer(target, cache_folder=cache_folder) as target_server,
    ):
        yield build_sample(source_server, target_server, drifted=True)


def planted(*traces):
    return [damage.expected for damage in DAMAGES if damage.expected.trace in traces]


def test_every_planted_change_of_structure_is_found_and_nothing_else(trueup, drifted):
    """M-5, M-14, M-20: a lost unique key, a narrowed type, an inverted default."""
    done = trueup("schema", "diff", *drifted, "--json")

    assert done.code == ExitCode.FAILED
    assert {(one["kind"], one["object"], one["change"]) for one in done.json["differences"]} == {
        (one.trace.value, one.object, one.change) for one in planted(Trace.COLUMN, Trace.CONSTRAINT)
    }


def test_every_planted_row_is_found_by_key_and_column_and_nothing_else(trueup, drifted):
    done = trueup("data", "diff", *drifted, "--json")

    found = Counter()
    for table in done.json["tables"]:
        name = table["table"]
        found.update((Trace.MISSING, name, tuple(key), ()) for key in table["missing"])
        found.update((Trace.EXTRA, name, tuple(key), ()) for key in table["extra"])
        found.update((Trace.CHANGED, name, tuple(row["key"]), tuple(row["columns"])) for row in table["changed"])
        assert not table["truncated"]
    assert done.code == ExitCode.FAILED
    assert found == Counter(
        (one.trace, one.object, one.key, one.columns) for one in planted(Trace.CHANGED, Trace.MISSING, Trace.EXTRA)
    )


def test_whole_run_reports_every_planted_damage_once(trueup, drifted):
    """M-22: the sequence left behind is found besides."""
    done = trueup("verify", "--source", drifted[0], "--target", drifted[1], "--json")

    assert done.code == ExitCode.FAILED
    assert Counter(finding["object"] for finding in done.json["findings"]) == Counter(
        damage.expected.object for damage in DAMAGES
    )
    [sequence] = [one for one in done.json["findings"] if one["check"] == "sequences"]
    assert sequence["remedy"] == "select setval('chinook.invoice_invoice_id_seq', 412);"


def test_drifted_sample_is_one_command(trueup):
    done = trueup("verify", "--sample", "drifted")

    assert done.code == ExitCode.FAILED
    assert f"{len(DAMAGES)} differences found" in done.out
    for damage in DAMAGES:
        assert damage.expected.object in done.out


def test_one_check_alone_looks_at_nothing_else(trueup, drifted):
    done = trueup("verify", "--source", drifted[0], "--target", drifted[1], "--check", "sequences", "--json")

    assert [section["check"] for section in done.json["sections"]] == ["sequences"]
    assert len(done.json["findings"]) == 1
