"""Write the pages of docs/reference that are made from the code: python scripts/write_reference.py."""

import ast
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType, ModuleType

import click

from trueup import errors
from trueup.cli import trueup
from trueup.db import sqlstate
from trueup.settings import LIMITS, configuration

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "reference"
BY_SCRIPT = "Written from the code by `python scripts/write_reference.py`."
WHERE_CONFIGURED = (
    "The file is `trueup.toml`, or the table `[tool.trueup]` of `pyproject.toml`, in the folder of the command or the"
    " nearest one above it. A key that isn't known is an error."
)
VARIABLES = """
## Variables of the pool

What each means stands in [the page of the pool](../howto/pool-and-budget.md).

"""
PUBLIC = (
    "trueup.db",
    "trueup.tables",
    "trueup.settings",
    "trueup.observe",
    "trueup.migrations",
    "trueup.servers",
    "trueup.testing",
    "trueup.parity.schema",
    "trueup.parity.data",
    "trueup.health",
)
"""The packages whose names in `__all__` are for users."""


# -- what the source says of itself ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """Is one field of a class, with the text below it."""

    name: str
    kind: str
    default: str
    text: str


def attributes(of: type) -> Iterator[Attribute]:
    """Yield the fields of a class in their order."""
    (body,) = ast.parse(inspect.getsource(of)).body
    assert isinstance(body, ast.ClassDef)
    for field, below in zip(body.body, [*body.body[1:], None], strict=True):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            is_text = isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
            yield Attribute(
                name=field.target.id,
                kind=kind_of(field.annotation),
                default=ast.unparse(field.value) if field.value else "",
                text=" ".join(str(below.value.value).split()) if is_text else "",  # type: ignore[union-attr]
            )


def kind_of(annotation: ast.expr) -> str:
    """Return a type as users read it: without what only checks it."""
    for part in ast.walk(annotation):
        for name, child in ast.iter_fields(part):
            if is_annotated(child):
                setattr(part, name, child.slice.elts[0])
            elif isinstance(child, list):
                child[:] = [each.slice.elts[0] if is_annotated(each) else each for each in child]
    return ast.unparse(annotation.slice.elts[0] if is_annotated(annotation) else annotation)  # type: ignore[attr-defined]


def is_annotated(node: object) -> bool:
    """Return whether a type is an Annotated[…]."""
    return isinstance(node, ast.Subscript) and ast.unparse(node.value) == "Annotated"


def promise(of: object) -> str:
    """Return the first paragraph of a docstring, on one line."""
    return " ".join((inspect.getdoc(of) or "").split("\n\n")[0].split())


def promise_of_name(package: ModuleType, name: str) -> str:
    """Return the promise of a public name; of a constant the text below it, of another name for a type that type."""
    value = getattr(package, name)
    if inspect.isclass(value) or inspect.isroutine(value):
        return promise(value)
    for file in sorted(Path(package.__path__[0]).rglob("*.py")):
        body = ast.parse(file.read_text(encoding="utf-8")).body
        for each, below in pairwise(body):
            if name in names_set_by(each) and isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
                return " ".join(str(below.value.value).split("\n\n")[0].split())
    return f"Another name for `{value}`.".replace("typing.", "") if hasattr(value, "__origin__") else ""


def names_set_by(statement: ast.stmt) -> set[str]:
    """Return the names that an assignment sets."""
    targets = getattr(statement, "targets", [getattr(statement, "target", None)])
    return {target.id for target in targets if isinstance(target, ast.Name)}


def table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    """Return a table of Markdown."""
    lines = (head, ("---",) * len(head), *rows)
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


# -- pages -------------------------------------------------------------------------------------------------------------


def commands(command: click.Command, context: click.Context) -> Iterator[click.Context]:
    """Yield the context of a command and of every command below it, depth first."""
    yield context
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below:
                yield from commands(below, click.Context(below, info_name=name, parent=context))


def render_commands() -> str:
    """Return the page of the commands: what `--help` prints."""
    root = click.Context(trueup, info_name="trueup", terminal_width=100, help_option_names=["-h", "--help"])
    pages = [f"\n## {one.command_path}\n\n```text\n{one.get_help()}\n```\n" for one in commands(trueup, root)]
    return f"# Commands\n\n{BY_SCRIPT} Every section is what `--help` prints.\n" + "".join(pages)


def render_configuration() -> str:
    """Return the page of the configuration file and the variables."""
    structs = [
        each for each in vars(configuration).values() if inspect.isclass(each) and hasattr(each, "__struct_fields__")
    ]
    structs.sort(key=lambda each: each is not configuration.Configuration)
    page = [f"# Configuration\n\n{BY_SCRIPT} {WHERE_CONFIGURED}\n"]
    for each in structs:
        rows = (
            (f"`{one.name}`", f"`{one.kind}`", f"`{one.default}`" if one.default else "", one.text)
            for one in attributes(each)
        )
        page.append(f"\n## {each.__name__}\n\n{promise(each)}\n\n{table(('key', 'type', 'default', 'meaning'), rows)}")
    variables = ((f"`{variable}`", f"the setting `{name}`") for variable, (name, _) in LIMITS.items())
    page.append(VARIABLES + table(("variable", "setting"), variables))
    return "".join(page)


def render_errors() -> str:
    """Return the page of the errors: the tree, and each with its meaning and SQLSTATEs."""
    tree = inspect.cleandoc(errors.__doc__ or "").split("\n\n")
    states: dict[type, list[str]] = {}
    for state, error in {**sqlstate.BY_CLASS, **sqlstate.BY_STATE}.items():
        states.setdefault(error, []).append(state if len(state) > 2 else f"{state}xxx")
    named = [each for each in vars(errors).values() if inspect.isclass(each) and issubclass(each, errors.TrueupError)]
    rows = ((f"`{each.__name__}`", promise(each), " ".join(sorted(states.get(each, [])))) for each in named)
    return (
        f"# Errors\n\n{BY_SCRIPT} They are in `trueup.errors`.\n\n```text\n{inspect.cleandoc(tree[1])}\n```\n\n"
        + table(("error", "what it says", "SQLSTATE"), rows)
    )


def render_pytest() -> str:
    """Return the page of the pytest plugin: fixtures, options, markers."""
    modules = [
        ast.parse(file.read_text(encoding="utf-8")) for file in sorted((ROOT / "src/trueup/testing").rglob("*.py"))
    ]
    functions = [node for module in modules for node in ast.walk(module) if isinstance(node, ast.FunctionDef)]
    fixtures = sorted(
        (f"`{node.name}`", scope, " ".join((ast.get_docstring(node) or "").split("\n\n")[0].split()))
        for node in functions
        if (scope := scope_of(node)) and not node.name.startswith("trueup_")
    )
    calls = [node for module in modules for node in ast.walk(module) if isinstance(node, ast.Call)]
    options = sorted(filter(None, map(option_of, calls)))
    return (
        f"# The pytest plugin\n\n{BY_SCRIPT} How tests are kept apart is explained in"
        " [isolation](../explanation/isolation.md).\n\n## Fixtures\n\n"
        + table(("fixture", "scope", "what it gives"), iter(fixtures))
        + "\n## Options and settings\n\nOptions begin with dashes; the others are keys of pytest's configuration.\n\n"
        + table(("option", "what it does"), iter(options))
    )


def scope_of(function: ast.FunctionDef) -> str:
    """Return the scope of a fixture; empty for what is none."""
    for decorator in function.decorator_list:
        if ast.unparse(decorator).startswith("pytest.fixture"):
            keywords = decorator.keywords if isinstance(decorator, ast.Call) else []
            return next((str(ast.literal_eval(one.value)) for one in keywords if one.arg == "scope"), "function")
    return ""


def option_of(call: ast.Call) -> tuple[str, str] | None:
    """Return an option of the plugin and its help, if the call declares one."""
    called = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    if called not in {"addoption", "addini"} or not isinstance(call.args[0], ast.Constant):
        return None
    helps = [*(one.value for one in call.keywords if one.arg == "help"), *call.args[1:2]]
    return f"`{call.args[0].value}`", str(ast.literal_eval(helps[0])) if isinstance(helps[0], ast.Constant) else ""


def render_api() -> str:
    """Return the page of the public names."""
    page = [f"# Public names\n\n{BY_SCRIPT}\n"]
    for package in map(import_module, PUBLIC):
        rows = ((f"`{name}`", promise_of_name(package, name)) for name in sorted(package.__all__))
        page.append(f"\n## {package.__name__}\n\n{promise(package)}\n\n{table(('name', 'promise'), rows)}")
    return "".join(page)


PAGES: Mapping[Path, Callable[[], str]] = MappingProxyType(
    {
        FOLDER / "cli.md": render_commands,
        FOLDER / "configuration.md": render_configuration,
        FOLDER / "errors.md": render_errors,
        FOLDER / "pytest.md": render_pytest,
        FOLDER / "api.md": render_api,
    }
)

if __name__ == "__main__":
    for page, render in PAGES.items():
        page.write_text(render(), encoding="utf-8")
