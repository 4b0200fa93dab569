"""`trueup schema`: what two databases are made of."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import click

from trueup.cli.databases import named_structure_pair
from trueup.cli.exits import VERDICTS, ExitCode
from trueup.cli.options import VERSIONS, Versions, answering, as_json, profile, versioned
from trueup.cli.plan_text import script
from trueup.cli.terminal import progress, show_checks
from trueup.db import snapshot
from trueup.parity.schema import QualifiedName, Saved, catalog, compared, diff, encode_structure, reordered
from trueup.parity.schema.planning import Statement, dependencies, stated
from trueup.report.json import envelope
from trueup.report.model import Section, worst
from trueup.servers import open_source
from trueup.settings import Settings
from trueup.tables import Table
from trueup.tables.declared import declared_tables
from trueup.verify.contracts import contracts_section
from trueup.verify.planning import Planning, plan_pair
from trueup.verify.structure import schema_section
from trueup.verify.structure_pair import StructurePair


@click.group(short_help="Compare the structure of two databases; plan the way.")
def schema() -> None:
    """Compare what two databases are made of; plan what makes them alike."""


@schema.command("diff")
@click.argument("source", metavar="SOURCE")
@click.argument("target", metavar="TARGET")
@versioned
@profile
@as_json
def diff_command(
    *,
    source: str,
    target: str,
    versions: Versions,
    profile: str | None,
    as_json: bool,
) -> ExitCode:
    """Say how the structure of TARGET differs from that of SOURCE.

    Where the configuration declares table contracts, say too how TARGET differs from what the code believes.
    """
    with (
        answering("schema", as_json=as_json),
        progress() as announce,
        named_structure_pair(source, target, versions, profile) as pair,
    ):
        announce("comparing structure")
        differences = diff(pair.mine, pair.theirs)
        sections, notes = [schema_section(pair.mine, pair.theirs, differences)], pair.notes
        tables = contracts()
        if reason := lacks_contracts(pair, tables):
            notes.append(f"Contracts: not looked at, {reason}.")
        elif tables and not isinstance(pair.target, Saved):
            announce("holding contracts against the target")
            sections.append(contracts_section(pair.target, tables))
    if as_json:
        click.echo(sections_json(sections, differences=differences, notes=notes, **beside_differences(pair)))
    else:
        show_checks(sections, notes)
    return VERDICTS[worst(each.verdict for each in sections)]


def contracts() -> tuple[Table[Any], ...]:
    """Return the table contracts that the configuration declares, if any."""
    places = Settings.load().contracts
    return declared_tables(places) if places else ()


def lacks_contracts(pair: StructurePair, tables: Sequence[Table[Any]]) -> str:
    """Say why contracts that are declared can't be held against the target; empty where they can, or none is."""
    if tables and isinstance(pair.target, Saved):
        return "a file keeps the target's structure: name the database itself"
    if tables and not any(QualifiedName(*table.name.split(".")) in pair.theirs.tables for table in tables):
        return "the target has none of their tables"
    return ""


def sections_json(sections: Sequence[Section], **more: object) -> bytes:
    """Return what was looked at and found as JSON; what was compared of the structure stands by itself, too."""
    return envelope(
        worst(each.verdict for each in sections),
        [replace(finding, compared=each.compared) for each in sections for finding in each.findings],
        compared=sections[0].compared,
        checks=[{"check": each.check, "verdict": each.verdict, "compared": each.compared} for each in sections],
        **more,
    )


def beside_differences(pair: StructurePair) -> dict[str, object]:
    """Return what is no difference and may matter: other orders of columns, and what was not looked at on each side."""
    return {
        "reordered": [str(table) for table in reordered(pair.mine, pair.theirs)],
        "ignored": {role: each.skipped for role, each in pair.catalogs.items()},
        "not_compared": {role: each.not_compared for role, each in pair.catalogs.items()},
    }


@schema.command("snapshot", short_help="Print the structure of DB as JSON.")
@click.argument("database", metavar="DB")
@click.option("--db-version", type=VERSIONS, help="The PostgreSQL on which a file or a folder is built.")
def snapshot_command(*, database: str, db_version: str | None) -> ExitCode:
    """Print the structure of DB as JSON: trueup schema snapshot DB > FILE.json.

    The file stands for the structure of that moment wherever a SOURCE or a TARGET of `schema diff` and of
    `schema plan` is named. It holds no row.
    """
    with (
        progress() as announce,
        open_source(database, Settings.load(), version=int(db_version or 18)) as conninfo,
        snapshot(conninfo) as held,
    ):
        announce("reading the structure")
        saved = Saved(
            catalog=catalog(held),
            needs=dependencies(held),
            database=held.database,
            user=held.user,
            server_version=held.server_version,
            taken_at=datetime.now(UTC).replace(microsecond=0),
            trueup=version("trueup"),
        )
    click.echo(encode_structure(saved), nl=False)
    return ExitCode.PASSED


@schema.command("plan", short_help="Print the SQL that makes TARGET like SOURCE, and back.")
@click.argument("source", metavar="SOURCE")
@click.argument("target", metavar="TARGET")
@versioned
@profile
@click.option("--no-prove", is_flag=True, help="Don't run the plan on a scratch server: not proved, exit code 3.")
@click.option("--allow-loss", is_flag=True, help="Don't withhold the statements that lose data.")
@as_json
def plan_command(
    *,
    source: str,
    target: str,
    versions: Versions,
    profile: str | None,
    no_prove: bool,
    allow_loss: bool,
    as_json: bool,
) -> ExitCode:
    """Print the SQL that makes TARGET like SOURCE, and the way back, both proved on a scratch server.

    What is printed runs in psql as it stands. The databases themselves are only read.
    """
    with (
        answering("plan", as_json=as_json),
        progress() as announce,
        named_structure_pair(source, target, versions, profile) as pair,
    ):
        cache_folder = None if no_prove else Settings.load().cache_folder
        planning = plan_pair(pair, cache_folder=cache_folder, announce=announce)
        amounts = compared(pair.mine)
    up, down = (stated(way, allow_loss=allow_loss) for way in (planning.plan.up, planning.plan.down))
    if as_json:
        click.echo(planning_json(planning, up, down, compared=amounts, **beside_differences(pair)))
    else:
        click.echo(script(up, down, header(planning.summary, pair.notes)), nl=False)
    return VERDICTS[planning.verdict]


def planning_json(planning: Planning, up: Iterable[Statement], down: Iterable[Statement], **beside: object) -> bytes:
    """Return a plan as one JSON object."""
    return envelope(
        planning.verdict,
        planning.findings,
        up=list(map(statement_json, up)),
        down=list(map(statement_json, down)),
        proved=planning.is_proved,
        unreached=[{"kind": key.kind, "object": key.identity} for key in planning.plan.unreached],
        remarks=planning.remarks,
        **beside,
    )


def header(summary: Iterator[str], notes: list[str]) -> Iterator[str]:
    """Yield what is said above a plan, and what it leaves out."""
    yield from summary
    yield from (line for note in notes for line in ("", note))


def statement_json(statement: Statement) -> dict[str, object]:
    """Return a statement as JSON has it."""
    return {"sql": statement.sql, "hazards": statement.hazards, "withheld": statement.is_withheld}
