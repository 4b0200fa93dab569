"""The page in a real browser. Needs the `playwright` package and Debian's chromium."""

import shutil
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from trueup.report.html import MOST_OPEN, render, render_site
from trueup.report.model import Finding, Report, Section, Severity, Side, Verdict
from trueup.report.runs import run_of
from trueup.report.site import Coverage, Ratio, Site, TestSession

playwright = pytest.importorskip("playwright.sync_api", reason="the playwright package is not installed")
CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the path")

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1200, "height": 800}

FAINT_TEXTS = """() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", {willReadFrequently: true});
  const rgba = colour => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return canvas.getImageData(0, 0, 1, 1).data;
  };
  const luminance = colour => [...rgba(colour)].slice(0, 3)
    .map(value => value / 255).map(value => value <= .04045 ? value / 12.92 : ((value + .055) / 1.055) ** 2.4)
    .reduce((sum, value, i) => sum + value * [.2126, .7152, .0722][i], 0);
  const ground = element => !element ? "white"
    : rgba(getComputedStyle(element).backgroundColor)[3] === 255 ? getComputedStyle(element).backgroundColor
    : ground(element.parentElement);
  const contrast = element => {
    const [dark, light] = [getComputedStyle(element).color, ground(element)].map(luminance).sort((a, b) => a - b);
    return (light + .05) / (dark + .05);
  };
  return [...document.body.querySelectorAll("*")]
    .filter(element => [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim()))
    .map(element => [element.textContent.trim().slice(0, 40), contrast(element)])
    .filter(([, ratio]) => ratio < 4.5);
}"""

BOXES = "selectors => selectors.map(selector => document.querySelector(selector).getBoundingClientRect().toJSON())"

PAPER = "getComputedStyle(document.body).backgroundColor"

UNSEEN_TEXTS = """() => [...document.body.querySelectorAll("*")]
  .filter(element => [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim()))
  .filter(element => !element.checkVisibility({visibilityProperty: true, opacityProperty: true})
                     || element.getBoundingClientRect().height < 4)
  .map(element => element.textContent.trim().slice(0, 40))"""


def report_of(*verdicts: Verdict, copies: int = 1) -> Report:
    """A report with every severity, long names and long lines, as failed or not as `verdicts` say."""
    name = "public." + "a_rather_long_name_" * 3 + "x" * 63
    found = [
        Finding(
            check="schema",
            verdict=verdict,
            severity=severity,
            object=f"{name}{copy}",
            message="The type is text in the source and character varying(50) in the target.",
            meaning="Longer values are refused with an error.",
            remedy=f"alter table {name} alter column phone type text",
            details=("source  " + "x" * 200, "target  character varying(50)"),
        )
        for copy in range(copies)
        for verdict in verdicts
        for severity in (*Severity, None)
    ]
    return Report(
        title="salon",
        version="0.1.0",
        started_at=datetime(2026, 3, 1, 2, 0, 3, tzinfo=UTC),
        sides=tuple(
            Side(role=role, name=f"{role}-{name}", server="PostgreSQL 18.4", database=name, user="reader")
            for role in ("source", "target")
        ),
        sections=(
            Section(check="schema", title="Structure", compared={"tables": 16, "columns": 129}, findings=tuple(found)),
            Section(check="data", title="Rows", compared={"rows": 58730}, seconds=1.2),
        ),
        phases=(("compare", 1.2), ("report", 0.1)),
        notes=("The source did not move.",),
        command=f"trueup verify --source {name}",
    )


REPORTS = {
    Verdict.PASSED: report_of(),
    Verdict.FAILED: report_of(Verdict.FAILED, Verdict.PASSED),
    Verdict.INCONCLUSIVE: report_of(Verdict.INCONCLUSIVE),
    Verdict.REFUSED: report_of(Verdict.REFUSED),
}


@pytest.fixture(scope="module")
def page():
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=CHROMIUM, args=["--disable-gpu", "--disable-quic"])
        yield chromium.new_page()
        chromium.close()


@contextmanager
def watched(page, file):
    """Fail on any request or complaint that a page makes while it shows a file."""
    requests, complaints = [], []
    listeners = {
        "request": lambda request: requests.append(request.url),
        "console": lambda message: complaints.append(message.text),
        "pageerror": lambda error: complaints.append(str(error)),
    }
    for event, listener in listeners.items():
        page.on(event, listener)
    yield
    for event, listener in listeners.items():
        page.remove_listener(event, listener)
    assert [url for url in requests if not url.startswith("data:")] == [file.as_uri()]
    assert complaints == []


@pytest.fixture
def show(page, tmp_path):
    """Open a report; fails on any request or complaint that the page makes."""
    file = tmp_path / "report.html"

    def show(report, *, window=DESK, scheme="light"):
        text = render_site(report) if isinstance(report, Site) else render(report)
        file.write_text(text, encoding="utf-8")
        page.set_viewport_size(window)
        page.emulate_media(media="screen", color_scheme=scheme)
        page.goto(file.as_uri())
        return page

    with watched(page, file):
        yield show


@pytest.mark.parametrize("verdict", Verdict)
def test_verdict_is_seen_without_scrolling_and_nothing_is_wider_than_the_window(show, verdict):
    page = show(REPORTS[verdict])

    for window in (PHONE, DESK):
        page.set_viewport_size(window)
        boxes = page.evaluate(BOXES, [".word", "h1", ".explanation"])
        assert all(0 <= box["top"] < box["bottom"] <= window["height"] for box in boxes)
        assert page.evaluate("document.documentElement.scrollWidth") <= window["width"]


@pytest.mark.parametrize("verdict", Verdict)
def test_every_text_has_contrast_in_light_and_dark(show, verdict):
    page = show(REPORTS[verdict])

    faint = {}
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        faint[scheme] = page.evaluate(FAINT_TEXTS)

    assert faint == {"light": [], "dark": []}


def test_print_opens_what_is_folded_and_turns_dark_to_light(show):
    page = show(report_of(Verdict.FAILED, copies=MOST_OPEN), scheme="dark")
    seen = page.evaluate(UNSEEN_TEXTS), page.evaluate(PAPER)

    page.emulate_media(media="print")

    assert len(seen[0]) > MOST_OPEN
    assert seen[1] == "rgb(20, 22, 25)"
    assert (page.evaluate(UNSEEN_TEXTS), page.evaluate(PAPER)) == ([], "rgb(255, 255, 255)")


def test_count_of_a_severity_leads_to_its_findings(show):
    page = show(REPORTS[Verdict.FAILED], window=PHONE)

    page.locator("nav a.lossy").click()

    (heading,) = page.evaluate(BOXES, ["h3#lossy"])
    assert 0 <= heading["top"] < PHONE["height"]


def test_screen_reader_hears_the_verdict_and_the_table(show):
    page = show(REPORTS[Verdict.FAILED], window=PHONE)

    heard = page.locator("body").aria_snapshot()

    assert 'heading "The two databases are not the same" [level=1]' in heard
    assert 'columnheader "Verdict"' in heard
    assert 'row "Rows 58,730 rows Findings: none 1.2 s Passed"' in heard


# -- the front page of all reports -------------------------------------------------------------------------------------

LONG = "a_rather_long_name_" * 4
SITE = Site(
    made_at=datetime(2026, 3, 1, 3, tzinfo=UTC),
    version="0.1.0",
    runs=tuple(map(run_of, REPORTS.values())) * 12,
    has_report=True,
    tests=(
        TestSession(name="unit", tests=3400, failures=(), skipped=2, seconds=41.0),
        TestSession(name=LONG, tests=9, failures=(f"tests.{LONG}.test_{LONG}",), skipped=0, seconds=400.0),
        TestSession(name="long", tests=0, failures=(), skipped=0, seconds=0.0),
    ),
    coverage=Coverage(percent=97, link="coverage/index.html"),
    ratios=(
        Ratio(name="find_one", ratio=0.51, against="psycopg", limit=0.75),
        Ratio(name=LONG, ratio=2.5, against=LONG, limit=0.55),
    ),
    links=(("Test sessions", "session/index.html"),),
    problems=("tests/x.xml is not readable",),
)
EMPTY = Site(made_at=datetime(2026, 3, 1, 3, tzinfo=UTC), version="0.1.0")


@pytest.mark.parametrize("site", [SITE, EMPTY], ids=["full", "empty"])
def test_front_page_fits_every_window_and_has_contrast_in_light_and_dark(show, site):
    page = show(site)

    for window in (PHONE, DESK):
        page.set_viewport_size(window)
        assert page.evaluate("document.documentElement.scrollWidth") <= window["width"]
        boxes = page.evaluate(BOXES, [".word", "h1", ".explanation"])
        assert all(0 <= box["top"] < box["bottom"] <= window["height"] for box in boxes)
    faint = {}
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        faint[scheme] = [text for text, _ in page.evaluate(FAINT_TEXTS)]
    assert faint == {"light": [], "dark": []}


def test_screen_reader_hears_runs_tests_and_ratios(show):
    heard = show(SITE, window=PHONE).locator("body").aria_snapshot()

    assert 'heading "Not everything holds" [level=1]' not in heard
    assert 'heading "A run was refused" [level=1]' in heard
    assert 'img "salon, 40 runs: 10 passed, 10 failed, 10 inconclusive, 10 refused"' in heard
    assert 'row "unit 3,398 passed Skipped: 2 41.0 s Passed"' in heard
    assert "above its limit of 0.55" in heard
    assert 'link "Read the whole report"' in heard


def test_front_page_is_printed_light(show):
    page = show(SITE, scheme="dark")

    page.emulate_media(media="print")

    assert page.evaluate(PAPER) == "rgb(255, 255, 255)"
