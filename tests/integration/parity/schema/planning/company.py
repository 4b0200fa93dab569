"""Cases that are tried side by side in one pair of databases, by names that no other case has: each is judged alone.

To make a database, to read its structure and to dump it costs as much for one case as for fifty.
"""

import re
import subprocess
from collections import defaultdict
from collections.abc import Collection, Generator, Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple, TypeVar

import psycopg
from tests.integration.parity.schema.planning.case_table import Case

from trueup.conninfo import ConnInfo
from trueup.db import connect
from trueup.parity.schema import Difference, diff
from trueup.parity.schema.expressions import restored
from trueup.parity.schema.planning import SETTINGS, Statement, Structure, planned, stated, transactions
from trueup.parity.schema.planning.dumps import other_names, same_dumps
from trueup.parity.schema.planning.proof import structure
from trueup.parity.schema.planning.running import Unproved
from trueup.servers import EmbeddedServer

Connection = psycopg.Connection[tuple[object, ...]]
T = TypeVar("T")

OF_THE_DATABASE = re.compile(
    r"schema (\w+, )?public|event trigger|default privileges (?!in schema)|all tables|access method|extension"
)
BESIDE_SCHEMAS = re.compile(
    r'create (?:trusted )?(?:schema|server|foreign data wrapper|publication|language) ("[^"]+"|\w+)'
)
FIELDS = ("tables", "views", "sequences", "types", "objects", "annotations")
"""What a catalog has by its name."""
MARK = re.compile(r"_of_\d+(?!\d)")
UNMARKED = ""
BEFORE_TABLES = {"SET default_tablespace = '';", "SET default_table_access_method = heap;"}
"""What a dump says once, before its first table, and so in the section of something else."""


class Failed(Exception):
    """Is why a case is not as listed."""


class Pair(NamedTuple):
    source: ConnInfo
    target: ConnInfo


class Side(NamedTuple):
    """Is a database at one moment, or what in it is of one case."""

    structure: Structure
    dump: list[str]


# -- names -------------------------------------------------------------------------------------------------------------


def is_lone(case: Case) -> bool:
    """Say whether a case is about what belongs to a whole database, or about what is only counted there."""
    is_counted = case.left not in {"", "order"} and "public." not in case.left
    return is_counted or bool(OF_THE_DATABASE.search(f"{case.source}; {case.target}"))


def marked(case: Case, mark: str) -> Case:
    """Return a case whose schemas, and whatever stands in none, have its mark in their names: public_of_7, w_of_7."""
    names = {name for side in (case.source, case.target) for name in BESIDE_SCHEMAS.findall(side)}
    words = "|".join([r"\bpublic(?=\.)", *(rf'(?<![\w"]){re.escape(name)}(?![\w"])' for name in sorted(names))])

    def rename(word: re.Match[str]) -> str:
        return f'{word[0][:-1]}{mark}"' if word[0].endswith('"') else f"{word[0]}{mark}"

    return Case(*(re.sub(words, rename, text) for text in case))


def marks(text: object) -> set[str]:
    return set(MARK.findall(str(text))) or {UNMARKED}


def shares(whole: Structure, cases: Collection[str]) -> dict[str, Structure]:
    """Return what in a structure is of each case, by its mark; unmarked is what is of none."""

    def cut(names: Iterable[T]) -> Mapping[str, list[T]]:
        found = defaultdict(list)
        for name in names:
            for mark in marks(name):
                found[mark].append(name)
        return found

    found = whole.catalog
    fields = {field: getattr(found, field) for field in FIELDS}
    named = {field: cut(names) for field, names in fields.items()}
    schemas = cut(found.schemas)
    needs = defaultdict(list)
    for pair in whole.needs:
        for mark in cases if pair[0].kind == "server" else marks(pair[0]):
            needs[mark].append(pair)
    return {
        mark: Structure(
            replace(
                found,
                schemas=frozenset(schemas[mark]),
                **{field: {name: names[name] for name in named[field][mark]} for field, names in fields.items()},
            ),
            frozenset(needs[mark]),
        )
        for mark in cases
    }


# -- databases ---------------------------------------------------------------------------------------------------------


def build(connection: Connection, statements: str, mark: str) -> None:
    """Run statements in the case's own schema, which is made like `public`."""
    with connection.transaction():
        if mark:
            schema = f"public{mark}"
            connection.execute(f"create schema {schema} authorization pg_database_owner".encode())
            connection.execute(f"grant usage on schema {schema} to public; set local search_path to {schema}".encode())
        connection.execute(statements.encode())


def apply(connection: Connection, way: Iterable[Statement]) -> None:
    """Run statements in their transactions."""
    connection.execute("; ".join(SETTINGS).encode())
    for group in transactions(way):
        if group[0].is_alone:
            connection.execute(group[0].sql.encode())
            continue
        with connection.transaction():
            connection.execute("; ".join(statement.sql for statement in group).encode())


def sides(server: EmbeddedServer, conninfo: ConnInfo, cases: Collection[str]) -> dict[str, Side]:
    """Read a database; return what is of each case, by its mark."""
    printed = dump(server, conninfo)
    return {mark: Side(share, printed[mark]) for mark, share in shares(structure(conninfo), cases).items()}


def dump(server: EmbeddedServer, conninfo: ConnInfo) -> Mapping[str, list[str]]:
    """Return what `pg_dump -s` prints of each case: without comments, and with checks as they read once restored."""
    program = server.installation.program("pg_dump")
    done = subprocess.run([program, "-s", "-d", conninfo.reveal()], capture_output=True, text=True, check=True)
    found: defaultdict[str, list[str]] = defaultdict(list)
    for section in re.split(r"^-- Name: ", done.stdout, flags=re.MULTILINE):
        [mark] = marks(section)
        for line in section.split("\n")[1:]:
            if line and not line.startswith(("--", "\\restrict", "\\unrestrict")):
                found[UNMARKED if line in BEFORE_TABLES else mark].append(restored(line))
    return found


# -- cases -------------------------------------------------------------------------------------------------------------


def there_and_back(
    case: Case, mark: str, source: Connection, target: Connection
) -> Generator[None, tuple[Side, Side], None]:
    """Try a case in four parts; after each but the last it is told how source and target look now.

    Raises:
        Failed, Unproved, psycopg.Error: with what is not as it should be.
    """
    build(source, case.source, mark)
    build(target, case.target, mark)
    wanted, start = yield
    plan = planned(wanted.structure, start.structure, "postgres")
    expect(listed(diff(wanted.structure.catalog, start.structure.catalog)), case.differences)
    if plan.unreached:
        expect("; ".join({f"{kind} {identity}" for kind, identity in plan.unreached}), case.left)
        return
    apply(target, stated(plan.up, allow_loss=True))
    _, there = yield
    if is_said(case.left, wanted, there) or is_said(case.left, start, there):
        return
    expect(listed(diff(wanted.structure.catalog, there.structure.catalog)), "")
    remarks = [*same_dumps(there.dump, wanted.dump)]
    apply(target, stated(plan.down, allow_loss=True))
    _, back = yield
    expect(listed(diff(start.structure.catalog, back.structure.catalog)), "")
    remarks += same_dumps(back.dump, start.dump)
    expect("order" if remarks else "", case.left)


def listed(differences: Iterable[Difference]) -> str:
    return "; ".join(f"{each.kind} {each.object} {each.change}" for each in differences)


def expect(found: str, wanted: str) -> None:
    if sorted(found.split("; ")) != sorted(wanted.split("; ")):
        raise Failed(f"{found or 'nothing'}, and not {wanted or 'nothing'}")


def is_said(left: str, wanted: Side, found: Side) -> bool:
    """Say whether what is left is named: as not compared, as a name that stays another one, or by the comparison."""
    named = {*wanted.structure.catalog.not_compared, *other_names(wanted.structure, found.structure)}
    return left in named or left == listed(diff(wanted.structure.catalog, found.structure.catalog)) != ""


def failures(server: EmbeddedServer, pair: Pair, cases: Mapping[str, Case]) -> dict[str, str]:
    """Try cases side by side in two empty databases; return why some are not as listed, by their names."""
    names = {f"_of_{number}" if len(cases) > 1 else UNMARKED: name for number, name in enumerate(cases)}
    found = {}
    with connect(pair.source) as source, connect(pair.target) as target:
        trials = {mark: there_and_back(marked(cases[name], mark), mark, source, target) for mark, name in names.items()}
        seen: dict[str, tuple[Side, Side]] = {}
        while trials:
            for mark, trial in list(trials.items()):
                try:
                    trial.send(seen.get(mark))
                except StopIteration:
                    del trials[mark]
                except (Failed, Unproved, psycopg.Error) as error:
                    found[names[mark]] = f"{type(error).__name__}: {error}"
                    del trials[mark]
            if trials:
                seen = looked(server, pair, names, seen)
    return found


def looked(
    server: EmbeddedServer, pair: Pair, marks: Iterable[str], before: Mapping[str, tuple[Side, Side]]
) -> dict[str, tuple[Side, Side]]:
    """Return source and target of each case as they are now; nobody changes the source after it was looked at once."""
    everyone = {*marks, UNMARKED}
    wanted = {mark: side for mark, (side, _) in before.items()} or sides(server, pair.source, everyone)
    found = sides(server, pair.target, everyone)
    if UNMARKED not in marks:
        assert_alike(wanted[UNMARKED], found[UNMARKED])
    return {mark: (wanted[mark], found[mark]) for mark in everyone}


def assert_alike(*unmarked: Side) -> None:
    """See that what is of no case is the same on both sides: nothing escapes by its name."""
    one, other = unmarked
    assert diff(one.structure.catalog, other.structure.catalog) == ()
    assert [line for line in one.dump if line not in BEFORE_TABLES] == [
        line for line in other.dump if line not in BEFORE_TABLES
    ]
