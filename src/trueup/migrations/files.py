"""Migration files: plain SQL in the format of dbmate, read whole and checked before any of it runs.

A file is `VERSION_name.sql`, VERSION being its leading digits. It holds `-- migrate:up` and then `-- migrate:down`,
each at the start of a line, each with the SQL below it, each with `transaction:false` behind it where its statements
can't run in a transaction. What would be misread in silence is an error here: a directive that is indented or
misspelled, an unknown option, files whose order by name is not their order by number. So is a second pair of blocks:
each would be a transaction of its own, and the file no longer all or nothing. dbmate itself also wants a `migrate:down`
in every file.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise, zip_longest
from pathlib import Path

from trueup.errors import MigrationFailed, UsageError
from trueup.migrations.declarations import Declarations, read_declarations
from trueup.migrations.folders import digest, digest_of, read_files, version_of
from trueup.migrations.statements import Statement, split

DIRECTIVE = re.compile(r"--[ \t]*migrate:(?P<kind>up|down)(?P<options>[ \t].*)?", re.DOTALL)
LIKE_DIRECTIVE = re.compile(r"\s*--\s*migrate\s*:\s*(up|down)\b", re.IGNORECASE)
COMMENT_OR_BLANK = re.compile(r"[ \t\r\f]*(--.*)?", re.DOTALL)
ENDS_TRANSACTION = frozenset({"begin", "start", "commit", "end", "rollback", "abort", "prepare transaction"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Is one half of a file: its SQL from the directive's line on, exactly as it stands there."""

    sql: str = field(repr=False)
    line: int
    """The line of the file on which `sql` begins; the first is 1."""
    in_transaction: bool
    statements: tuple[Statement, ...] = field(repr=False)
    """Those in `sql` that do something."""

    def line_of(self, position: int) -> int:
        """Return the line of the file that holds the character at `position` of `sql`."""
        return self.line + self.sql.count("\n", 0, position)


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """Is one file."""

    version: str
    name: str
    file: Path
    up: Block
    down: Block | None
    """None: the file has no such block, or leaves it empty although the other is not; it can't be undone."""
    digest: str
    """SHA-256 of the file's bytes, in hex."""
    declares: Declarations = field(default_factory=Declarations)


@dataclass(frozen=True, slots=True, kw_only=True)
class Migrations:
    """Is the content of a folder, oldest first."""

    folder: Path
    files: tuple[Migration, ...]

    @property
    def digest(self) -> str:
        """SHA-256 over versions and contents, in hex.

        Equal digests build equal databases. The same text with other line endings has another digest, because the
        server keeps the line endings of a function's body.
        """
        return digest_of((migration.version, migration.digest) for migration in self.files)

    def up_to(self, version: str | None) -> tuple[Migration, ...]:
        """Return the files up to and including `version`; None: all of them.

        Raises:
            UsageError: no file has this version.
        """
        if version is None:
            return self.files
        versions = [migration.version for migration in self.files]
        if version not in versions:
            raise UsageError(f"{self.folder} holds no migration {version}; its newest is {versions[-1]}")
        return self.files[: versions.index(version) + 1]


def read_migrations(folder: Path) -> Migrations:
    """Return the migrations in `folder`; files not named `*.sql`, hidden ones and folders within are left out.

    Raises:
        UsageError: there is no such folder, it can't be read, or it holds no migration.
        MigrationFailed: a file is malformed, two have the same version, or their order is in doubt.
    """
    files = tuple(parse_migration(file, content) for file, content in read_files(folder))
    check_order(files)
    return Migrations(folder=folder, files=files)


def check_order(files: tuple[Migration, ...]) -> None:
    """Refuse two files with one version, and an order that depends on who sorts."""
    seen: dict[int, Migration] = {}
    for migration in files:
        other = seen.setdefault(int(migration.version), migration)
        if other is not migration:
            raise MigrationFailed(f"{migration.file} and {other.file} have the same version: renumber the later one")
    for earlier, later in pairwise(files):
        if int(later.version) < int(earlier.version):
            raise MigrationFailed(
                f"{earlier.file.name} comes before {later.file.name} by name, but after it by number: fill the shorter"
                " versions up with zeros in front"
            )


def parse_migration(file: Path, content: bytes) -> Migration:
    """Return what a file of this name and content holds.

    Raises:
        MigrationFailed: with the file and the line.
    """
    version, name = version_of(file)
    text = decode(file, content)
    blocks = parse_blocks(file, text)
    up, down = blocks["up"], blocks.get("down")
    if down and up.statements and not down.statements:
        down = None
    return Migration(
        version=version,
        name=name,
        file=file,
        up=up,
        down=down,
        digest=digest(content),
        declares=read_declarations(file, "\n".join(text.split("\n")[: up.line - 1])),
    )


def decode(file: Path, content: bytes) -> str:
    """Return the text of a file in plain UTF-8."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise malformed(file, content.count(b"\n", 0, error.start) + 1, "not UTF-8: save the file as UTF-8") from None
    if text.startswith("\ufeff"):
        raise malformed(file, 1, "starts with a byte order mark: save the file as UTF-8 without one")
    if "\0" in text:
        raise malformed(file, text.count("\n", 0, text.index("\0")) + 1, "holds a NUL character: remove it")
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Directive:
    """Is a line that begins a block."""

    kind: str
    start: int
    """Where it begins in the text of the file."""
    line: int
    in_transaction: bool


def parse_blocks(file: Path, text: str) -> dict[str, Block]:
    """Return the blocks by kind: `up` always, `down` where there is one."""
    directives = list(find_directives(file, text))
    check_kinds(file, directives)
    check_preamble(file, text[: directives[0].start])
    ends = [directive.start for directive in directives[1:]] + [len(text)]
    blocks = {}
    for directive, end in zip(directives, ends, strict=True):
        block = make_block(directive, text[directive.start : end])
        check_statements(file, block)
        blocks[directive.kind] = block
    return blocks


def make_block(directive: Directive, text: str) -> Block:
    """Return the block that a directive begins."""
    statements = tuple(statement for statement in split(text) if not statement.is_blank)
    return Block(sql=text, line=directive.line, in_transaction=directive.in_transaction, statements=statements)


def find_directives(file: Path, text: str) -> Iterator[Directive]:
    """Yield the directives in the order of their lines."""
    start = 0
    for number, line in enumerate(text.split("\n"), start=1):
        if found := DIRECTIVE.fullmatch(line.removesuffix("\r")):
            in_transaction = parse_options(file, number, (found["options"] or "").split())
            yield Directive(kind=found["kind"], start=start, line=number, in_transaction=in_transaction)
        elif LIKE_DIRECTIVE.match(line):
            raise malformed(
                file,
                number,
                "looks like a directive but is none: write `-- migrate:up` or `-- migrate:down`, in lower case, at the"
                " start of the line, options behind a blank",
            )
        start += len(line) + 1


def check_kinds(file: Path, directives: list[Directive]) -> None:
    """Refuse a file without `up`, and whatever is not one `up` and at most one `down` below it."""
    if not directives:
        raise malformed(file, 1, "holds no `-- migrate:up`: put it above the first statement")
    for directive, expected in zip_longest(directives, ("up", "down")):
        if directive and directive.kind != expected:
            raise malformed(
                file,
                directive.line,
                f"`-- migrate:{directive.kind}` is out of place: a file holds one `-- migrate:up` and, below it, at"
                " most one `-- migrate:down`; put the rest into a file of its own",
            )


def parse_options(file: Path, line: int, options: list[str]) -> bool:
    """Return whether the block runs in a transaction."""
    for option in options:
        if option not in {"transaction:true", "transaction:false"}:
            raise malformed(file, line, f"unknown option {option!r}: only transaction:false and transaction:true exist")
    if len(options) > 1:
        raise malformed(file, line, "more than one option: keep one")
    return options != ["transaction:false"]


def check_preamble(file: Path, text: str) -> None:
    """Refuse anything but blank lines and `--` comments before the first block: it would never run."""
    for number, line in enumerate(text.split("\n"), start=1):
        if not COMMENT_OR_BLANK.fullmatch(line):
            raise malformed(file, number, "stands before `-- migrate:up` and would never run: move it below, or out")


def check_statements(file: Path, block: Block) -> None:
    """Refuse statements that would end the file's transaction, or wait for data that can't come."""
    for statement in block.statements:
        if block.in_transaction and ends_transaction(statement.words):
            raise malformed(
                file,
                block.line_of(statement.start),
                f"`{statement.words[0]}` would end the transaction that the whole block runs in: remove it, or put"
                " transaction:false behind the directive",
            )
        if statement.words[:1] == ("copy",) and {"stdin", "stdout"} & set(statement.words):
            line = block.line_of(statement.start)
            raise malformed(file, line, "COPY from stdin or to stdout can't run in a migration: use INSERT")


def ends_transaction(words: tuple[str, ...]) -> bool:
    """Whether a statement of these words begins or ends a transaction; one about a savepoint does not."""
    first, second = (*words, "", "")[:2]
    if first == "rollback" and "to" in words:
        return False
    return first in ENDS_TRANSACTION or f"{first} {second}" in ENDS_TRANSACTION


def malformed(file: Path, line: int, problem: str) -> MigrationFailed:
    """Return the error that names the place."""
    return MigrationFailed(f"{file}:{line}: {problem}")
