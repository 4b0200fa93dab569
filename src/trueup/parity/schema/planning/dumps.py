"""What `pg_dump -s` prints of a scratch database, and how two of them may differ.

Source: PostgreSQL manual, "pg_dump".
"""

import re
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator

from trueup.conninfo import ConnInfo
from trueup.errors import ServerUnavailable
from trueup.parity.schema.planning.running import Unproved
from trueup.parity.schema.planning.sides import Structure
from trueup.servers import EmbeddedServer

MOST = 5
"""So many names are listed."""


def dump(server: EmbeddedServer, conninfo: ConnInfo) -> list[str]:
    """Return what `pg_dump -s` prints, without comments and what it makes anew each time."""
    done = subprocess.run(
        [server.installation.program("pg_dump"), "-s", "-d", conninfo.reveal()],
        env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        printed = done.stderr.decode(errors="replace").strip()
        raise ServerUnavailable(f"pg_dump of the scratch database failed: {printed}")
    lines = done.stdout.decode().split("\n")
    return [line for line in lines if line and not line.startswith(("--", "\\restrict", "\\unrestrict"))]


def other_names(wanted: Structure, found: Structure) -> list[str]:
    """Return what dumps show otherwise than wanted, though no comparison looks at it."""
    kinds = {"server"} if wanted.names_not_null and found.names_not_null else {"server", "not null"}
    odd = wanted.names.items() - found.names.items()
    return sorted(f"{kind} {identity}" for (kind, identity), _ in odd if kind not in kinds)


def same_dumps(planned: list[str], built: list[str], *, of: str = "the source") -> Iterator[str]:
    """Yield the remark that columns stand in another order than those of what was built, where only that differs.

    Raises:
        Unproved: more than that differs.
    """
    mine, theirs = (Counter(map(unordered, lines)) for lines in (planned, built))
    if mine != theirs:
        odd = sorted((mine - theirs) | (theirs - mine))
        raise Unproved(f"the dumps of the outcome and of {of} differ: {listed(odd)}")
    if planned != built:
        tables = [line for line in built if re.match(r"CREATE (UNLOGGED |FOREIGN )?TABLE ", line)]
        names = [table for table in tables if block(planned, table) != block(built, table)]
        where = listed(name.split("TABLE ")[1].removesuffix(" (") for name in names) or "some definitions"
        yield f"the order of columns stays another one than {of}'s in {where}"


COLUMNS = re.compile(
    r"(?P<head>CREATE STATISTICS .* ON |ALTER PUBLICATION .* ADD TABLE ONLY .* \()"
    r"(?P<listed>[^()]*)(?P<rest>( FROM |\)).*)"
)
"""Lines in which the server lists columns in the order of the table, whatever the statement said."""


def unordered(line: str) -> str:
    """Return a line as it reads whatever the order of columns in their table."""
    if found := COLUMNS.fullmatch(line):
        return f"{found['head']}{', '.join(sorted(found['listed'].split(', ')))}{found['rest']}"
    return line.strip().removesuffix(",").replace("( VALUES", "(VALUES")


def block(lines: list[str], first: str) -> list[str]:
    """Return the lines of a statement by its first line."""
    start = lines.index(first) if first in lines else 0
    end = next((n for n, line in enumerate(lines[start:], start) if line.endswith(";")), len(lines))
    return lines[start : end + 1]


def listed(names: Iterable[str]) -> str:
    """Return names in a row, the first few of many."""
    found = list(names)
    more = f" and {len(found) - MOST} more" if len(found) > MOST else ""
    return ", ".join(found[:MOST]) + more
