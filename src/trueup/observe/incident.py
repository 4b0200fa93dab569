"""What is known of a failure or a warning, free of values: names of objects, codes, numbers, places in the code.

Nobody's text is taken over, not even an exception's: drivers quote rows in theirs, and people quote them in ours. What
an event says is put together anew from what a program has named.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import CodeType, MappingProxyType, TracebackType
from typing import Literal

import psycopg

from trueup.errors import DatabaseError

Level = Literal["error", "warning", "info"]

FRAMES = 40
CAUSES = 5

IDENTIFIER = re.compile(r"(?!\d)\w[\w$]{0,62}(\.(?!\d)\w[\w$]{0,62}){0,3}")
COMPONENT = re.compile(r"[A-Za-z]\w{0,30}(-[a-z]{1,30})?", re.ASCII)
MODULE = re.compile(r"(?!\d)\w+(\.(?!\d)\w+)*")
SQLSTATE = re.compile(r"[0-9A-Z]{5}")
UNNAMED = "unnamed"
UNSHOWN = "a message that is not shown: its text is not known to be free of values"
TEST = "test event of trueup: events arrive"
LEVELS = ("error", "warning", "info")


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Is one place in the code."""

    module: str
    function: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Is one exception: its class, where it came from, and what the database named."""

    kind: str
    module: str
    sqlstate: str | None = None
    table: str | None = None
    constraint: str | None = None
    columns: tuple[str, ...] = ()
    outcome: str | None = None
    frames: tuple[Frame, ...] = ()
    """The outermost first."""

    def __str__(self) -> str:
        """Return all there is to say: `table public.clients, constraint clients_pkey (SQLSTATE 23505)`."""
        said = [f"table {self.table}"] if self.table else []
        said += [f"constraint {self.constraint}"] if self.constraint else []
        said += [f"column{'s' if len(self.columns) > 1 else ''} {', '.join(self.columns)}"] if self.columns else []
        codes = [f"SQLSTATE {self.sqlstate}"] if self.sqlstate else []
        codes += [self.outcome.replace("_", " ")] if self.outcome else []
        return ", ".join(said) + (f"{' ' if said else ''}({', '.join(codes)})" if codes else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """Is what an event is made from, and nothing else is."""

    level: Level
    title: str
    """One of a few fixed texts, or the class of an exception."""
    fingerprint: tuple[str, ...]
    """Equal for what is the same problem."""
    component: str
    operation: str
    table: str | None = None
    faults: tuple[Fault, ...] = ()
    """The exception and its causes, the exception first."""
    frames: tuple[Frame, ...] = ()
    """Where it happened, when it is no exception."""
    measures: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    """Durations and counts, with the unit in the name."""


def failure(
    error: BaseException,
    *,
    component: str,
    operation: str,
    table: str | None = None,
    measures: Mapping[str, float] = MappingProxyType({}),
) -> Incident:
    """Return what is known of an exception."""
    faults = tuple(fault(each) for each in list(causes(error))[:CAUSES])
    first = faults[0]
    table = name(table) or first.table
    return Incident(
        level="error",
        title=first.kind,
        fingerprint=(*identity(first), table or "-", first.constraint or "-", name(operation) or UNNAMED),
        component=layer(component),
        operation=name(operation) or UNNAMED,
        table=table,
        faults=faults,
        measures=measures,
    )


def identity(fault: Fault) -> tuple[str, ...]:
    """Return what tells one kind of failure from another: the SQLSTATE, else the class and the place of its origin."""
    if fault.sqlstate:
        return (fault.sqlstate,)
    origin = fault.frames[-1] if fault.frames else None
    return (f"{fault.module}.{fault.kind}", f"{origin.module}.{origin.function}" if origin else "-")


def warning(
    title: str,
    *,
    component: str,
    operation: str,
    table: str | None = None,
    frames: tuple[Frame, ...] = (),
    measures: Mapping[str, float],
) -> Incident:
    """Return what is known of something that did not fail; all with the same title are one problem."""
    return Incident(
        level="warning",
        title=title,
        fingerprint=(title,),
        component=layer(component),
        operation=name(operation) or UNNAMED,
        table=name(table),
        frames=frames,
        measures=MappingProxyType({key: float(value) for key, value in measures.items()}),
    )


def message(level: object) -> Incident:
    """Return what is known of a message that a program gave to the SDK: that there was one."""
    known: Level = level if level in LEVELS else "error"  # type: ignore[assignment]
    return Incident(level=known, title=UNSHOWN, fingerprint=(UNSHOWN,), component="python", operation="capture_message")


def summary(incident: Incident, held_back: int) -> Incident:
    """Return the incident again, as the last of so many that were not sent."""
    return replace(incident, measures=MappingProxyType({**incident.measures, "suppressed": float(held_back)}))


def test_event() -> Incident:
    """Return an incident that tells of nothing."""
    return Incident(level="info", title=TEST, fingerprint=(TEST,), component="observe", operation="send_test_event")


def fault(error: BaseException) -> Fault:
    """Return what is known of one exception, without its causes."""
    kind = type(error)
    frames = tuple(trace(error.__traceback__))
    facts: dict[str, object] = {}
    if isinstance(error, DatabaseError):
        facts = {
            "sqlstate": code(error.sqlstate),
            "table": name(error.table),
            "constraint": name(error.constraint),
            "columns": tuple(name(column) or UNNAMED for column in error.columns),
            "outcome": error.outcome.value,
        }
    elif isinstance(error, psycopg.Error):
        diag = error.diag
        column = name(diag.column_name)
        facts = {
            "sqlstate": code(error.sqlstate),
            "table": name(".".join(filter(None, (diag.schema_name, diag.table_name)))),
            "constraint": name(diag.constraint_name),
            "columns": (column,) if column else (),
        }
    return Fault(kind=name(kind.__name__) or UNNAMED, module=name(kind.__module__) or UNNAMED, frames=frames, **facts)  # type: ignore[arg-type]


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and what it was explicitly raised from, each once."""
    seen: set[int] = set()
    each: BaseException | None = error
    while each is not None and id(each) not in seen:
        seen.add(id(each))
        yield each
        each = each.__cause__


def trace(traceback: TracebackType | None) -> list[Frame]:
    """Return the places that an exception passed, the innermost of them if there are too many."""
    places = []
    while traceback is not None:
        frame = traceback.tb_frame
        places.append(place(frame.f_globals.get("__name__"), frame.f_code, traceback.tb_lineno))
        traceback = traceback.tb_next
    return places[-FRAMES:]


def place(module: object, function: CodeType, line: int) -> Frame:
    """Return a place by the names that the code has; no path, for it tells whose machine it is."""
    module = module if isinstance(module, str) and MODULE.fullmatch(module) else UNNAMED
    return Frame(module=module, function=name(function.co_name.strip("<>")) or UNNAMED, line=line)


STACK_LINE = re.compile(r"(?P<path>[^\n]+):(?P<line>\d+) in <?(?P<function>\w+)>?")


def places(stack: str) -> tuple[Frame, ...]:
    """Return the places of a stack written as `path:line in function`, the innermost first there and last here."""
    found = []
    for text in stack.splitlines()[:FRAMES]:
        if match := STACK_LINE.fullmatch(text.strip()):
            module = ".".join(match["path"].removesuffix(".py").split("/")[-2:])
            found.append(
                Frame(
                    module=module if MODULE.fullmatch(module) else UNNAMED,
                    function=match["function"],
                    line=int(match["line"]),
                )
            )
    return tuple(reversed(found))


def name(text: object) -> str | None:
    """Return a name of the code or of the catalog; None for anything that could be a value."""
    return text if isinstance(text, str) and IDENTIFIER.fullmatch(text) else None


def layer(text: object) -> str:
    """Return the name of a part of the program: `tables`, `data-layer`."""
    return text if isinstance(text, str) and COMPONENT.fullmatch(text) else UNNAMED


def code(text: object) -> str | None:
    """Return a SQLSTATE."""
    return text if isinstance(text, str) and SQLSTATE.fullmatch(text) else None
