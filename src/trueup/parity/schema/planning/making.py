"""The statements that make things. Does no I/O."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping

from trueup.parity.schema.columns import declaration
from trueup.parity.schema.indexes import created
from trueup.parity.schema.model import Column, DefinedObject, Index, Sequence, Table, UserType
from trueup.parity.schema.names import quote_ident, quote_literal
from trueup.parity.schema.planning import aggregates, teaching

WORDS = {
    "enum type": "create type {name} as enum ({parts})",
    "composite type": "create type {name} as ({parts})",
    "range type": "create type {name} as range ({parts})",
}
OPTION = re.compile(r"""("(?:[^"]|"")*"|[^\s",]+) (E?'(?:[^']|'')*'|\*\*\*)""")
HIDDEN = " ***"
"""Stands for the value of an option that may be a secret, as in `password ***`."""
LOGGING = {"permanent": "logged", "unlogged": "unlogged"}
STATES = {"disabled": "disable", "replica": "enable replica", "always": "enable always"}


def user_type(type_: UserType) -> str:
    """Return the statement that makes a type."""
    parts = (quote_literal(part) for part in type_.parts) if type_.kind == "enum type" else type_.parts
    return WORDS[type_.kind].format(name=type_.name, parts=", ".join(parts))


def unlogged(found: Sequence | Table) -> str:
    """Return the word that only unlogged relations have before their kind."""
    return "unlogged " if found.persistence == "unlogged" else ""


def sequence_options(sequence: Sequence) -> str:
    """Return the parameters of a sequence as SQL writes them."""
    return (
        f"as {sequence.type} increment {sequence.increment} minvalue {sequence.minimum} maxvalue {sequence.maximum}"
        f" start {sequence.start} cache {sequence.cache} {'cycle' if sequence.cycles else 'no cycle'}"
    )


def identity_options(sequence: Sequence) -> str:
    """Return the parameters of an identity's sequence, whose type is the column's."""
    _, _, options = sequence_options(sequence).partition(" increment ")
    return f"sequence name {sequence.name} increment {options}"


def column(found: Column, numbers: Sequence | None, *, not_null: str | None = None, default: str | None = None) -> str:
    """Return a column as `create table` writes it, without its default: that is set when all it calls is there.

    `not_null` is the name of its NOT NULL constraint where that is not the server's own choice; `default` is for a
    column that is added, whose rows get it at once.
    """
    words = [quote_ident(found.name), found.type]
    if found.collation:
        words.append(f"collate {found.collation}")
    if found.generated:
        words.append(declaration(found)[declaration(found).index("generated always as") :].removesuffix(" not null"))
    elif found.identity and numbers:
        words.append(f"generated {found.identity} as identity ({identity_options(numbers)})")
    if default is not None:
        words.append(f"default {default}")
    named = [f"constraint {quote_ident(not_null)}"] if not_null else []
    return " ".join(words if found.nullable else [*words, *named, "not null"])


def table(found: Table, columns: Iterable[str], source: DefinedObject | None) -> str:
    """Return the statement that makes a table with its columns."""
    words = [f"create {unlogged(found)}"]
    words[0] += f"{'foreign table' if found.kind == 'foreign table' else 'table'} {found.name} ({', '.join(columns)})"
    if found.parents and not found.partition_bound:
        words.append(f"inherits ({', '.join(map(str, found.parents))})")
    if found.partition_key:
        words.append(f"partition by {found.partition_key}")
    if source:
        words.append(f"server {quote_ident(source.parts['server'])}")
        words += [f"options ({source.parts['options']})"] if "options" in source.parts else []
    return " ".join(words)


def partition(found: Table) -> str:
    """Return the statement that makes a partition with all that its parent has."""
    head = f"create {unlogged(found)}table {found.name} partition of {found.parents[0]} {found.partition_bound}"
    return f"{head} partition by {found.partition_key}" if found.partition_key else head


def index(found: Index) -> str:
    """Return the statement that makes an index, on all partitions of a partitioned table."""
    return created(found).replace(" ON ONLY ", " ON ", 1)


def changed_options(have: str | None, want: str | None) -> list[str]:
    """Return what turns options into others, each as `name 'value'`."""
    mine, theirs = (dict(OPTION.findall(listed or "")) for listed in (have, want))
    words = [f"drop {name}" for name in sorted(mine.keys() - theirs.keys())]
    words += [f"add {name} {theirs[name]}" for name in sorted(theirs.keys() - mine.keys())]
    return words + [f"set {n} {theirs[n]}" for n in sorted(mine.keys() & theirs.keys()) if mine[n] != theirs[n]]


def defined_object(found: DefinedObject) -> tuple[str, ...]:
    """Return the statements that make an object; none where its parts don't tell how."""
    made = found.create or MAKERS.get(found.kind, lambda _: None)(found)
    if made is None or is_hidden(found):
        return ()
    return (made.strip().rstrip(";"), *_state(found))


def is_hidden(found: DefinedObject) -> bool:
    """Say whether an option's value was not shown, so that nobody can make the same."""
    return HIDDEN in found.parts.get("options", "")


def dropped_object(found: DefinedObject) -> tuple[str, ...]:
    """Return the statements that drop an object."""
    words = {
        "statistics object": "statistics", "foreign-data wrapper": "foreign data wrapper",
        "user mapping": "user mapping for", "transform": "transform",
    }  # fmt: skip
    identity = teaching.mapped(found) if found.kind == "user mapping" else found.identity
    return (f"drop {words.get(found.kind, found.kind)} {identity}",)


def _state(found: DefinedObject) -> tuple[str, ...]:
    if precision := found.parts.get("statistics target"):
        return (f"alter statistics {found.identity} set statistics {precision}",)
    word = STATES.get(found.parts.get("state", ""))
    if word is None:
        return ()
    if found.kind == "event trigger":
        return (f"alter event trigger {found.identity} {word}",)
    name = found.identity.removesuffix(f" on {found.table}")
    return (f"alter table {found.table} {word} {found.kind} {name}",)


def _event_trigger(found: DefinedObject) -> str:
    tags = found.parts.get("tags")
    listed = ", ".join(quote_literal(tag) for tag in tags.split(", ")) if tags else ""
    when = f" when tag in ({listed})" if tags else ""
    head = f"create event trigger {found.identity} on {found.parts['event']}{when}"
    return f"{head} execute function {found.parts['function']}"


def _publication(found: DefinedObject) -> str:
    parts = found.parts
    words = [f"create publication {found.identity}"]
    if parts["all tables"] == "true":
        words.append("for all tables")
    else:
        lists = [f"table {parts['tables']}"] if parts["tables"] else []
        lists += [f"tables in schema {parts['schemas']}"] if parts["schemas"] else []
        words += [f"for {', '.join(lists)}"] if lists else []
    root = parts["via partition root"]
    computed = ", publish_generated_columns = stored" if parts.get("generated columns", "none") == "s" else ""
    words.append(
        f"with (publish = {quote_literal(parts['operations'])}, publish_via_partition_root = {root}{computed})"
    )
    return " ".join(words)


def _wrapper(found: DefinedObject) -> str:
    parts = found.parts
    words = [f"create foreign data wrapper {found.identity}"]
    words += [f"handler {parts['handler']}"] if "handler" in parts else []
    words += [f"validator {parts['validator']}"] if "validator" in parts else []
    return " ".join([*words, *_options(parts)])


def _server(found: DefinedObject) -> str:
    parts = found.parts
    words = [f"create server {found.identity}"]
    words += [f"type {quote_literal(parts['server type'])}"] if "server type" in parts else []
    words += [f"version {quote_literal(parts['version'])}"] if "version" in parts else []
    return " ".join([*words, f"foreign data wrapper {quote_ident(parts['wrapper'])}", *_options(parts)])


def _options(parts: Mapping[str, str]) -> list[str]:
    return [f"options ({parts['options']})"] if "options" in parts else []


def _cast(found: DefinedObject) -> str:
    parts = found.parts
    methods = {"binary": "without function", "input and output": "with inout"}
    how = methods.get(parts["method"]) or f"with function {parts['function']}"
    context = "" if parts["context"] == "explicit" else f" as {parts['context']}"
    return f"create cast {found.identity} {how}{context}"


def _operator(found: DefinedObject) -> str:
    name, _, arguments = found.identity.partition("(")
    left, right = arguments.removesuffix(")").split(",")
    parts = found.parts
    options = {
        "function": teaching.bare(parts["function"]),
        "leftarg": left if left != "NONE" else None,
        "rightarg": right,
        "commutator": _operator_name(parts.get("commutator")),
        "negator": _operator_name(parts.get("negator")),
        "restrict": parts.get("restrict"),
        "join": parts.get("join"),
    }
    words = [f"{key} = {value}" for key, value in options.items() if value]
    words += ["hashes"] if parts["can hash"] == "true" else []
    words += ["merges"] if parts["can merge"] == "true" else []
    return f"create operator {name} ({', '.join(words)})"


def _operator_name(identity: str | None) -> str | None:
    return f"operator({identity.partition('(')[0]})" if identity else None


def _collation(found: DefinedObject) -> str:
    parts = found.parts
    options = {"provider": parts["provider"], "locale": quote_literal(parts["locale"])}
    if parts["provider"] == "libc" and parts["locale"] != parts.get("ctype"):
        options = {
            "provider": "libc",
            "lc_collate": quote_literal(parts["locale"]),
            "lc_ctype": quote_literal(parts["ctype"]),
        }
    if parts["provider"] == "icu":
        options |= {"rules": quote_literal(parts["rules"])} if "rules" in parts else {}
        options["deterministic"] = parts["deterministic"]
    return f"create collation {found.identity} ({', '.join(f'{name} = {value}' for name, value in options.items())})"


def _dictionary(found: DefinedObject) -> str:
    options = f", {found.parts['options']}" if found.parts.get("options") else ""
    return f"create text search dictionary {found.identity} (template = {found.parts['template']}{options})"


def _configuration(found: DefinedObject) -> str:
    name, words = (
        found.identity,
        [f"create text search configuration {found.identity} (parser = {found.parts['parser']})"],
    )
    dictionaries: defaultdict[str, list[str]] = defaultdict(list)
    for mapping in found.parts["mappings"].split(", ") if found.parts.get("mappings") else []:
        token, _, dictionary = mapping.partition(" ")
        dictionaries[token].append(dictionary)
    words += [
        f"alter text search configuration {name} add mapping for {token} with {', '.join(listed)}"
        for token, listed in dictionaries.items()
    ]
    return "; ".join(words)


MAKERS = {
    "aggregate": aggregates.made,
    "event trigger": _event_trigger,
    "publication": _publication,
    "foreign-data wrapper": _wrapper,
    "server": _server,
    "cast": _cast,
    "operator": _operator,
    "collation": _collation,
    "text search dictionary": _dictionary,
    "text search configuration": _configuration,
    "text search parser": teaching.parser,
    "text search template": teaching.template,
    "access method": teaching.access_method,
    "language": teaching.language,
    "conversion": teaching.conversion,
    "transform": teaching.transform,
    "user mapping": teaching.user_mapping,
    "type": teaching.shell_type,
    "operator class": teaching.operator_class,
    "operator family": teaching.operator_family,
}
