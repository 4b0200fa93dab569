"""What two structures are compared without: what a host or a tool has put into a database. Does no I/O."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from trueup.migrations import HISTORY
from trueup.parity.schema.model import Annotations, Catalog, DefinedObject, ObjectKey, Table
from trueup.parity.schema.names import ColumnName, QualifiedName, quote_ident

NAME = r'"(?:[^"]|"")+"|\S+'
DEFAULT_ACL = re.compile(rf"for role (?P<role>{NAME})(?: in schema (?P<schema>{NAME}))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Names what is not the database's own."""

    label: str
    """As the counts of what is left out name it."""
    schemas: frozenset[str] = frozenset()
    """With all that is in them."""
    roles: frozenset[str] = frozenset()
    """What was granted to them, and by default to whom when they create something; as owners they equal anybody."""
    extensions: frozenset[str] = frozenset()
    publications: frozenset[str] = frozenset()
    event_triggers: frozenset[str] = frozenset()

    def owned(self, kind: str) -> frozenset[str]:
        """Return the names of one kind of object outside of schemas."""
        named = {"extension": self.extensions, "publication": self.publications, "event trigger": self.event_triggers}
        return named.get(kind, frozenset())


OWN = Profile(label="trueup's own", schemas=frozenset({"trueup"}))
"""The journal of what tests made on a live database: `trueup testdata` keeps it."""
JOURNAL = QualifiedName("trueup", "made")
SUPABASE = Profile(
    label="profile supabase",
    schemas=frozenset({
        "_analytics", "_realtime", "_supavisor", "auth", "cron", "dbdev", "etl", "extensions", "graphql",
        "graphql_public", "net", "pgbouncer", "pgmq", "pgsodium", "pgsodium_masks", "pgtle", "realtime", "repack",
        "storage", "supabase_functions", "supabase_migrations", "vault",
    }),
    roles=frozenset({
        "anon", "authenticated", "authenticator", "cli_login_postgres", "dashboard_user", "pgbouncer",
        "pgsodium_keyholder", "pgsodium_keyiduser", "pgsodium_keymaker", "pgtle_admin", "service_role",
        "supabase_admin", "supabase_auth_admin", "supabase_etl_admin", "supabase_functions_admin",
        "supabase_read_only_user", "supabase_realtime_admin", "supabase_replication_admin", "supabase_storage_admin",
    }),
    extensions=frozenset({
        "pg_cron", "pg_graphql", "pg_net", "pg_stat_statements", "pg_tle", "pgcrypto", "pgjwt", "pgmq", "pgsodium",
        "supabase_vault", "uuid-ossp", "wrappers",
    }),
    publications=frozenset({"supabase_realtime", "supabase_realtime_messages_publication"}),
    event_triggers=frozenset({
        "issue_graphql_placeholder", "issue_pg_cron_access", "issue_pg_graphql_access", "issue_pg_net_access",
        "pgrst_ddl_watch", "pgrst_drop_watch",
    }),
)  # fmt: skip
"""What a project on Supabase has from the start."""
PROFILES: Mapping[str, Profile] = MappingProxyType({"supabase": SUPABASE})
"""What known hosts put into every database, by the names of the hosts."""


def apart_from(profile: Profile | None, source: Catalog, target: Catalog) -> tuple[Catalog, Catalog]:
    """Return both structures without our own tables and without what the profile names, which they count."""
    both = map(without_history, (source, target))
    mine, theirs = (without(each, OWN) if JOURNAL in each.tables else each for each in both)
    if profile is None:
        return mine, theirs
    return with_common_owners(without(mine, profile), without(theirs, profile), profile)


def without_history(catalog: Catalog) -> Catalog:
    """Return the structure without the tables in which migrations are recorded, which are counted in `skipped`.

    They say how a database came to be what it is: one that was copied, or built from one file, has none.
    """
    tables = {name: table for name, table in catalog.tables.items() if is_history(table)}
    if not tables:
        return catalog
    parts = frozenset[str]().union(*map(identities, tables.values()))
    objects = {key: each for key, each in catalog.objects.items() if each.table not in tables}
    said = {key: each for key, each in catalog.annotations.items() if key.identity not in parts}
    counts = {f"table {name} (history of migrations)": 1 for name in tables}
    return replace(
        catalog,
        tables=MappingProxyType({name: each for name, each in catalog.tables.items() if name not in tables}),
        objects=MappingProxyType(objects),
        annotations=MappingProxyType(said),
        skipped=MappingProxyType({**catalog.skipped, **counts}),
    )


def is_history(table: Table) -> bool:
    """Say whether it is the table in which migrations are recorded: dbmate's, with its one column."""
    return table.name.name == HISTORY and table.columns.keys() == {"version"}


def identities(table: Table) -> frozenset[str]:
    """Return how the server itself names a table and its parts."""
    name = table.name
    parts = [*(part.name for part in table.constraints), *(part.name for part in table.indexes)]
    return frozenset(
        {
            str(name),
            *(str(ColumnName(*name, column)) for column in table.columns),
            *(f"{quote_ident(part)} on {name}" for part in parts),
            *(str(QualifiedName(name.schema, part)) for part in parts),
        }
    )


def without(catalog: Catalog, profile: Profile) -> Catalog:
    """Return the structure without what the profile names, which is counted in `skipped`."""
    left_out = LeftOut(profile)
    tables = {name: table for name, table in catalog.tables.items() if not left_out.has_schema(name.schema)}
    views = {name: view for name, view in catalog.views.items() if not left_out.has_schema(name.schema)}
    sequences = {name: each for name, each in catalog.sequences.items() if not left_out.has_schema(name.schema)}
    types = {name: type_ for name, type_ in catalog.types.items() if not left_out.has_schema(name.schema)}
    objects = {key: each for key, each in catalog.objects.items() if not left_out.has_object(key, each)}
    said = {key: left_out.but_for_roles(key, each) for key, each in catalog.annotations.items()}
    return replace(
        catalog,
        schemas=frozenset(name for name in catalog.schemas if not left_out.has_schema(name)),
        tables=MappingProxyType(tables),
        views=MappingProxyType(views),
        sequences=MappingProxyType(sequences),
        types=MappingProxyType(types),
        objects=MappingProxyType(objects),
        annotations=MappingProxyType({key: each for key, each in said.items() if each}),
        skipped=MappingProxyType({**catalog.skipped, **dict(sorted(left_out.counts.items()))}),
    )


class LeftOut:
    """Decides what belongs to a profile, and counts it."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self.counts: Counter[str] = Counter()
        names = "|".join(re.escape(quote_ident(name)) for name in sorted(profile.schemas))
        self._inside = re.compile(rf"(?:^|[( ])({names})\.") if names else None

    def has_schema(self, name: str) -> bool:
        """Say whether a schema belongs to the profile; counts the one that asks."""
        return name in self.profile.schemas and self._count(f"schema {quote_ident(name)}")

    def has_object(self, key: ObjectKey, found: DefinedObject) -> bool:
        """Say whether a defined object belongs to the profile; counts it."""
        if key.identity in map(quote_ident, self.profile.owned(key.kind)):
            return self._count(f"{key.kind} {key.identity}")
        if found.table is not None:
            return self.has_schema(found.table.schema)
        schema = self._schema_in(key)
        return schema is not None and self._count(f"schema {schema}")

    def but_for_roles(self, key: ObjectKey, said: Annotations) -> Annotations:
        """Return what is said of an object without what is said of the profile's objects and roles."""
        if self._is_gone(key):
            return {}
        grants = {f"grants to {quote_ident(role)}" for role in self.profile.roles} & said.keys()
        for grant in sorted(grants):
            self._count(f"grants to role {grant.removeprefix('grants to ')}")
        return {part: value for part, value in said.items() if part not in grants} if grants else said

    def _is_gone(self, key: ObjectKey) -> bool:
        if key.kind == "default acl":
            return self._is_default_of_host(key.identity)
        if key.kind == "schema":
            return key.identity in map(quote_ident, self.profile.schemas)
        return key.identity in map(quote_ident, self.profile.owned(key.kind)) or self._schema_in(key) is not None

    def _is_default_of_host(self, identity: str) -> bool:
        named = DEFAULT_ACL.match(identity)
        if named and named["schema"] in map(quote_ident, self.profile.schemas):
            return self._count(f"schema {named['schema']}")
        if named and named["role"] in map(quote_ident, self.profile.roles):
            return self._count(f"default privileges of role {named['role']}")
        return False

    def _schema_in(self, key: ObjectKey) -> str | None:
        """Return the profile's schema that an object is in or, as a cast or a constraint, hangs on."""
        if self._inside is None:
            return None
        # The types of a routine's arguments are no place where it is.
        place = key.identity if key.kind in {"cast", "transform"} else key.identity.partition("(")[0]
        found = self._inside.search(place)
        return found[1] if found else None

    def _count(self, what: str) -> bool:
        self.counts[f"{what} ({self.profile.label})"] += 1
        return True


def with_common_owners(source: Catalog, target: Catalog, profile: Profile) -> tuple[Catalog, Catalog]:
    """Return both structures; what one of the profile's roles owns on one side has the other side's owner."""
    mine, theirs = dict(source.annotations), dict(target.annotations)
    counts: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
    for key in mine.keys() & theirs.keys():
        owner, other = mine[key].get("owner"), theirs[key].get("owner")
        if not owner or not other or owner == other:
            continue
        if other in profile.roles:
            theirs[key] = {**theirs[key], "owner": owner}
            counts[1][f"owner {other} ({profile.label})"] += 1
        elif owner in profile.roles:
            mine[key] = {**mine[key], "owner": other}
            counts[0][f"owner {owner} ({profile.label})"] += 1
    return _said(source, mine, counts[0]), _said(target, theirs, counts[1])


def _said(catalog: Catalog, annotations: dict[ObjectKey, Annotations], counts: Counter[str]) -> Catalog:
    skipped = {**catalog.skipped, **dict(sorted(counts.items()))}
    return replace(catalog, annotations=MappingProxyType(annotations), skipped=MappingProxyType(skipped))
