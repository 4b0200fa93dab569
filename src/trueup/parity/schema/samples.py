"""Values that a column may hold, as text: made up, none of anybody's. Does no I/O."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from trueup.parity.schema.expressions import mentions
from trueup.parity.schema.model import Catalog, Column, Table, ValueType
from trueup.parity.schema.names import QualifiedName

TEXTS: tuple[Callable[[int], str], ...] = (
    lambda n: f"text {n}",
    lambda n: f"t{n}",
    lambda n: f"{n}",
    lambda n: f"+1000000{n:04}",
    lambda n: f"user{n}@example.com",
    lambda n: f"https://example.com/{n}",
    lambda n: f"{n:036x}"[-36:],
    lambda n: f"00000000-0000-0000-0000-{n:012x}",
    lambda n: f"{1990 + n % 100}-01-01",
    lambda n: f"{n % 24:02}:00",
    lambda n: chr(ord("A") + n % 26),
    lambda _: "",
)
"""Words, numbers, and what a check may ask of a text: a phone, an address, an id, a day, a time, a letter."""
NUMBERS: tuple[Callable[[int], str], ...] = (
    lambda n: f"{n}",
    lambda n: f"{n % 100}",
    lambda n: f"{1000 + n}",
    lambda _: "0",
    lambda _: "0.5",
    lambda n: f"-{n}",
)
MOMENTS: tuple[Callable[[int], str], ...] = (
    lambda n: f"{2000 + n // 336 % 100}-{1 + n // 28 % 12:02}-{1 + n % 28:02}",
    lambda n: f"{2050 + n % 50}-01-01",
)
BY_TYPE: Mapping[str, tuple[Callable[[int], str], ...]] = {
    "bool": (lambda n: "true" if n % 2 else "false", lambda n: "false" if n % 2 else "true"),
    "uuid": (lambda n: f"00000000-0000-4000-8000-{n:012x}",),
    "json": (lambda n: f'{{"n": {n}}}', lambda n: f"[{n}]", lambda n: f'"{n}"', lambda n: f"{n}"),
    "jsonb": (lambda n: f'{{"n": {n}}}', lambda n: f"[{n}]", lambda n: f'"{n}"', lambda n: f"{n}"),
    "xml": (lambda n: f"<n>{n}</n>",),
    "bytea": (lambda n: f"\\x{n:08x}",),
    "bit": (lambda n: f"{n % 2}",),
    "time": (lambda n: f"{n // 60 % 24:02}:{n % 60:02}",),
    "timetz": (lambda n: f"{n // 60 % 24:02}:{n % 60:02}+00",),
    "interval": (lambda n: f"{n} minutes",),
    "inet": (lambda n: f"127.0.{n // 256 % 256}.{n % 256}",),
    "cidr": (lambda n: f"127.0.{n // 256 % 256}.{n % 256}",),
    "macaddr": (lambda n: f"00:00:00:00:{n // 256 % 256:02x}:{n % 256:02x}",),
    "point": (lambda n: f"({n},{n})",),
    "tsvector": (lambda n: f"word{n}",),
}
BY_CATEGORY: Mapping[str, tuple[Callable[[int], str], ...]] = {"S": TEXTS, "N": NUMBERS, "D": MOMENTS, "T": MOMENTS}
QUOTED = re.compile(r"'((?:[^']|'')*)'")
NUMBER = re.compile(r"(?<![\w'.])-?\d+(?:\.\d+)?")


def samples(catalog: Catalog, table: Table, column: Column, number: int) -> tuple[str, ...]:
    """Return values that the column may hold, likely ones first; another number gives others where there are others.

    What its checks name comes first. Not every value is one that the column takes: ask the server.
    """
    rules = list(_rules(catalog, table, column))
    named = [value for rule in rules for value in _named(column.value_type, rule)]
    turned = named[number % len(named) :] + named[: number % len(named)] if named else []
    return tuple(dict.fromkeys([*turned, *_plain(catalog, column.value_type, number)]))


def _rules(catalog: Catalog, table: Table, column: Column) -> Iterator[str]:
    """Yield what restricts the values of a column: checks, the bounds of partitions, the domain."""
    for constraint in table.constraints:
        if constraint.kind == "check" and column.name in constraint.columns:
            yield constraint.definition
    if table.partition_key and mentions(table.partition_key, [column.name]):
        parts = (each for each in catalog.tables.values() if table.name in each.parents)
        yield from (part.partition_bound for part in parts if part.partition_bound)
    for domain in catalog.types.values():
        if domain.kind == "domain" and str(domain.name) == column.type:
            yield from domain.parts[1:]


def _named(type_: ValueType, rule: str) -> Iterator[str]:
    """Yield the values that a rule names, and the numbers beside them."""
    yield from (text.replace("''", "'") for text in QUOTED.findall(rule))
    if type_.category == "N":
        for text in NUMBER.findall(QUOTED.sub(lambda found: found[1], rule)):
            yield from (text, str(int(float(text)) + 1), str(int(float(text)) - 1))


def _plain(catalog: Catalog, type_: ValueType, number: int) -> Iterable[str]:
    if type_.element is not None:
        inner = list(_plain(catalog, type_.element, number))[:3]
        return [*("{" + _in_array(value) + "}" for value in inner), "{}"]
    if type_.kind == "enum":
        labels = _labels(catalog, type_.name)
        return [labels[(number + turn) % len(labels)] for turn in range(len(labels))]
    if type_.kind in {"range", "multirange"}:
        span = _span(type_.name.name, number)
        return [span, "empty"] if type_.kind == "range" else ["{" + span + "}", "{}"]
    return [make(number) for make in BY_TYPE.get(type_.name.name, BY_CATEGORY.get(type_.category, ()))]


def _labels(catalog: Catalog, name: QualifiedName) -> tuple[str, ...]:
    return catalog.types[name].parts if name in catalog.types else ()


def _in_array(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _span(name: str, number: int) -> str:
    if name.startswith(("ts", "date")):
        return f"[{MOMENTS[0](number)},{MOMENTS[0](number + 1)})"
    return f"[{number},{number + 1})"
