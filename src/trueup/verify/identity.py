"""Which databases these are: server, encoding, collations, time zone, and whether tests own one of them."""

from collections.abc import Iterator
from dataclasses import dataclass

from trueup.db import Snapshot
from trueup.errors import Refused, Unverifiable
from trueup.parity.schema import compared
from trueup.report.model import Finding, Section, Severity, Verdict, failure, left_open
from trueup.testing.identity import read_identity
from trueup.verify.check import Announce
from trueup.verify.structure import is_bare
from trueup.verify.subject import Subject

FACTS = """
    select
        current_setting('server_version'), pg_encoding_to_char(d.encoding), d.datcollate::text, d.datctype::text,
        coalesce(to_jsonb(d) ->> 'datlocprovider', 'c'),
        coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale', ''),
        coalesce(to_jsonb(d) ->> 'datcollversion', ''),
        (select reset_val from pg_settings where name = 'TimeZone'), pg_is_in_recovery()
    from pg_database d
    where d.datname = current_database()
"""
BOTH = "both databases"
BY_CODE_POINT = frozenset({"C", "POSIX", "C.UTF-8", "C.utf8"})
ACTUAL_COLLATION = """
    select coalesce(pg_database_collation_actual_version(oid), '') from pg_database where datname = current_database()
"""
"""A function of PostgreSQL 15 and later."""

OTHER_COLLATIONS = """
    select l.oid::regcollation::text, l.collversion, pg_collation_actual_version(l.oid)
    from pg_collation l
    where l.collversion <> pg_collation_actual_version(l.oid)
      and exists (select from pg_attribute a where a.attcollation = l.oid and a.attrelid >= 16384)
    order by 1
"""
"""Collations of columns and indexes, beside the database's own, that have changed since they were made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Is what a server says about one of its databases."""

    version: str
    encoding: str
    collate: str
    ctype: str
    provider: str
    """`c`: the operating system's library, `i`: ICU, `b`: PostgreSQL itself."""
    locale: str
    collation_version: str
    """Of the library that the indexes were built with; empty where nobody noted it."""
    actual_collation_version: str
    """Of the library that is there now."""
    changed_collations: tuple[tuple[str, str, str], ...]
    """Of columns: the name, the version with which it was made, and the one that is there now."""
    time_zone: str
    """In which a session begins."""
    is_replica: bool
    system: int
    """The server's own number, which a copy of its files keeps."""
    oid: int
    is_test_database: bool

    @property
    def summary(self) -> str:
        """Return it in a line."""
        kind = "a test database" if self.is_test_database else "not marked as a test database"
        replica = ", a replica" if self.is_replica else ""
        return f"PostgreSQL {self.version}{replica}, {self.encoding}, {self.collate}, {self.time_zone}, {kind}"


def look_at_identity(subject: Subject, announce: Announce) -> Section:
    """See which databases these are, and hold the one against the other."""
    announce("reading which databases these are")
    facts = {role: read_facts(side.snapshot) for role, side in subject.sides.items()}
    source, target = facts.get("source"), facts["target"]
    found = [finding for role, each in facts.items() for finding in collation_findings(role, each)]
    if source:
        found = [*identity_findings(source, target), *found]
    elif is_bare(compared(subject.target.catalog)):
        found.append(
            left_open(
                "identity",
                "the target",
                "the target has no table, view or sequence",
                meaning="An empty database keeps every promise.",
                remedy="check that the right database is named, and that the role may see its schemas",
            )
        )
    return Section(
        check="identity",
        title="Databases",
        compared={"databases": len(facts)},
        findings=tuple(found),
        notes=tuple(f"{role.capitalize()}: {each.summary}." for role, each in facts.items()),
    )


def read_facts(held: Snapshot) -> Facts:
    """Return what the server of a snapshot says.

    Raises:
        Unverifiable, DatabaseError: it doesn't say.
    """
    [row] = held.rows(FACTS)
    version, encoding, collate, ctype, provider, locale, collation_version, time_zone, is_replica = row
    [(actual,)] = held.rows(ACTUAL_COLLATION) if held.server_version >= 150000 else [("",)]
    try:
        identity = read_identity(held.connection.pgconn)
    except Refused as error:
        raise Unverifiable(str(error).partition(";")[0]) from error
    return Facts(
        version=version.split()[0],
        encoding=encoding,
        collate=collate,
        ctype=ctype,
        provider=provider,
        locale=locale,
        collation_version=collation_version,
        actual_collation_version=actual,
        changed_collations=tuple((name, made, now) for name, made, now in held.rows(OTHER_COLLATIONS)),
        time_zone=time_zone,
        is_replica=is_replica,
        system=identity.system_identifier,
        oid=identity.oid,
        is_test_database=identity.objection() is None,
    )


def identity_findings(source: Facts, target: Facts) -> Iterator[Finding]:
    """Yield what differs between two databases as wholes, and whether they are one and the same."""
    yield from kinship_findings(source, target)
    yield from session_findings(source, target)
    yield from ordering_findings(source, target)


def kinship_findings(source: Facts, target: Facts) -> Iterator[Finding]:
    """Yield whether two databases are too near each other, or too far apart, for a comparison to say anything."""
    if (source.system, source.oid) == (target.system, target.oid) and (source.is_replica or target.is_replica):
        yield Finding(
            check="identity",
            verdict=Verdict.REFUSED,
            severity=None,
            object=BOTH,
            message="the target is a replica of the source, or both are replicas of one server: they can't differ",
            meaning="Comparing a database with itself proves nothing.",
            remedy="name two databases",
        )
    if source.is_test_database != target.is_test_database:
        marked = "source" if source.is_test_database else "target"
        yield failure(
            "identity",
            BOTH,
            f"the {marked} is a database that tests own, the other is not",
            "Whatever is equal here says nothing about the database that people use.",
            "check which databases are named",
        )


def session_findings(source: Facts, target: Facts) -> Iterator[Finding]:
    """Yield what a session finds otherwise in the target than in the source."""
    if source.encoding != target.encoding:
        yield failure(
            "identity",
            BOTH,
            f"the encoding is {source.encoding} in the source, {target.encoding} in the target",
            "Characters that one encoding lacks can't be stored there.",
            f"create the target with encoding {source.encoding}",
            severity=Severity.LOSSY,
        )
    if source.time_zone != target.time_zone:
        yield failure(
            "identity",
            BOTH,
            f"sessions begin in time zone {source.time_zone} in the source, {target.time_zone} in the target",
            "Times without a zone, current_date and casts mean other moments.",
            f"alter database … set timezone = '{source.time_zone}'",
            severity=Severity.BEHAVIOURAL,
        )


def ordering_findings(source: Facts, target: Facts) -> Iterator[Finding]:
    """Yield whether both order text by the same rules, in the same version."""
    if sorting(source) != sorting(target):
        yield failure(
            "identity",
            BOTH,
            f"text is ordered by {sorting(source)} in the source, {sorting(target)} in the target",
            "ORDER BY, ranges of text, upper() and lower() give other results.",
            "create the target with the source's locale",
            severity=Severity.BEHAVIOURAL,
        )
    elif both_known(source, target) and source.actual_collation_version != target.actual_collation_version:
        mine, theirs = source.actual_collation_version, target.actual_collation_version
        yield Finding(
            check="identity",
            verdict=Verdict.PASSED,
            severity=Severity.BEHAVIOURAL,
            object=BOTH,
            message=f"text is ordered by {sorting(source)}, in version {mine} in the source, {theirs} in the target",
            meaning="Some strings may come in another order; indexes that were copied as files have to be built anew.",
        )


def both_known(source: Facts, target: Facts) -> bool:
    """Return whether the versions of both collations say something: an order by code point has no versions."""
    return sorting(source) != "code point" and bool(source.actual_collation_version and target.actual_collation_version)


def sorting(facts: Facts) -> str:
    """Return by which rules a database orders text; by code point is the same whoever does it."""
    if {facts.locale or facts.collate, facts.collate, facts.ctype} <= BY_CODE_POINT:
        return "code point"
    provider = {"c": "libc", "i": "ICU", "b": "builtin"}.get(facts.provider, facts.provider)
    names = dict.fromkeys(name for name in (facts.locale, facts.collate, facts.ctype) if name)
    return f"{provider} {'/'.join(names)}"


def collation_findings(role: str, facts: Facts) -> Iterator[Finding]:
    """Yield whether the rules by which text was ordered have changed since the indexes were built."""
    recorded, actual = facts.collation_version, facts.actual_collation_version
    if recorded and actual and recorded != actual:
        yield failure(
            "identity",
            BOTH,
            f"the {role}'s indexes were built with version {recorded} of its collation, the server has {actual}",
            "Indexes over text may not find rows that are there, and unique ones may let duplicates in.",
            "reindex database …; alter database … refresh collation version",
        )
    for name, made, now in facts.changed_collations:
        yield failure(
            "identity",
            BOTH,
            f"the {role}'s collation {name} was made with version {made}, the server has {now}",
            "Indexes over its columns may not find rows that are there, and unique ones may let duplicates in.",
            f"reindex what depends on it; alter collation {name} refresh version",
        )
