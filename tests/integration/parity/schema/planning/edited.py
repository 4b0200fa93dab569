"""Random edits of invented structures, as people make them: one thing each, and what falls with it."""

from collections.abc import Callable
from copy import deepcopy
from random import Random

from tests.integration.parity.schema.planning.invented import (
    COLUMN_TYPES,
    OWNER,
    VALUES,
    Column,
    Invented,
    Table,
    a_column,
    add_part,
    add_table,
    add_view,
    fresh,
)

EDITS: dict[str, Callable[[Invented, Random], None]] = {}
Edit = Callable[[Invented, Random], None]
SPECIAL = ("it''s new", 'Ü — \\ "q"', "two words")
"""Comments."""
ACTIONS = ("on delete set null", "on update cascade deferrable", "on delete restrict", "not valid")


def edit(function: Edit) -> Edit:
    EDITS[function.__name__] = function
    return function


def edited(start: Invented, names: list[str], random: Random) -> Invented:
    """Return the structure after some edits."""
    found = deepcopy(start)
    for name in names:
        EDITS[name](found, random)
    return found


def a_table(found: Invented, random: Random) -> tuple[str, Table]:
    name = random.choice(sorted(found.tables))
    return name, found.tables[name]


def a_free_column(found: Invented, random: Random) -> tuple[str, Table, str]:
    """Return a column that may get another type or go."""
    free = [(name, each) for name, table in sorted(found.tables.items()) for each in table.free_columns()]
    name, column = random.choice(free) if free else ("", "")
    return name, found.tables.get(name, Table({})), column


EDITS |= {"add_table": add_table, "add_part": add_part, "add_view": add_view}


@edit
def drop_table(found: Invented, random: Random) -> None:
    name, _ = a_table(found, random)
    if len(found.tables) > 1:
        del found.tables[name]
        for view in found.readers(name):
            found.views.pop(view, None)
        for table in found.tables.values():
            table.references = {key: each for key, each in table.references.items() if each[1] != name}


@edit
def add_column(found: Invented, random: Random) -> None:
    _, table = a_table(found, random)
    column = a_column(random, (*found.enums, *found.domains, *found.composites))
    column.required = column.required and column.default is not None
    table.columns[fresh("n", table.columns)] = column


@edit
def add_computed_column(found: Invented, random: Random) -> None:
    _, table = a_table(found, random)
    texts = [name for name, each in table.columns.items() if each.type == "text" and not each.generated]
    if texts:
        table.columns[fresh("g", table.columns)] = Column("text", generated=random.choice(texts))


@edit
def drop_column(found: Invented, random: Random) -> None:
    name, table, column = a_free_column(found, random)
    if not column:
        return
    del table.columns[column]
    table.checks = {key: each for key, each in table.checks.items() if each[0] != column}
    table.uniques = {key: each for key, each in table.uniques.items() if column not in each}
    table.policies = {key: each for key, each in table.policies.items() if each[1] != column}
    table.triggers = {key: each for key, each in table.triggers.items() if not each.endswith(f" {column}")}
    table.indexes = {key: each for key, each in table.indexes.items() if column not in (*each.columns, each.where)}
    lose_column(found, name, column)


def lose_column(found: Invented, relation: str, column: str) -> None:
    """Take a column out of the views that read it; a view without columns goes."""
    for name in [each for each, view in found.views.items() if view.of == relation]:
        view = found.views[name]
        if column in (*view.columns, view.where):
            view.columns = [each for each in view.columns if each != column]
            view.where = "" if view.where == column else view.where
            lose_column(found, name, column)
        if not view.columns:
            for each in [*found.readers(name), name]:
                found.views.pop(each, None)


@edit
def retype_column(found: Invented, random: Random) -> None:
    _, table, column = a_free_column(found, random)
    if column:
        facts = table.columns[column]
        facts.type = random.choice([each for each in COLUMN_TYPES if each != facts.type])
        facts.default = random.choice([None, random.choice(VALUES[facts.type])])


@edit
def take_own_type(found: Invented, random: Random) -> None:
    _, table, column = a_free_column(found, random)
    if column and all(column not in each for each in table.uniques.values()):
        table.columns[column].type = random.choice([*found.enums, *found.domains])
        table.columns[column].default = None


@edit
def change_default(found: Invented, random: Random) -> None:
    _, table = a_table(found, random)
    column = table.columns[random.choice(sorted(table.columns))]
    if column.type in VALUES and not column.identity and not column.generated:
        column.default = random.choice([None, *VALUES[column.type]])


@edit
def change_requirement(found: Invented, random: Random) -> None:
    _, table = a_table(found, random)
    name = random.choice(sorted(table.columns))
    if name != table.key and not table.columns[name].generated:
        table.columns[name].required = not table.columns[name].required


@edit
def change_identity(found: Invented, random: Random) -> None:
    _, table = a_table(found, random)
    if table.key in table.columns:
        table.columns[table.key].identity = random.choice(["", "always", "by default"])


@edit
def drop_part(found: Invented, random: Random) -> None:
    _, table = a_table(found, random)
    kinds = (table.checks, table.uniques, table.references, table.indexes, table.policies, table.triggers)
    full = [parts for parts in kinds if parts]
    if full:
        parts = random.choice(full)
        del parts[random.choice(sorted(parts))]


@edit
def change_check(found: Invented, random: Random) -> None:
    _, table = a_table(found, random)
    if table.checks:
        name = random.choice(sorted(table.checks))
        column, rule = table.checks[name]
        table.checks[name] = (column, "is null" if "not" in rule else "is not null")


@edit
def change_reference(found: Invented, random: Random) -> None:
    _, table = a_table(found, random)
    if table.references:
        name = random.choice(sorted(table.references))
        column, other, _ = table.references[name]
        table.references[name] = (column, other, random.choice(ACTIONS))


@edit
def change_index(found: Invented, random: Random) -> None:
    _, table = a_table(found, random)
    if table.indexes:
        index = table.indexes[random.choice(sorted(table.indexes))]
        match random.randint(0, 3):
            case 0:
                index.unique = not index.unique
            case 1:
                index.where = "" if index.where else random.choice(sorted(table.columns))
            case 2:
                index.order = "" if index.order else " desc nulls last"
            case 3:
                more = random.choice(sorted(table.columns))
                if more not in index.columns:
                    index.columns = [*index.columns, more]


@edit
def change_policy(found: Invented, random: Random) -> None:
    _, table = a_table(found, random)
    table.row_security = not table.row_security
    for name, (command, column) in table.policies.items():
        table.policies[name] = ("update" if command == "select" else "select", column)


@edit
def change_trigger(found: Invented, random: Random) -> None:
    _, table = a_table(found, random)
    for name in table.triggers:
        table.triggers[name] = random.choice(["after delete", "before insert or update", "after insert"])


@edit
def annotate(found: Invented, random: Random) -> None:
    name, table = a_table(found, random)
    column = table.columns[random.choice(sorted(table.columns))]
    match random.randint(0, 6):
        case 0:
            table.comment = random.choice(["", *SPECIAL])
        case 1:
            column.comment = random.choice(["", *SPECIAL])
        case 2:
            table.grants = random.choice(["", "select", "select, insert", "all"])
        case 3:
            table.owner = random.choice(["", OWNER])
        case 4:
            table.parameters = random.choice(["", "fillfactor = 70", "fillfactor = 80, autovacuum_enabled = false"])
        case 5:
            column.granted = random.choice(["", "select", "update"])
        case 6:
            for view in found.readers(name):
                found.views[view].comment = random.choice(["", *SPECIAL])


@edit
def log_or_not(found: Invented, random: Random) -> None:
    name, table = a_table(found, random)
    is_referred = any(each[1] == name for other in found.tables.values() for each in other.references.values())
    if not is_referred and not table.references:
        table.unlogged = not table.unlogged


@edit
def change_view(found: Invented, random: Random) -> None:
    if not found.views:
        return
    name = random.choice(sorted(found.views))
    view = found.views[name]
    if random.random() < 0.3:
        view.materialized = not view.materialized
    elif random.random() < 0.5:
        view.where = "" if view.where else view.columns[0]
    else:
        there = found.tables[view.of].columns if view.of in found.tables else found.views[view.of].columns
        more = [each for each in there if each not in view.columns]
        view.columns = [*([random.choice(sorted(more))] if more else []), *view.columns]


@edit
def drop_view(found: Invented, random: Random) -> None:
    if found.views:
        name = random.choice(sorted(found.views))
        for each in [*found.readers(name), name]:
            found.views.pop(each, None)


@edit
def change_enum(found: Invented, random: Random) -> None:
    name = random.choice(sorted(found.enums))
    labels = found.enums[name]
    match random.randint(0, 2):
        case 0:
            labels.insert(random.randint(0, len(labels)), fresh("new", labels))
        case 1 if len(labels) > 1:
            labels.remove(random.choice(labels))
        case 2:
            random.shuffle(labels)


@edit
def change_domain(found: Invented, random: Random) -> None:
    name = random.choice(sorted(found.domains))
    base, check = found.domains[name]
    found.domains[name] = (base, "" if check else "value is not null or value is null")


@edit
def change_composite(found: Invented, random: Random) -> None:
    attributes = found.composites["place"]
    if random.random() < 0.5 or len(attributes) == 1:
        attributes.append(fresh("more", attributes))
    else:
        attributes.remove(random.choice(attributes))


@edit
def change_sequence(found: Invented, random: Random) -> None:
    found.sequences["numbers"] = random.randint(1, 9)
    found.sequences.setdefault(fresh("s", found.sequences), 2)


@edit
def change_function(found: Invented, random: Random) -> None:
    name = random.choice(sorted(found.functions))
    argument, _ = found.functions[name]
    match random.randint(0, 2):
        case 0:
            found.functions[name] = (argument, f"select $1::text || {random.randint(0, 99)}::text")
        case 1:
            found.functions[name] = ("bigint" if argument == "integer" else "integer", "select ($1 + 1)::text")
        case 2:
            found.functions[fresh("f", found.functions)] = ("pg_catalog.date", "select $1::text")
