"""A project of its own whose tests run once, in one process: several of ours look at what became of them."""

import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import pytest

WITHOUT = "-p no:randomly -p no:hypothesispytest -p no:faker -p no:cov -p no:anyio"
"""What takes a second to import, and isn't what is tested here; pytest-randomly imports factory_boy."""
PATIENCE_S = 270
"""Several tests have this time together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """Is how a run ended, test by test."""

    results: Mapping[str, Mapping[str, str]]
    """passed, failed, error or skipped, by module and name; an error is one of set-up or teardown."""
    texts: Mapping[str, str]
    """What failed tests were told with, by name."""
    printed: str
    status: int

    def of(self, module: str) -> Mapping[str, str]:
        """Return what became of the tests of a module."""
        return self.results[module]

    def has_passed(self, module: str, number: int) -> bool:
        """Say whether a module had so many tests and all have passed."""
        return list(self.results[module].values()) == ["passed"] * number


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Write files of a project; lines may be indented as a whole."""
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(dedent(text), encoding="utf-8")


def run_tests(folder: Path, *options: str) -> Ran:
    """Run all tests of a project, without most plugins."""
    words = (*WITHOUT.split(), "--junitxml=outcome.xml", *options)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PYTEST_ADDOPTS", raising=False)
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *words],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        )
    results, texts = read_outcome(folder / "outcome.xml")
    return Ran(results=results, texts=texts, printed=done.stdout, status=done.returncode)


def read_outcome(file: Path) -> tuple[dict[str, dict[str, str]], dict[str, str]]:
    """Return results by module and name, and texts by name; none of a run that never began."""
    results: dict[str, dict[str, str]] = {}
    texts: dict[str, str] = {}
    for case in ET.parse(file).iter("testcase") if file.exists() else ():
        name = case.get("name", "")
        module = results.setdefault(case.get("classname", "").partition(".")[0], {})
        found = [part.tag for part in case if part.tag in {"failure", "error", "skipped"}]
        result = {"failure": "failed"}.get(found[0], found[0]) if found else "passed"
        module[name] = result if module.get(name, "passed") == "passed" else module[name]
        texts[name] = texts.get(name, "") + "\n".join(f"{part.get('message', '')}\n{part.text}" for part in case)
    return results, texts
