"""The statements that teach the server something new: languages, operator families, conversions. Does no I/O."""

from collections.abc import Mapping

from trueup.parity.schema.model import DefinedObject
from trueup.parity.schema.names import quote_ident

MEMBERS = ("operators", "functions")
AM_TYPES = {"t": "table", "i": "index"}


def access_method(found: DefinedObject) -> str:
    """Return the statement that makes an access method."""
    kind, handler = AM_TYPES[found.parts["type"]], found.parts["handler"]
    return f"create access method {found.identity} type {kind} handler {handler}"


def language(found: DefinedObject) -> str | None:
    """Return the statement that makes a language."""
    parts = found.parts
    if "handler" not in parts:
        return None
    trusted = "trusted " if parts["trusted"] == "true" else ""
    words = [f"create {trusted}language {found.identity}"]
    return " ".join(
        [*words, *(f"{word} {parts[word]}" for word in ("handler", "inline", "validator") if word in parts)]
    )


def conversion(found: DefinedObject) -> str:
    """Return the statement that makes a conversion between encodings."""
    parts = found.parts
    default = "default " if parts["default"] == "true" else ""
    head = f"create {default}conversion {found.identity}"
    return f"{head} for '{parts['from']}' to '{parts['to']}' from {parts['function']}"


def parser(found: DefinedObject) -> str:
    """Return the statement that makes a parser of text search."""
    words = {"start": "start", "gettoken": "token", "end": "end", "lextypes": "types", "headline": "headline"}
    return f"create text search parser {found.identity} ({_listed(words, found.parts)})"


def template(found: DefinedObject) -> str:
    """Return the statement that makes a template of text search."""
    words = {"init": "init", "lexize": "lexize"}
    return f"create text search template {found.identity} ({_listed(words, found.parts)})"


def transform(found: DefinedObject) -> str:
    """Return the statement that makes a transform."""
    words = {"from sql with function": "from", "to sql with function": "to"}
    given = ", ".join(f"{word} {found.parts[part]}" for word, part in words.items() if part in found.parts)
    return f"create transform {found.identity} ({given})"


def user_mapping(found: DefinedObject) -> str | None:
    """Return the statement that makes a user mapping; None where it has options, whose values nobody reads."""
    return None if "options" in found.parts else f"create user mapping for {mapped(found)}"


def mapped(found: DefinedObject) -> str:
    """Return a user mapping as SQL names it; its identity quotes nothing."""
    user, _, server = found.identity.partition(" on server ")
    return f"{user if user == 'public' else quote_ident(user)} server {quote_ident(server)}"


def shell_type(found: DefinedObject) -> str | None:
    """Return the statement that makes a type without a form; others need functions that need them."""
    return f"create type {found.identity}" if found.parts["input"] == "shell_in" else None


def operator_class(found: DefinedObject) -> str:
    """Return the statement that makes an operator class with its own members."""
    parts = found.parts
    name, _, method = found.identity.rpartition(" USING ")
    default = " default" if parts["default"] == "true" else ""
    family = parts["family"].rpartition(" USING ")[0]
    members = [parts[part] for part in MEMBERS if part in parts]
    if "storage" in parts or not members:
        members.append(f"storage {parts.get('storage', parts['type'])}")
    head = f"create operator class {name}{default} for type {parts['type']} using {method} family {family}"
    return f"{head} as {', '.join(members)}"


def operator_family(found: DefinedObject) -> str:
    """Return the statements that make an operator family with the members that stand loose in it."""
    members = ", ".join(found.parts[part] for part in MEMBERS if part in found.parts)
    made = f"create operator family {found.identity}"
    return f"{made}; alter operator family {found.identity} add {members}" if members else made


def bare(function: str) -> str:
    """Return the name of a function without its arguments."""
    return function.partition("(")[0]


def _listed(words: Mapping[str, str], parts: Mapping[str, str]) -> str:
    return ", ".join(f"{word} = {parts[part]}" for word, part in words.items() if part in parts)
