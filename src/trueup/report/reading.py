"""Reads what a folder of reports holds, for its front page."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from xml.etree import ElementTree as ET

import msgspec

from trueup.report.runs import decode
from trueup.report.site import Coverage, Ratio, Site, TestSession

HISTORY = "history.jsonl"
PERCENT = re.compile(r'class="pc_cov">\s*([0-9.]+)\s*%')
"""As coverage.py writes it."""
PAGES = (("Test sessions", "session/index.html"),)


class Results(msgspec.Struct, frozen=True, kw_only=True):
    """Is a file of benchmarks: `{"ratios": [{"name": "find_one", "ratio": 0.51, "against": "psycopg"}]}`."""

    ratios: tuple[Ratio, ...]


def read_site(folder: Path) -> Site:
    """Return what the folder holds; a file that can't be read is a problem of the site, and hides no other."""
    problems: list[str] = []
    return Site(
        made_at=datetime.now(UTC),
        version=version("trueup"),
        runs=decode(read(folder / HISTORY).splitlines()),
        has_report=(folder / "report.html").is_file(),
        tests=tuple(read_tests(folder / "tests", problems)),
        coverage=read_coverage(folder / "coverage" / "index.html", problems),
        ratios=tuple(read_ratios(folder / "benchmarks", problems)),
        links=tuple((title, place) for title, place in PAGES if (folder / place).is_file()),
        problems=tuple(problems),
    )


def read(file: Path) -> bytes:
    """Return the content of a file; nothing where there is none."""
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return b""


def read_tests(folder: Path, problems: list[str]) -> Iterator[TestSession]:
    """Yield each session that has left a JUnit file, by name."""
    for file in sorted(folder.glob("*.xml")):
        try:
            root = ET.fromstring(file.read_bytes())  # noqa: S314 — written by our own test sessions
        except ET.ParseError:
            problems.append(f"tests/{file.name} is not readable as JUnit XML: the session may have been interrupted")
            continue
        yield session_of(file.stem, root)


def session_of(name: str, root: ET.Element) -> TestSession:
    """Return the result that a JUnit file tells."""
    cases = list(root.iter("testcase"))
    failures = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    return TestSession(
        name=name,
        tests=len(cases),
        failures=tuple(f"{case.get('classname', '')}.{case.get('name', '')}".strip(".") for case in failures),
        skipped=sum(case.find("skipped") is not None for case in cases if case not in failures),
        seconds=sum(float(suite.get("time") or 0) for suite in root.iter("testsuite")),
    )


def read_coverage(file: Path, problems: list[str]) -> Coverage | None:
    """Return the share of the code that the tests have run; None: it was not measured."""
    text = read(file).decode(errors="replace")
    if not text:
        return None
    found = PERCENT.search(text)
    if found is None:
        problems.append("coverage/index.html does not say how much was run")
        return None
    return Coverage(percent=float(found[1]), link="coverage/index.html")


def read_ratios(folder: Path, problems: list[str]) -> Iterator[Ratio]:
    """Yield the ratios of each file of benchmarks, by the file's name."""
    for file in sorted(folder.glob("*.json")):
        try:
            yield from msgspec.json.decode(file.read_bytes(), type=Results).ratios
        except (msgspec.DecodeError, UnicodeDecodeError):
            problems.append(f"benchmarks/{file.name} is not readable as results of benchmarks")
