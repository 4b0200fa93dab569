"""Structures that are made up at random, as values: what is in them, and the statements that make it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

COLUMN_TYPES = (
    "integer", "bigint", "text", "character varying(40)", "numeric(10,2)", "boolean", "date", "jsonb", "uuid",
    "timestamp without time zone", "timestamp with time zone", "integer[]", "bytea", "interval",
)  # fmt: skip
VALUES = {
    "integer": ("0", "7"), "bigint": ("0", "99999999999"), "text": ("'x'", "'it''s'", "CURRENT_USER"),
    "character varying(40)": ("'x'", "'y z'"), "numeric(10,2)": ("0", "9.50"), "boolean": ("true", "false"),
    "date": ("CURRENT_DATE", "'2024-02-29'"), "jsonb": ("'{}'", "'[]'"), "uuid": ("gen_random_uuid()",),
    "timestamp without time zone": ("'2024-01-01 12:00:00'", "LOCALTIMESTAMP"),
    "timestamp with time zone": ("now()", "clock_timestamp()"), "integer[]": ("'{}'", "'{1,2}'"),
    "bytea": ("'\\x00'",), "interval": ("'1 day'", "'2 hours'"),
}  # fmt: skip
"""Defaults by type."""
ROLE, OWNER = "invented", "invented_owner"


@dataclass(slots=True)
class Column:
    type: str
    default: str | None = None
    required: bool = False
    identity: str = ""
    """`always` or `by default`, in a column of numbers."""
    generated: str = ""
    """The column whose text it holds."""
    comment: str = ""
    granted: str = ""
    """What may be done with it alone."""

    @property
    def sql(self) -> str:
        """Return it as `create table` has it."""
        words = [self.type]
        if self.generated:
            words.append(f"generated always as (md5({self.generated})) stored")
        if self.identity:
            words.append(f"generated {self.identity} as identity")
        if self.default is not None:
            words.append(f"default {self.default}")
        return " ".join([*words, *(["not null"] if self.required else [])])


@dataclass(slots=True)
class Index:
    columns: list[str]
    unique: bool = False
    where: str = ""
    """A column that has to hold something."""
    order: str = ""

    def sql(self, name: str, table: str) -> str:
        head = f"create {'unique ' if self.unique else ''}index {name} on {table}"
        condition = f" where {self.where} is not null" if self.where else ""
        return f"{head} ({', '.join(self.columns)}{self.order}){condition}"


@dataclass(slots=True)
class Table:
    columns: dict[str, Column]
    key: str = "id"
    checks: dict[str, tuple[str, str]] = field(default_factory=dict)
    """A column each, and what has to be said of it."""
    uniques: dict[str, list[str]] = field(default_factory=dict)
    references: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    """A column each, the table that it refers to, and what is done when a row of that goes."""
    indexes: dict[str, Index] = field(default_factory=dict)
    policies: dict[str, tuple[str, str]] = field(default_factory=dict)
    """A command each, and the column that has to hold something."""
    triggers: dict[str, str] = field(default_factory=dict)
    """When each fires."""
    row_security: bool = False
    unlogged: bool = False
    comment: str = ""
    grants: str = ""
    owner: str = ""
    parameters: str = ""

    def free_columns(self) -> list[str]:
        """Return the columns that no foreign key, computed column or identity binds."""
        bound = {self.key, *(column for column, *_ in self.references.values())}
        bound |= {each.generated for each in self.columns.values()}
        return [name for name, each in self.columns.items() if name not in bound and not each.generated]


@dataclass(slots=True)
class View:
    of: str
    columns: list[str]
    where: str = ""
    materialized: bool = False
    comment: str = ""

    def sql(self, name: str) -> str:
        kind = "materialized view" if self.materialized else "view"
        condition = f" where {self.where} is not null" if self.where else ""
        return f"create {kind} {name} as select {', '.join(self.columns)} from {self.of}{condition}"


@dataclass(slots=True)
class Invented:
    """Is a structure by the names of its objects; what is made later may need what is made before."""

    enums: dict[str, list[str]] = field(default_factory=dict)
    domains: dict[str, tuple[str, str]] = field(default_factory=dict)
    composites: dict[str, list[str]] = field(default_factory=dict)
    sequences: dict[str, int] = field(default_factory=dict)
    functions: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Types of the argument, and bodies."""
    tables: dict[str, Table] = field(default_factory=dict)
    views: dict[str, View] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Return how many objects there are, columns not counted."""
        return sum(1 for _ in self.objects()) - sum(len(table.columns) for table in self.tables.values())

    def readers(self, relation: str) -> list[str]:
        """Return the views that read a table or a view, directly or not."""
        found = [name for name, view in self.views.items() if view.of == relation]
        return [*found, *(each for name in found for each in self.readers(name))]

    def script(self) -> str:
        """Return the statements that make it all."""
        return ";\n".join(self.statements())

    def statements(self) -> Iterator[str]:
        for name, labels in self.enums.items():
            yield f"create type {name} as enum ({', '.join(map(repr, labels))})"
        for name, (base, check) in self.domains.items():
            yield f"create domain {name} as {base}{f' check ({check})' if check else ''}"
        for name, attributes in self.composites.items():
            yield f"create type {name} as ({', '.join(f'{each} text' for each in attributes)})"
        for name, step in self.sequences.items():
            yield f"create sequence {name} increment {step}"
        for name, (argument, body) in self.functions.items():
            yield f"create function {name}({argument}) returns text language sql immutable as '{body}'"
        yield "create function react() returns trigger language plpgsql as 'begin return new; end'"
        for name, table in self.tables.items():
            yield from made(name, table)
        for name, table in self.tables.items():
            yield from finished(name, table)
        for name, view in self.views.items():
            yield view.sql(name)
            if view.comment:
                yield f"comment on {'materialized ' * view.materialized}view {name} is '{view.comment}'"

    def objects(self) -> Iterator[tuple[str, str]]:
        """Yield what differences call each object, and all that is said of it but for its owner."""
        for kind in (self.enums, self.domains, self.composites, self.sequences):
            yield from ((f"public.{name}", str(facts)) for name, facts in kind.items())
        yield from ((f"public.{name}({each[0]})", str(each)) for name, each in self.functions.items())
        yield from ((f"public.{name}", view.sql(name) + view.comment) for name, view in self.views.items())
        for name, table in self.tables.items():
            facts = (table.unlogged, table.row_security, table.comment, table.grants, table.parameters)
            yield f"public.{name}", str(facts)
            for column, each in table.columns.items():
                yield f"public.{name}.{column}", f"{each.sql} {each.comment} {each.granted}"
            for constraints in (table.checks, table.uniques, table.references):
                yield from ((f"public.{name}.{each}", str(facts)) for each, facts in constraints.items())
            yield from ((f"public.{index}", facts.sql("", name)) for index, facts in table.indexes.items())
            yield from ((f"{each} on public.{name}", facts) for each, facts in table.triggers.items())
            yield from ((f"{each} on public.{name}", str(facts)) for each, facts in table.policies.items())


def made(name: str, table: Table) -> Iterator[str]:
    """Yield what makes a table with its columns."""
    own = [f"{column} {facts.sql}" for column, facts in table.columns.items()]
    if table.key in table.columns:
        own.append(f"primary key ({table.key})")
    yield f"create {'unlogged ' if table.unlogged else ''}table {name} ({', '.join(own)})"


def finished(name: str, table: Table) -> Iterator[str]:
    """Yield what is added to a table once all tables are there."""
    for constraint, (column, rule) in table.checks.items():
        yield f"alter table {name} add constraint {constraint} check ({column} {rule})"
    for constraint, columns in table.uniques.items():
        yield f"alter table {name} add constraint {constraint} unique ({', '.join(columns)})"
    for constraint, (column, other, action) in table.references.items():
        yield f"alter table {name} add constraint {constraint} foreign key ({column}) references {other} {action}"
    yield from (index.sql(each, name) for each, index in table.indexes.items())
    for trigger, when in table.triggers.items():
        yield f"create trigger {trigger} {when} on {name} for each row execute function react()"
    for policy, (command, column) in table.policies.items():
        yield f"create policy {policy} on {name} for {command} using ({column} is not null)"
    yield from annotated(name, table)


def annotated(name: str, table: Table) -> Iterator[str]:
    """Yield what is said of a table and its columns."""
    if table.row_security:
        yield f"alter table {name} enable row level security"
    if table.comment:
        yield f"comment on table {name} is '{table.comment}'"
    for column, facts in table.columns.items():
        if facts.comment:
            yield f"comment on column {name}.{column} is '{facts.comment}'"
        if facts.granted:
            yield f"grant {facts.granted} ({column}) on {name} to {ROLE}"
    if table.grants:
        yield f"grant {table.grants} on {name} to {ROLE}"
    if table.parameters:
        yield f"alter table {name} set ({table.parameters})"
    if table.owner:
        yield f"alter table {name} owner to {table.owner}"


def invent(random: Random, size: int) -> Invented:
    """Return a structure of so many objects, or a few more; columns are not counted."""
    found = Invented()
    for number in range(1, 3):
        found.enums[f"mood{number}"] = [f"label{each}" for each in range(random.randint(1, 4))]
    found.domains = {"positive": ("integer", "value > 0"), "word": ("text", "")}
    found.composites["place"] = ["street", "town"]
    found.sequences["numbers"] = 1
    found.functions = {"shout": ("pg_catalog.text", "select upper($1)"), "double": ("integer", "select ($1 * 2)::text")}
    while found.size < size:
        random.choice([add_table, *[add_part] * 6, *[add_view] * 2])(found, random)
    return found


def add_table(found: Invented, random: Random) -> None:
    """Add a table whose columns are of any type, some of them the structure's own."""
    own = (*found.enums, *found.domains, *found.composites)
    columns = {"id": Column("bigint", identity=random.choice(["", "always", "by default"]), required=True)}
    for number in range(random.randint(1, 5)):
        columns[f"c{number}"] = a_column(random, own)
    found.tables[fresh("t", found.tables)] = Table(columns=columns)


def a_column(random: Random, own: tuple[str, ...]) -> Column:
    """Return a column of some type, perhaps with a default."""
    type_ = random.choice([*COLUMN_TYPES, *own])
    default = random.choice(VALUES[type_]) if type_ in VALUES and random.random() < 0.4 else None
    return Column(type_, default=default, required=random.random() < 0.3)


def add_part(found: Invented, random: Random) -> None:
    """Add something to a table: a constraint, an index, a policy, a trigger."""
    if not found.tables:
        return
    name = random.choice(sorted(found.tables))
    table = found.tables[name]
    column = random.choice(sorted(table.columns))
    word = f"{name}_{random.randint(0, 999)}"
    match random.randint(0, 5):
        case 0:
            table.checks[f"{word}_check"] = (column, "is not null")
        case 1:
            table.uniques[f"{word}_unique"] = [column]
        case 2:
            table.columns[f"r{word}"] = Column("bigint")
            other = random.choice(sorted(found.tables))
            table.references[f"{word}_fk"] = (f"r{word}", other, random.choice(["", "on delete cascade"]))
        case 3:
            table.indexes[f"{word}_index"] = Index([column], unique=random.random() < 0.3)
        case 4:
            table.policies[f"{word}_policy"] = (random.choice(["all", "select", "delete"]), column)
        case 5:
            when = random.choice(["before insert", "after update", f"after update of {column}"])
            table.triggers[f"{word}_trigger"] = when


def add_view(found: Invented, random: Random) -> None:
    """Add a view of a table or of a view."""
    sources = {name: sorted(table.columns) for name, table in found.tables.items()}
    sources |= {name: list(view.columns) for name, view in found.views.items()}
    if sources:
        of = random.choice(sorted(sources))
        columns = random.sample(sources[of], random.randint(1, len(sources[of])))
        where = random.choice(["", columns[0]])
        found.views[fresh("v", found.views)] = View(of, columns, where, materialized=random.random() < 0.2)


def fresh(letter: str, taken: dict[str, object]) -> str:
    """Return a name that nothing of a kind has yet."""
    return next(name for number in range(len(taken) + 1) if (name := f"{letter}{number}") not in taken)
