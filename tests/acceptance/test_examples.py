"""Every example of the documentation does what its page says, on a real server.

A page is a story: its blocks of SQL and Python run in order, in one namespace and one new database. The page is given
`settings` and nothing else. A block of Python that ends with `# raises NAME` has to raise exactly that.

A page with a block that begins with a comment that names a file is a project instead: such blocks are written to those
files, commands that begin with `pytest` are run, and those of `trueup` that have a block of text behind them. Such a
block holds lines of what the command prints, in this order, with `…` for whatever differs from run to run.
"""

import re
import shlex
import signal
import sys
from collections.abc import Iterator
from configparser import ConfigParser
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from trueup.conninfo import ConnInfo
from trueup.db import Connection, Database, connect
from trueup.servers import EmbeddedServer
from trueup.settings import DatabaseSettings, Settings
from trueup.settings.configuration import read_configuration

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "fixtures").rglob("*.md")])
FENCE = re.compile(r"^(?P<indent> *)(`{3,}|~{3,})(?P<kind>[^\n]*)\n(?P<text>.*?)^ *\2$", re.MULTILINE | re.DOTALL)
RUN = {"python", "sql"}
NOT_RUN = {"sh", "text", "toml", "ini"}
"""Commands, which test_documentation checks, what is no code, a configuration, and a unit of systemd."""
LIKE_PYTHON = re.compile(r"^ *(?:>>> |from [\w.]+ import |import \w+$|(?:with|def|class|for|try)\b.*:$)", re.MULTILINE)
RAISES = re.compile(r"# raises (\w+)\s*\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    kind: str
    line: int
    """Of its first line, counted from 1."""
    text: str


def blocks_of(page: str) -> list[Block]:
    """Return every fenced block of a page, in order."""
    return [
        Block(
            kind=found["kind"].strip(),
            line=page.count("\n", 0, found.start("text")) + 1,
            text=re.sub(rf"^{found['indent']}", "", found["text"], flags=re.MULTILINE),
        )
        for found in FENCE.finditer(page)
    ]


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


TEXTS = {page: page.read_text(encoding="utf-8") for page in PAGES}
NAMED = re.compile(r"(?:#|--) ((?:\w+/)*\w+\.(?:py|sql|toml))\n")
PROJECTS = [page for page in PAGES if any(NAMED.match(block.text) for block in blocks_of(TEXTS[page]))]
STORIES = [page for page in PAGES if page not in PROJECTS and {block.kind for block in blocks_of(TEXTS[page])} & RUN]


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedServer]:
    with EmbeddedServer(18, cache_folder=Settings.load().cache_folder) as server:
        yield server


@pytest.fixture
def database(server: EmbeddedServer) -> Iterator[ConnInfo]:
    yield server.create_database("salon")
    server.drop_database("salon")


@pytest.fixture
def outside(database: ConnInfo) -> Iterator[Connection]:
    """Return a connection of which the page knows nothing."""
    connection = connect(database)
    yield connection
    connection.close()


@pytest.fixture
def names(database: ConnInfo, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """Return the namespace of a page; what the page leaves open is closed."""
    module = ModuleType("story")
    monkeypatch.setitem(sys.modules, "story", module)
    on_sigterm = signal.getsignal(signal.SIGTERM)
    module.settings = DatabaseSettings(conninfo=database, service="salon")  # type: ignore[attr-defined]
    yield vars(module)
    signal.signal(signal.SIGTERM, on_sigterm)
    for value in list(vars(module).values()):
        if isinstance(value, Database):
            value.close(drain_s=0)


def run(block: Block, page: Path, names: dict[str, Any]) -> None:
    """Run a block of Python; an error's traceback tells the line of the page."""
    code = compile("\n" * (block.line - 1) + block.text, page, "exec")
    expected = RAISES.search(block.text)
    if expected is None:
        exec(code, names)
        return
    try:
        exec(code, names)
    except Exception as error:
        if type(error).__name__ != expected[1]:
            raise
    else:
        pytest.fail(f"{name_of(page)}:{block.line}: did not raise {expected[1]}")


@pytest.mark.parametrize("page", STORIES, ids=name_of)
def test_examples_of_a_page_do_what_it_says(page: Path, names: dict[str, Any], outside: Connection) -> None:
    for block in blocks_of(TEXTS[page]):
        if block.kind == "python":
            run(block, page, names)
        elif block.kind == "sql":
            outside.execute(block.text.encode())


@pytest.mark.parametrize("page", PROJECTS, ids=name_of)
def test_project_of_a_page_does_what_it_says(
    page: Path, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    unused = ("randomly", "hypothesispytest", "faker", "anyio", "pytest_cov", "rerunfailures", "timeout")
    monkeypatch.setenv("PYTEST_ADDOPTS", " ".join(f"-p no:{name}" for name in unused))
    blocks = blocks_of(TEXTS[page])
    for block, behind in zip(blocks, [*blocks[1:], None], strict=True):
        if found := NAMED.match(block.text):
            file = pytester.path / found[1]
            file.parent.mkdir(exist_ok=True)
            file.write_text(block.text, encoding="utf-8")
        elif block.kind == "sh" and block.text.startswith("pytest"):
            assert behind, f"{name_of(page)}:{block.line}: what the command prints is missing"
            assert behind.kind == "text", f"{name_of(page)}:{block.line}: what the command prints is missing"
            follow(block.text, behind.text, pytester)
        elif block.kind == "sh" and block.text.startswith("trueup") and behind and behind.kind == "text":
            follow(block.text, behind.text, pytester)


def follow(command: str, printed: str, pytester: pytest.Pytester) -> None:
    """Run a command of pytest or trueup, and look for the lines that it is said to print."""
    program, *arguments = shlex.split(command)
    result = pytester.run(sys.executable, "-m", program, *arguments)
    result.stdout.fnmatch_lines(
        [re.sub(r"[\[*?]", "[\\g<0>]", line).replace("…", "*") for line in printed.splitlines()]
    )


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_no_example_of_a_page_is_left_out(page: Path) -> None:
    text = TEXTS[page]
    blocks = blocks_of(text)

    assert {block.kind for block in blocks} <= RUN | NOT_RUN
    assert len(re.findall(r"^ *(?:```|~~~)", text, re.MULTILINE)) == 2 * len(blocks), "a block that never ends"
    not_run = [FENCE.sub("", text), *(block.text for block in blocks if block.kind in NOT_RUN)]
    assert [found for part in not_run for found in LIKE_PYTHON.findall(part)] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_configurations_of_a_page_can_be_read(page: Path, tmp_path: Path) -> None:
    for block in blocks_of(TEXTS[page]):
        if block.kind == "toml":
            file = tmp_path / "trueup.toml"
            file.write_text(block.text, encoding="utf-8")
            read_configuration(file)
        elif block.kind == "ini":
            ConfigParser(strict=True, interpolation=None).read_string(block.text)


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("1 / 0", ZeroDivisionError),
        ("1 / 0  # raises ZeroDivisionError", None),
        ("1 / 0  # raises ArithmeticError", ZeroDivisionError),
        ("1 / 1  # raises ZeroDivisionError", pytest.fail.Exception),
        ("# raises ZeroDivisionError\n1 / 0", ZeroDivisionError),
    ],
)
def test_example_that_fails_or_should_have_failed_is_seen(text: str, outcome: type[BaseException] | None) -> None:
    block = Block(kind="python", line=1, text=text)

    if outcome is None:
        run(block, ROOT / "README.md", {})
    else:
        with pytest.raises(outcome):
            run(block, ROOT / "README.md", {})


@pytest.mark.parametrize(
    "text",
    ["```py\n1\n```\n", "```\n1\n```\n", "```python\n1\n", "    from trueup import db\n", "```text\nwith db:\n```\n"],
)
def test_example_that_would_not_be_run_is_seen(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    page = ROOT / "README.md"
    monkeypatch.setitem(TEXTS, page, text)

    with pytest.raises(AssertionError):
        test_no_example_of_a_page_is_left_out(page)
