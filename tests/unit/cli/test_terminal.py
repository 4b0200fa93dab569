from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from trueup.cli import terminal
from trueup.cli.terminal import OF_ONE, one_line, show_notes, show_report, show_section, show_table, table_of
from trueup.report.model import Finding, Report, Section, Side, Verdict, failure, left_open

FAILED = failure("budget", "server", "7 services want 21 of 20 connections", "Some get none.", "lower them")
OPEN = left_open("budget", "server", "it can't be asked")
REFUSED = Finding(check="budget", verdict=Verdict.REFUSED, severity=None, object="server", message="it is not safe")
SIDES = (
    Side(role="source", name="old", server="PostgreSQL 16.14", database="shop", user="ann"),
    Side(role="target", name="new", server="PostgreSQL 18.4", database="shop", user="ann"),
)


@pytest.fixture(autouse=True)
def no_terminal(monkeypatch):
    """Print as into a file, whatever FORCE_COLOR says."""
    monkeypatch.setattr(terminal.out, "_force_terminal", False)
    monkeypatch.setattr(terminal.out, "_color_system", None)


def section(*findings: Finding) -> Section:
    return Section(check="budget", title="Connections", compared={"services": 7}, findings=findings)


def last_line(text: str) -> str:
    return text.rstrip().splitlines()[-1]


@pytest.mark.parametrize(
    ("findings", "sentence"),
    [
        ((), "✓ passed  the target is what the source is, in everything that was compared"),
        ((FAILED,), "✗ failed  1 difference found"),
        ((FAILED, FAILED, OPEN), "✗ failed  2 differences found"),
        ((OPEN,), "? inconclusive  not everything could be compared, so nothing is called equal"),
        ((REFUSED,), "■ refused  nothing was compared"),
    ],
)
def test_verdict_on_two_databases_speaks_of_both(findings, sentence, capsys):
    show_section(section(*findings))

    assert last_line(capsys.readouterr().out) == sentence


@pytest.mark.parametrize(
    ("findings", "sentence"),
    [
        ((), "✓ passed  everything that was looked at holds"),
        ((FAILED,), "✗ failed  1 failure found"),
        ((FAILED, FAILED, OPEN), "✗ failed  2 failures found"),
        ((OPEN,), "? inconclusive  not everything could be looked at, so nothing is called sound"),
        ((REFUSED,), "■ refused  nothing was looked at"),
    ],
)
def test_verdict_on_one_database_speaks_of_no_source(findings, sentence, capsys):
    show_section(section(*findings), sentences=OF_ONE)

    assert last_line(capsys.readouterr().out) == sentence


@pytest.mark.parametrize(
    ("sides", "sentence"),
    [(SIDES, "the target is what the source is"), (SIDES[1:], "everything that was looked at holds")],
)
def test_report_on_one_database_speaks_of_no_source(sides, sentence, capsys):
    report = Report(
        title="T", version="1", started_at=datetime(2026, 1, 1, tzinfo=UTC), sides=sides, sections=(section(),)
    )

    show_report(report, Path("report.html"))

    assert sentence in capsys.readouterr().out


def test_text_that_looks_like_a_style_or_an_emoji_is_printed_as_it_is(capsys):
    odd = failure("contracts", "[red]:x:[/]", "shop:x: No module", "[bold]:warning:", ":bulb: [/nothing]")

    show_section(replace(section(odd), title=":x: [b]", compared={":x: [b]": 1}))
    show_notes([":x: [b]"])

    printed = capsys.readouterr().out
    for text in (odd.object, odd.message, odd.meaning, odd.remedy):
        assert text in printed
    assert printed.count(":x: [b]") == 3


def test_control_characters_of_a_name_do_not_reach_the_terminal(capsys):
    """A table may be called anything: also what clears the screen, or paints a red line green."""
    hostile = failure("schema", "public.\x1b[2J\u202e", "\x1b[32mpassed", "\x9b1m", "\x07")

    show_section(replace(section(hostile), title="\x1b[1A"))

    printed = capsys.readouterr().out
    assert r"public.\x1b[2J\u202e" in printed
    assert not {"\x1b", "\x9b", "\x07", "\u202e"} & {*printed}


@pytest.fixture
def narrow(monkeypatch):
    monkeypatch.setattr(terminal.out, "_width", 40)
    monkeypatch.setattr(terminal.out, "_height", 25)  # Without it, one that is dumb has 80 columns.


LONG = "a_service_whose_name_has_more_characters_than_the_line"


@pytest.mark.usefixtures("narrow")
def test_table_in_a_file_has_a_line_a_row(capsys):
    """What reads it looks for whole names."""
    table = table_of("service", "connections", "tracking")
    table.add_row(LONG, "3", "unknown: it declares no health at all")

    show_table(table)

    header, row = capsys.readouterr().out.splitlines()
    assert row == f"{LONG}            3  unknown: it declares no health at all"
    assert header == f"{'service':<{len(LONG)}}  connections  tracking"


@pytest.mark.usefixtures("narrow")
def test_table_on_a_terminal_is_as_wide_as_that_and_truncates_no_name(capsys, monkeypatch):
    monkeypatch.setattr(terminal.out, "_force_terminal", True)
    table = table_of("service", "tracking")
    table.add_row(LONG, "off")

    show_table(table)

    _, first, second = capsys.readouterr().out.splitlines()
    assert len(first) <= 40
    name, word = first.split()
    assert (name + second.strip(), word) == (LONG, "off")


def test_progress_takes_one_line():
    """A second one would stay on the screen."""
    assert one_line("comparing rows of public.bookings", 20).plain == "comparing rows of p…"
    assert one_line("short", 20).plain == "short"
    assert one_line("\x1b[2J", 20).plain == r"\x1b[2J"


def test_details_that_are_not_shown_are_where_the_command_has_them(capsys):
    """A command that writes no report must not send people to one."""
    found = replace(FAILED, details=tuple(f"id = {number}" for number in range(7)))
    report = Report(title="T", version="1", started_at=datetime(2026, 1, 1, tzinfo=UTC), sections=(section(found),))

    show_section(section(found))
    alone = capsys.readouterr().out
    show_report(report, Path("report.html"))

    assert "id = 4" in alone
    assert "id = 5" not in alone
    assert "… and 2 more (--json lists them)" in alone
    assert "… and 2 more (see the report)" in capsys.readouterr().out
