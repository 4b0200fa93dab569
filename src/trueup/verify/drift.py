"""How a database differs from the schema that the project declares, as a section of a report."""

from dataclasses import replace

from trueup.db import snapshot
from trueup.migrations.folders import read_files
from trueup.parity.schema import Difference, apart_from, catalog, diff
from trueup.parity.schema.planning import scratch_version
from trueup.report.model import Section
from trueup.servers import open_source
from trueup.settings import Settings
from trueup.verify.check import Announce
from trueup.verify.structure import schema_section
from trueup.verify.subject import Subject

LEFT_OUT = "owners and grants, which are a matter of the deployment"


def look_at_drift(subject: Subject, announce: Announce) -> Section:
    """Hold the structure of the target against what the declared migrations build on a scratch server."""
    announce("building the declared schema")
    version = scratch_version(subject.target.snapshot.server_version // 10000)
    with (
        open_source("embedded", subject.settings, version=version) as conninfo,
        snapshot(conninfo) as declared,
    ):
        mine, theirs = apart_from(subject.profile, catalog(declared), subject.target.catalog)
    announce("comparing the declared schema")
    differences = tuple(each for each in diff(mine, theirs) if not is_elsewhere(each))
    section = schema_section(mine, theirs, differences, check="drift", title="Declared schema", truth="declared schema")
    said = f"Declared schema: built on PostgreSQL {version}; left out: {LEFT_OUT}."
    return replace(section, notes=(said, *section.notes))


def lacks_declaration(subject: Subject) -> str:
    """Say that no schema is declared; empty where one is."""
    return "" if subject.settings.schema else "no schema is declared in the configuration"


def reads_declaration(settings: Settings) -> None:
    """Look at the folder of the declared schema, where one is declared; what its files say is found when they run.

    Raises:
        UsageError: there is no such folder, it can't be read, or it holds no migration.
    """
    if settings.schema:
        read_files(settings.schema)


def is_elsewhere(difference: Difference) -> bool:
    """Return whether no migration is meant to say it."""
    return difference.change.startswith("grants to") or difference.kind in {"owner", "default acl"}
