import re
import subprocess
import sys
from collections import Counter
from html.parser import HTMLParser
from itertools import pairwise, takewhile

import pytest
from hypothesis import given

from trueup.report.html import render
from trueup.report.model import Report, Section, Verdict
from trueup.report.text import printable

# To explain a failure, hypothesis would trace each line of each attempt, which takes minutes.
VOID = {"meta", "link", "wbr"}
HEADINGS = {"h1", "h2", "h3", "h4"}


class Element:
    def __init__(self, tag, attributes):
        self.tag, self.attributes, self.text = tag, attributes, ""

    def has_class(self, name):
        return name in (self.attributes.get("class") or "").split()


class Page(HTMLParser):
    """The elements of a page in order, each with all text inside it."""

    def __init__(self, source):
        super().__init__()
        self.elements, self.open = [], []
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append(Element(tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(self.elements[-1])

    def handle_startendtag(self, tag, attrs):
        self.elements.append(Element(tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop().tag == tag

    def handle_data(self, data):
        for element in self.open:
            element.text += data

    def all(self, tag, class_=None):
        return [item for item in self.elements if item.tag == tag and (class_ is None or item.has_class(class_))]

    def one(self, tag, class_=None):
        (element,) = self.all(tag, class_)
        return element


def shown(page):
    """Every finding as the page shows it: object, message, details."""
    entries = []
    for element in takewhile(lambda element: element.tag != "footer", page.elements):
        if element.has_class("finding") and element.tag == "li":
            entries.append([])
        elif entries and (element.tag == "code" or element.has_class("message")):
            entries[-1].append(element.text)
    return Counter(map(tuple, entries))


def counted(page):
    return sum(int(element.text.replace(",", "")) for element in page.all("b"))


@given(...)
def test_no_finding_is_lost_and_no_text_becomes_markup(report: Report):
    page = Page(render(report))

    told = [(found.object, found.message, *found.details) for found in report.findings]
    expected = Counter(tuple(map(printable, texts)) for texts in told)
    assert shown(page) == expected
    assert counted(page) == len(report.findings)
    assert not page.all("script")


@pytest.mark.parametrize(
    ("verdict", "headline"),
    [
        (Verdict.PASSED, "The two databases are the same"),
        (Verdict.FAILED, "The two databases are not the same"),
        (Verdict.INCONCLUSIVE, "It is not known whether the two databases are the same"),
        (Verdict.REFUSED, "The two databases were not compared to the end"),
    ],
)
def test_page_says_the_verdict_first_in_words_and_shape(make_report, make_finding, verdict, headline):
    page = Page(render(make_report(make_finding(verdict=verdict))))

    assert page.one("h1").text == headline
    assert page.one("p", "word").text == verdict.capitalize()
    assert page.one("title").text.startswith(verdict.capitalize())
    assert page.all("use")[0].attributes["href"] == f"#mark-{verdict}"


@pytest.mark.parametrize("sides", [0, 1])
def test_page_about_fewer_than_two_databases_speaks_of_no_comparison(make_report, make_finding, sides):
    report = make_report(make_finding())
    page = Page(render(make_report(make_finding(), sides=report.sides[:sides])))

    assert page.one("h1").text == "Not everything that was checked holds"
    assert "target" not in page.one("p", "explanation").text


def test_page_names_both_databases_and_how_it_was_made(make_report):
    report = make_report()
    page = Page(render(report))

    text = page.one("body").text
    for side in report.sides:
        assert {side.role.capitalize()} <= {heading.text for heading in page.all("h3")}
        assert side.name in text
        assert side.server in text
    assert report.command in page.one("footer").text
    assert "trueup 0.1.0" in page.one("footer").text
    assert "2026-03-01 02:00:03+00:00" in page.one("footer").text


def test_table_tells_of_each_check_how_much_it_compared(make_report):
    page = Page(render(make_report()))

    assert [cell.text for cell in page.all("td")] == ["9 tables", "none", "1.5 s", "Passed"]


def test_section_that_compared_nothing_is_shown_inconclusive(make_report):
    page = Page(render(make_report(sections=(Section(check="data", title="Rows"),))))

    assert [cell.text for cell in page.all("td")] == ["nothing", "none", "0 ms", "Inconclusive"]
    assert page.one("p", "word").text == "Inconclusive"


def test_report_without_sections_is_shown_inconclusive(make_report):
    page = Page(render(make_report(sections=())))

    assert page.one("p", "word").text == "Inconclusive"
    assert "No check was run" in page.one("main").text


def test_finding_says_what_it_means_and_what_to_do(make_report, make_finding):
    page = Page(render(make_report(make_finding(meaning="Code fails.", remedy="Add it.", details=("source  text",)))))

    assert {"What it means", "What to do"} <= {term.text for term in page.all("dt")}
    assert {"Code fails.", "Add it."} <= {text.text for text in page.all("dd")}
    assert page.one("details").text.split() == ["Details:", "1", "line", "source", "text"]


def test_times_of_the_phases_are_drawn_to_scale(make_report):
    page = Page(render(make_report()))

    bars = [rect for rect in page.all("rect") if "y" not in rect.attributes]
    assert [bar.attributes["width"] for bar in bars] == ["100.00", "25.00"]
    assert "1.2 s" in page.one("dl", "phases").text


def test_thousand_findings_stay_readable_and_all_are_counted(make_report, make_finding):
    many = [make_finding(object=f"public.t{n}", message="m" * 300, details=("k" * 80,) * 50) for n in range(1000)]

    source = render(make_report(*many))

    page = Page(source)
    assert len(page.all("li", "finding")) == 25
    assert page.one("p", "hidden").text == "Not shown: 975 findings of this check. All of them are in report.json."
    assert counted(page) == 1000
    assert len(source.encode()) < 400_000


def test_page_stays_below_its_limit_whatever_the_texts(make_report, make_finding):
    text = "'&" * 5000
    found = [make_finding(object=text, message=text, meaning=text, remedy=text, details=(text,) * 40)] * 40
    sections = [Section(check=str(n), title=text, compared={text: 1}, findings=tuple(found)) for n in range(3)]

    assert len(render(make_report(title=text, sections=tuple(sections))).encode()) < 1_500_000


def test_hostile_text_is_shown_as_text(make_report, make_finding):
    hostile = "<script>alert(1)</script>\"'{{ 7*7 }}\u202e\x00\udc80 עברית 🙂"
    found = make_finding(object=hostile, message=hostile, meaning=hostile, remedy=hostile, details=(hostile,))
    report = make_report(
        *[found] * 2, title=hostile, version=hostile, notes=(hostile,), phases=((hostile, 1.0),), command=hostile
    )

    source = render(report)

    page = Page(source)
    assert source.encode("utf-8")
    assert not page.all("script")
    assert page.one("title").text == f"Failed: {printable(hostile)}"
    assert page.one("body").text.count(printable(hostile)) >= 10
    assert not re.search("[\x00\u202e]", source)


def test_page_asks_for_nothing_from_outside(make_report, make_finding):
    source = render(make_report(make_finding()))

    page = Page(source)
    links = [value for item in page.elements for name, value in item.attributes.items() if name in {"href", "src"}]
    assert links
    assert all(link.startswith(("#", "data:")) for link in links)
    assert not re.search(r"url\(|@import|https?://|\bon\w+=", source)
    policy = next(meta for meta in page.all("meta") if meta.attributes.get("http-equiv"))
    assert policy.attributes["content"].startswith("default-src 'none'")


@pytest.mark.parametrize("verdict", Verdict)
def test_page_can_be_walked_without_eyes(make_report, make_finding, verdict):
    page = Page(render(make_report(make_finding(verdict=verdict, details=("line",)))))

    levels = [int(item.tag[1]) for item in page.elements if item.tag in HEADINGS]
    ids = [item.attributes["id"] for item in page.elements if "id" in item.attributes]
    targets = {
        item.attributes[name].lstrip("#")
        for item in page.elements
        for name in ("aria-labelledby",)
        if name in item.attributes
    }
    targets |= {item.attributes["href"].lstrip("#") for item in page.all("use") + page.all("a")}
    assert page.one("html").attributes["lang"] == "en"
    assert all(len(page.all(landmark)) == 1 for landmark in ("header", "main", "footer"))
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert len(ids) == len(set(ids))
    assert targets <= set(ids)
    assert all(cell.attributes["scope"] in {"col", "row"} for cell in page.all("th"))
    assert all(image.attributes.get("aria-hidden") == "true" for image in page.all("svg"))


def test_json_and_junit_do_not_import_the_template_engine():
    code = "import sys, trueup.report, trueup.report.json, trueup.report.junit; sys.exit('jinja2' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
