"""How the sequences of two databases differ. An identity's sequence is known by its column, whatever its name."""

from collections.abc import Iterator, Mapping

from trueup.parity.schema.difference import Difference, Effect, difference
from trueup.parity.schema.model import Catalog, Sequence
from trueup.parity.schema.names import ColumnName
from trueup.parity.schema.pairs import is_implicit
from trueup.report.model import Severity

LARGEST = {"smallint": 2**15 - 1, "integer": 2**31 - 1, "bigint": 2**63 - 1}
ADVICE: Mapping[str, str] = {
    "start": "A restart begins at another number.",
    "increment": "Numbers are handed out in other steps.",
    "minimum": "It refuses to go below another number.",
    "maximum": "It ends at another number: nextval fails there (2200H).",
    "cache": "Sessions take another amount of numbers at once, so that gaps differ.",
    "cycle": "At its end one side starts again, where the other fails (2200H).",
    "persistence": "After a crash one side starts again, and replicas don't have it.",
}


def sequence_differences(source: Catalog, target: Catalog) -> Iterator[Difference]:
    """Yield how the sequences differ, leaving out those that a missing table, column or identity explains."""
    mine, theirs = _by_role(source), _by_role(target)
    for role in mine.keys() & theirs.keys():
        yield from _pair(mine[role], theirs[role], source, target)
    for role in mine.keys() - theirs.keys():
        if not _is_explained(mine[role], target):
            yield _missing(mine[role])
    for role in theirs.keys() - mine.keys():
        if not _is_explained(theirs[role], source):
            yield _extra(theirs[role])


def owned_sequences(catalog: Catalog) -> Mapping[ColumnName, Sequence]:
    """Return the sequence that each serial or identity column owns."""
    return {
        sequence.owner: sequence
        for sequence in catalog.sequences.values()
        if sequence.owner and sequence.owner in sequence.feeds
    }


def _by_role(catalog: Catalog) -> Mapping[tuple[object, ...], Sequence]:
    owned = {sequence.name for sequence in owned_sequences(catalog).values()}
    return {
        (sequence.owner, sequence.is_identity) if name in owned else name: sequence
        for name, sequence in catalog.sequences.items()
    }


def _is_explained(sequence: Sequence, other: Catalog) -> bool:
    if sequence.owner is None:
        return False
    column = other.column(sequence.owner)
    return column is None or sequence.is_identity or column.identity is not None


def _pair(mine: Sequence, theirs: Sequence, source: Catalog, target: Catalog) -> Iterator[Difference]:
    name = str(mine.owner) if mine.is_identity else str(mine.name)
    if mine.type != theirs.type and not (_follows_column(mine, source) and _follows_column(theirs, target)):
        yield difference("sequence", name, "type", (mine.type, theirs.type), _typed(mine, theirs))
    for change, values in _parameters(mine, theirs).items():
        if values[0] != values[1]:
            word = {"minimum": "minvalue", "maximum": "maxvalue"}.get(change, change)
            remedy = f"alter sequence {theirs.name} {word} {values[0]}"
            yield difference("sequence", name, change, values, Effect(Severity.BEHAVIOURAL, ADVICE[change], remedy))
    if mine.name != theirs.name and not (mine.is_identity or _both_implicit(mine, theirs)):
        effect = Effect(
            Severity.BEHAVIOURAL,
            "The column's numbers come as before; code that calls the sequence by its name fails (42P01).",
            f"alter sequence {theirs.name} rename to {mine.name.name}",
        )
        yield difference("sequence", name, "name", (str(mine.name), str(theirs.name)), effect)
    if not mine.is_identity and mine.owner != theirs.owner:
        owners = (mine.owner and str(mine.owner), theirs.owner and str(theirs.owner))
        effect = Effect(
            Severity.COSMETIC,
            "It goes, or stays, when a column is dropped; TRUNCATE ... RESTART IDENTITY reaches it or not.",
            f"alter sequence {theirs.name} owned by {owners[0] or 'none'}",
        )
        yield difference("sequence", name, "owner", owners, effect)


def _parameters(mine: Sequence, theirs: Sequence) -> Mapping[str, tuple[str, str]]:
    pairs = {
        "start": (str(mine.start), str(theirs.start)),
        "increment": (str(mine.increment), str(theirs.increment)),
        "minimum": (_bound(mine, mine.minimum), _bound(theirs, theirs.minimum)),
        "maximum": (_bound(mine, mine.maximum), _bound(theirs, theirs.maximum)),
        "cache": (str(mine.cache), str(theirs.cache)),
    }
    return pairs | {
        "cycle": ("yes" if mine.cycles else "no", "yes" if theirs.cycles else "no"),
        "persistence": (mine.persistence, theirs.persistence),
    }


def _bound(sequence: Sequence, value: int) -> str:
    return "the type's" if value in {LARGEST[sequence.type], -LARGEST[sequence.type] - 1} else str(value)


def _follows_column(sequence: Sequence, catalog: Catalog) -> bool:
    column = catalog.column(sequence.owner) if sequence.owner else None
    return column is not None and column.type == sequence.type


def _both_implicit(mine: Sequence, theirs: Sequence) -> bool:
    return all(
        side.owner is not None and is_implicit(side.name.name, side.owner.relation, "sequence")
        for side in (mine, theirs)
    )


def _typed(mine: Sequence, theirs: Sequence) -> Effect:
    remedy = f"alter sequence {theirs.name} as {mine.type}"
    if LARGEST[theirs.type] < LARGEST[mine.type]:
        return Effect(Severity.LOSSY, f"It ends at {LARGEST[theirs.type]}: nextval fails there (2200H).", remedy)
    return Effect(Severity.BEHAVIOURAL, "It hands out larger numbers than the source's.", remedy)


def _missing(sequence: Sequence) -> Difference:
    effect = Effect(
        Severity.BREAKING, "Statements that take a number from it fail (42P01).", f"create sequence {sequence.name}"
    )
    return difference("sequence", str(sequence.name), "missing", (_summary(sequence), None), effect)


def _extra(sequence: Sequence) -> Difference:
    effect = Effect(Severity.COSMETIC, "Nothing of the source uses it.", f"drop sequence {sequence.name}")
    return difference("sequence", str(sequence.name), "extra", (None, _summary(sequence)), effect)


def _summary(sequence: Sequence) -> str:
    return f"{sequence.type} start {sequence.start} increment {sequence.increment}"
