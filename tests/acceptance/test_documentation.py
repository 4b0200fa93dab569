"""What the documentation says is what the code does."""

import ast
import inspect
import re
import runpy
import shlex
from collections.abc import Iterator
from dataclasses import MISSING, fields
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any, get_args

import click
import pytest

from trueup import errors
from trueup.cli import trueup
from trueup.cli.exits import MEANINGS
from trueup.conninfo import ConnInfo
from trueup.db import Database
from trueup.db.events import Kind
from trueup.db.sqlstate import BY_CLASS, BY_STATE
from trueup.settings import LIMITS, DatabaseSettings, Service
from trueup.tables import Repository, Table, Upserted
from trueup.tables import errors as table_errors
from trueup.tables.conditions import SYMBOLS, UNDERSTOOD, VALUELESS, Operator
from trueup.tables.contract import DERIVED
from trueup.tables.ordering import OnDuplicate
from trueup.tables.sql_types import Family, parse_type
from trueup.tables.writer import Mode

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "fixtures").rglob("*.md")])
COMMAND = re.compile(r"^(?:\.venv/bin/)?trueup (.*?)(?:  +#.*)?$", re.MULTILINE)


REFERENCE = runpy.run_path(str(ROOT / "scripts/write_reference.py"))["PAGES"]


@pytest.mark.parametrize("page", REFERENCE, ids=lambda page: page.name)
def test_reference_is_what_the_code_says(page):
    assert page.read_text(encoding="utf-8") == REFERENCE[page](), "run: python scripts/write_reference.py"


@pytest.mark.parametrize("page", REFERENCE, ids=lambda page: page.name)
def test_nothing_public_is_undocumented(page):
    rows = [line for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    texts = [cells for line in rows if (cells := re.split(r"(?<!\\) ?\| ?", line)[1:-1])]

    assert [cells[0] for cells in texts if not any(" " in cell for cell in cells[1:])] == []


def test_exit_codes_of_the_readme_are_those_of_the_code():
    table = dict(re.findall(r"^\| (\d+) \| (.*) \|$", README, re.MULTILINE))

    assert table == {str(int(code)): meaning for code, meaning in MEANINGS.items()}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text(encoding="utf-8"))

    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_into_pages_lead_to_a_heading(page):
    links = re.findall(r"\]\((?!https?://)([^)#]*)#([^)]+)\)", page.read_text(encoding="utf-8"))

    assert [anchor for file, anchor in links if anchor not in anchors(page.parent / file if file else page)] == []


def anchors(page):
    """Return what the headings of a page are called in links."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_in_code_blocks_exist_with_their_options(page):
    for block in re.findall(r"^```sh\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
        for words in COMMAND.findall(block):
            arguments = shlex.split(words, comments=True)
            command, context = trueup, click.Context(trueup, **trueup.context_settings)
            while isinstance(command, click.Group):
                command = command.get_command(context, arguments.pop(0))
                assert command, words
            command.make_context("command", arguments, parent=context)


@pytest.mark.parametrize("name", ["verify", "test"])
def test_newcomers_command_is_one_line_behind_its_mark(name):
    block = re.search(rf"<!-- newcomer: {name} -->\n```sh\n(.*)\n```", README)

    assert block
    assert "\n" not in block[1]


def test_continuous_integration_runs_the_readmes_command():
    assert "newcomer: test" in (ROOT / ".ci/run").read_text(encoding="utf-8")


# -- tables and entries that repeat what the code says -----------------------------------------------------------------

POOL = ROOT / "docs/howto/pool-and-budget.md"
TRANSACTIONS = ROOT / "docs/explanation/transactions.md"
REPOSITORIES = ROOT / "docs/explanation/repositories.md"
TROUBLES = ROOT / "docs/howto/troubleshooting.md"


def rows_below(page: Path, head: str) -> list[list[str]]:
    """Return the cells of the table whose head begins with `head`, without backquotes."""
    _, found, rest = page.read_text(encoding="utf-8").partition(f"\n| {head} |")
    assert found, f"{page.name} has no table that begins with {head}"
    lines = re.match(r"[^\n]*\n\|[-|]+\n((?:\|[^\n]*\n)+)", rest)
    assert lines
    return [[cell.strip().replace("`", "") for cell in line[1:-1].split("|")] for line in lines[1].splitlines()]


def first_cells(page: Path, head: str) -> list[str]:
    return [cells[0] for cells in rows_below(page, head)]


def shown(name: str, value: object) -> str:
    """Return a default as the page has it."""
    text = str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)
    return f"{text} s" if name.endswith("_s") else text


def test_settings_of_the_pool_are_those_of_the_code():
    variables = {name: variable for variable, (name, _) in LIMITS.items()} | {"service": "TRUEUP_SERVICE"}
    expected = [
        [each.name, variables.get(each.name, ""), shown(each.name, each.default)]
        for each in fields(DatabaseSettings)
        if each.default is not MISSING
    ]

    assert [cells[:3] for cells in rows_below(POOL, "setting")] == expected


@pytest.mark.parametrize(
    ("setting", "variable"), [cells[:2] for cells in rows_below(POOL, "setting") if cells[1]], ids=lambda text: text
)
def test_variable_of_a_setting_changes_that_setting_alone(setting: str, variable: str):
    default = DatabaseSettings(conninfo=ConnInfo.parse("dbname=salon"))
    other = {"usage_warning": "0.5", "pooler": "true"}.get(setting, "7")

    read = DatabaseSettings.from_env({"TRUEUP_DATABASE": "dbname=salon", variable: other})

    changed = {each.name for each in fields(read) if getattr(read, each.name) != getattr(default, each.name)}
    assert changed == {setting}


def test_arithmetic_of_the_budget_is_that_of_the_code():
    product = re.search(r"(\d+) \S (\d+) = (\d+)", POOL.read_text(encoding="utf-8"))
    assert product
    services, connections, total = map(int, product.groups())

    assert connections == DatabaseSettings(conninfo=ConnInfo.parse("dbname=salon")).max_connections
    assert total == services * Service(name="api", connections=connections).most


def test_events_of_the_pool_are_those_of_the_code():
    assert sorted(first_cells(POOL, "event")) == sorted(kind.value for kind in Kind)


def test_options_of_a_transaction_are_those_of_the_code():
    parameters = list(inspect.signature(Database.transaction).parameters.values())[1:]

    assert [cells[:2] for cells in rows_below(TRANSACTIONS, "option")] == [
        [parameter.name, str(parameter.default)] for parameter in parameters
    ]


def test_isolation_levels_are_those_of_the_code():
    parameters = inspect.signature(Database.transaction, eval_str=True).parameters
    levels, _ = get_args(parameters["isolation"].annotation)

    assert first_cells(TRANSACTIONS, "level") == list(get_args(levels))


def test_parts_of_a_contract_are_those_of_the_code():
    parts = [each for each in fields(Table) if each.name != "_"]
    defaults = ["" if each.default is MISSING else str(each.default) for each in parts]

    assert [cells[:2] for cells in rows_below(REPOSITORIES, "the contract says")] == [
        [each.name, default] for each, default in zip(parts, defaults, strict=True)
    ]


def test_types_of_columns_are_those_of_the_code():
    assert rows_below(REPOSITORIES, "a field of") == [[kind.__name__, name] for kind, name in DERIVED.items()]


def test_operators_are_those_of_the_code():
    families = (Family.TEXT, Family.ORDERED, Family.ARRAY, Family.JSONB, Family.JSON)
    assert set(families) == set(Family)
    texts = {
        operator: part.as_string(None).translate(str.maketrans("", "", "{}")) for operator, part in SYMBOLS.items()
    }
    texts[Operator.BETWEEN] = "column between value and value"
    texts[Operator.CONTAINS] += f"; of a text: {texts[Operator.ILIKE]}"
    expected = {
        str(operator): [
            texts[operator],
            *("yes" if operator in UNDERSTOOD[family] | VALUELESS else "" for family in families),
        ]
        for operator in Operator
    }

    assert {cells[0]: cells[1:] for cells in rows_below(REPOSITORIES, "operator")} == expected


def test_ordered_types_are_those_of_the_code():
    text = REPOSITORIES.read_text(encoding="utf-8")

    for name in ("integer", "numeric", "real", "boolean", "date", "time", "timestamptz", "interval", "uuid", "bytea"):
        assert parse_type(name)[0].family is Family.ORDERED
    assert "*Ordered* are numbers, booleans, dates, times, intervals, `uuid` and `bytea`" in text


@pytest.mark.parametrize(
    ("head", "values"),
    [
        ("status", get_args(inspect.get_annotations(Upserted, eval_str=True)["status"])),
        ("`mode`", get_args(Mode)),
        ("`on_duplicate`", get_args(OnDuplicate)),
    ],
)
def test_choices_of_writing_are_those_of_the_code(head: str, values: tuple[str, ...]):
    assert first_cells(REPOSITORIES, head) == list(values)


def test_calls_of_a_repository_are_all_shown():
    text = REPOSITORIES.read_text(encoding="utf-8")
    calls = {
        "find_one",
        "find_many",
        "count",
        "exists",
        "stream",
        "insert",
        "upsert",
        "bulk_upsert",
        "update",
        "delete",
    }

    assert calls <= set(vars(Repository))
    assert {call for call in calls if not re.search(rf"\.{call}\(", text)} == set()


def errors_of(module: Any) -> dict[str, type[errors.TrueupError]]:
    """Return the classes of a module's tree of errors, by name."""
    return {
        name: value
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, errors.TrueupError) and value.__module__ == module.__name__
    }


ERRORS = errors_of(errors) | errors_of(table_errors)


def entries() -> dict[str, str]:
    """Return the text below each heading of the page about errors, by the heading."""
    text = TROUBLES.read_text(encoding="utf-8")
    parts = re.split(r"^### (.*)\n", text, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def test_every_error_has_an_entry():
    assert sorted(entries()) == sorted(ERRORS)


def test_every_entry_says_what_to_do_about_it():
    words = {name: re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL) for name, text in entries().items()}

    assert [name for name, text in words.items() if len(text.split()) < 10] == []


def sqlstates(kind: type[errors.DatabaseError]) -> str:
    """Return the SQLSTATEs that a class stands for, as the page lists them."""
    if kind is errors.DatabaseError:
        return "any other"
    whole = [f"{prefix}xxx" for prefix, found in BY_CLASS.items() if found is kind]
    states = [state for state, found in BY_STATE.items() if found is kind]
    shared = ["57014"] if kind is errors.StatementTimeout else []
    return ", ".join(sorted([*whole, *states, *shared], key=lambda state: state.replace("x", "")))


def test_facts_about_errors_are_those_of_the_code():
    expected = {
        name: [sqlstates(kind), kind.default_outcome.value, "yes" if kind.lost_a_race else "no"]
        for name, kind in errors_of(errors).items()
        if issubclass(kind, errors.DatabaseError)
    }

    table = {name: [*facts, again.partition(",")[0]] for name, *facts, again in rows_below(TROUBLES, "error")}
    assert table == expected


def literals(file: Path) -> Iterator[str]:
    """Give the texts in a module's source, with … where a value is filled in."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@cache
def source() -> str:
    """Return all texts of the source."""
    return "\n".join(chain.from_iterable(map(literals, sorted((ROOT / "src/trueup").rglob("*.py")))))


def pieces(message: str) -> list[str]:
    """Return the parts of a message that stand in the source; the server's words and the frame of `describe` do not."""
    framed = re.fullmatch(r"[A-Z]\w+(?: on …)? \((?:\w{5}|…)\): (?:relation .* does not exist; )?(.*)", message)
    return re.split("…|; ", framed[1] if framed else message)


def is_in_source(piece: str) -> bool:
    """Say whether a piece is part of one text of the source, or of two that follow each other."""
    words = [found.start() for found in re.finditer(r"\b", piece)]
    return piece in source() or any(piece[:at] in source() and piece[at:] in source() for at in words)


@pytest.mark.parametrize("name", sorted(ERRORS))
def test_messages_of_an_entry_are_those_of_the_code(name: str):
    messages = "".join(re.findall(r"^```text\n(.*?)^```", entries()[name], re.MULTILINE | re.DOTALL)).splitlines()

    assert [piece for message in messages for piece in pieces(message) if not is_in_source(piece)] == []


@pytest.mark.parametrize(
    "message", ["Duplicate on … (23505): a row with this kex exists", "no conection came free", "Ω…"]
)
def test_message_that_is_not_of_the_code_is_seen(message: str):
    assert not all(map(is_in_source, pieces(message)))
