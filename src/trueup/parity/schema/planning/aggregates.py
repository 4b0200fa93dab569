"""The statement that makes an aggregate. Does no I/O."""

from collections.abc import Iterator

from trueup.parity.schema.model import DefinedObject
from trueup.parity.schema.names import quote_literal
from trueup.parity.schema.planning.teaching import bare

FUNCTIONS = {
    "sfunc": "state function", "finalfunc": "final function", "combinefunc": "combine function",
    "serialfunc": "serial function", "deserialfunc": "deserial function", "msfunc": "moving state function",
    "minvfunc": "moving inverse function", "mfinalfunc": "moving final function",
}  # fmt: skip
WORDS = {
    "stype": "state type", "sspace": "state size", "mstype": "moving state type", "msspace": "moving state size",
}  # fmt: skip
TEXTS = {"initcond": "initial state", "minitcond": "moving initial state"}
FLAGS = {"finalfunc_extra": "final function gets all", "mfinalfunc_extra": "moving final function gets all"}
CHANGES = {
    "finalfunc_modify": "final function changes state", "mfinalfunc_modify": "moving final function changes state"
}  # fmt: skip
MODIFIES = {"r": "read_only", "s": "shareable", "w": "read_write"}


def made(found: DefinedObject) -> str:
    """Return the statement that makes an aggregate."""
    name = found.identity[: found.identity.index("(")]
    return f"create aggregate {name}({found.parts['arguments'] or '*'}) ({', '.join(_options(found))})"


def _options(found: DefinedObject) -> Iterator[str]:
    parts = found.parts
    yield from (f"{word} = {bare(parts[part])}" for word, part in FUNCTIONS.items() if part in parts)
    yield from (f"{word} = {parts[part]}" for word, part in WORDS.items() if part in parts)
    yield from (f"{word} = {quote_literal(parts[part])}" for word, part in TEXTS.items() if part in parts)
    yield from (word for word, part in FLAGS.items() if part in parts)
    yield from (f"{word} = {MODIFIES[parts[part]]}" for word, part in CHANGES.items() if part in parts)
    if "sort operator" in parts:
        yield f"sortop = operator({parts['sort operator'].partition('(')[0]})"
    if parts["parallel"] != "unsafe":
        yield f"parallel = {parts['parallel']}"
    if parts["aggregate"].startswith("h"):
        yield "hypothetical"
