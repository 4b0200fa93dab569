"""Whether a backup can be restored, and holds what the database holds, as a section of a report."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from psycopg import sql

from trueup.conninfo import ConnInfo
from trueup.db import Snapshot, connect, snapshot
from trueup.errors import Unverifiable
from trueup.parity.data import Bounds, Side, TableComparison, compare, verdict_of
from trueup.parity.schema import catalog
from trueup.parity.schema.planning import scratch_version
from trueup.report.model import Finding, Section, Verdict, failure, left_open
from trueup.report.wording import quantity
from trueup.servers import EmbeddedServer
from trueup.servers.source import describe_script_error
from trueup.verify.check import Announce, nothing_there
from trueup.verify.subject import Subject

ARCHIVE = b"PGDMP"
"""How a dump in pg_dump's custom format begins."""
ROLES = "select rolname::text from pg_roles where rolname !~ '^pg_' and rolname <> 'postgres' order by 1"
DATABASE = "restored"


def look_at_backup(subject: Subject, announce: Announce) -> Section:
    """Restore the dump on a scratch server of the target's version, and hold its rows against the target's."""
    file = subject.backup
    if file is None:
        raise Unverifiable("no backup is named: name one by --backup")
    size_bytes = size_of(file)
    version = scratch_version(subject.target.snapshot.server_version // 10000)
    with EmbeddedServer(version, cache_folder=subject.settings.cache_folder) as server:
        announce(f"restoring {file.name}")
        conninfo = server.create_database(DATABASE)
        create_roles(server.conninfo(), subject.target.snapshot)
        if reason := restore(file, server, conninfo, timeout_s=subject.deadline_s):
            return broken_section(file, size_bytes, reason)
        with snapshot(conninfo) as restored:
            copy = Side(snapshot=restored, catalog=catalog(restored))
            if not copy.catalog.tables:
                return broken_section(file, size_bytes, "it restores without an error, and no table comes of it")
            announce(f"comparing {file.name} with the target")
            return compared_section(size_bytes, compare(subject.target, copy, bounds=Bounds(max_rows=0)))


def lacks_backup(subject: Subject) -> str:
    """Say that no backup is named; empty where one is."""
    return "" if subject.backup else "no backup is named (--backup)"


def size_of(file: Path) -> int:
    """Return how many bytes a dump has.

    Raises:
        Unverifiable: it is not there.
    """
    try:
        return sum(each.stat().st_size for each in (file.iterdir() if file.is_dir() else [file]))
    except OSError as error:
        raise Unverifiable(f"the backup {file} can't be read: {error.strerror}") from None


def create_roles(server: ConnInfo, target: Snapshot) -> None:
    """Create the roles of the target, without any right, so that a dump can give objects to them."""
    connection = connect(server)
    try:
        for (name,) in target.rows(ROLES):
            connection.execute(sql.SQL("create role {}").format(sql.Identifier(name)))
    finally:
        connection.close()


def restore(file: Path, server: EmbeddedServer, conninfo: ConnInfo, *, timeout_s: float) -> str:
    """Restore a dump; return why it can't be, or nothing."""
    psql = [server.installation.program("psql"), "-X", "--quiet", "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=verbose"]
    command = [*psql, "-d", conninfo.reveal(), "-f", str(file)]
    if is_archive(file):
        command = [server.installation.program("pg_restore"), "--exit-on-error", "-d", conninfo.reveal(), str(file)]
    return run(command, file, timeout_s)


def is_archive(file: Path) -> bool:
    """Return whether pg_restore reads a dump, and not psql."""
    if file.is_dir() or file.suffix == ".tar":
        return True
    with file.open("rb") as opened:
        return opened.read(len(ARCHIVE)) == ARCHIVE


def run(command: Sequence[str], file: Path, timeout_s: float) -> str:
    """Run a program of PostgreSQL; return why it failed, without a value of a row, or nothing.

    Raises:
        Unverifiable: it took too long.
    """
    try:
        done = subprocess.run(
            command,
            env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Unverifiable(f"restoring {file.name} did not end within {timeout_s:g} s") from None
    if not done.returncode:
        return ""
    printed = done.stderr.decode(errors="replace")
    return describe_script_error(file, printed) if Path(command[0]).name == "psql" else archive_error(printed)


def archive_error(printed: str) -> str:
    """Return what pg_restore complains about: its own words, not those of the server, which may quote a value."""
    lines = [line.removeprefix("pg_restore: ") for line in printed.splitlines() if line.startswith("pg_restore:")]
    own = [line for line in lines if "could not execute query" not in line]
    return own[-1] if own else "pg_restore stopped at an error of the server"


def broken_section(file: Path, size_bytes: int, reason: str) -> Section:
    """Return the section for a dump that is none."""
    finding = failure(
        "backup",
        file.name,
        f"{size_bytes:,} bytes that can't be restored: {reason}",
        "There is no backup.",
        "make a new one by pg_dump, and verify it before the old ones are deleted",
    )
    return Section(check="backup", title="Backup", compared={"bytes": size_bytes}, findings=(finding,))


def compared_section(size_bytes: int, comparisons: Sequence[TableComparison]) -> Section:
    """Return how the rows of the restored dump differ from the target's."""
    findings = [table_finding(each) for each in comparisons if each.verdict is not Verdict.PASSED and not each.is_empty]
    rows = {
        "rows of the target": sum(each.source_rows or 0 for each in comparisons),
        "rows of the backup": sum(each.target_rows or 0 for each in comparisons),
    }
    if not findings and verdict_of(comparisons) is not Verdict.PASSED:
        findings = [nothing_there("backup", "neither the target nor its backup has a row")]
    compared = {"bytes": size_bytes, "tables": len(comparisons), **rows}
    return Section(check="backup", title="Backup", compared=compared, findings=tuple(findings))


def table_finding(table: TableComparison) -> Finding:
    """Return the finding for a table whose rows are not those of the target."""
    if table.verdict is not Verdict.FAILED:
        return left_open("backup", table.table, table.reason or "its rows could not be compared")
    counts = {
        "in the target only": table.missing_count,
        "in the backup only": table.extra_count,
        "that differ": table.changed_count,
    }
    listed = [f"{quantity(number, 'rows')} {what}" for what, number in counts.items() if number]
    return failure(
        "backup",
        table.table,
        ", ".join(listed) or table.reason or "it is not in both",
        "Whoever restores this backup gets other rows than the target has now.",
        "make the backup anew, and verify it before the database is written to again",
    )
