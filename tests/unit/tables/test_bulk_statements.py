"""The SQL that writes many rows at once, to the letter; the integration tests run it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import pytest

from trueup.tables import UNSET, Sql, Table
from trueup.tables import bulk_statements as bulk
from trueup.tables.statements import Statement


@dataclass(frozen=True, slots=True)
class Client:
    company_id: int
    phone: str
    name: str | None = UNSET
    made_by: Annotated[str, Sql("varchar(9)")] = UNSET
    seen_at: datetime = UNSET


CLIENTS = Table(
    "public.clients", Client, primary_key=("company_id", "phone"), insert_only=("made_by",), touch="seen_at"
)
KEY = ("company_id", "phone")
NAMES = (*KEY, "name", "made_by")

GIVEN = """select c1::bigint as "company_id", c2::text as "phone", c3::text as "name", \
c4::character varying as "made_by"
from (select unnest($1::bigint[]) as c1, unnest($2::text[]) as c2, unnest($3::text[]) as c3, \
unnest($4::text[]) as c4) as given"""
GIVEN_WORDS = GIVEN.replace("c3::text", "(select array(select unnest($5::text[])::text))[c3]").replace(
    "$3::text", "$3::smallint"
)
GIVEN_KEYS = """select c1::bigint as "company_id", c2::text as "phone"
from (select unnest($1::bigint[]) as c1, unnest($2::text[]) as c2) as given"""
UPDATE = """on conflict ("company_id", "phone") do update
set "name" = excluded."name", "seen_at" = now()
where ("stored"."name") is distinct from ("excluded"."name")"""
NOTHING = 'on conflict ("company_id", "phone") do nothing'
COUNTS = """
select count(*) filter (where is_new), count(*) filter (where not is_new), count(*) filter (where is_new)
from written"""
STORED_IS_INCOMING = '"stored"."company_id" = "incoming"."company_id" and "stored"."phone" = "incoming"."phone"'
HELD = f"""held as materialized (select "stored"."company_id", "stored"."phone"
from "public"."clients" as stored join incoming on {STORED_IS_INCOMING}
order by "stored"."company_id", "stored"."phone" collate "C"
for no key update of stored)"""


def columns(of: str, names: tuple[str, ...]) -> str:
    return ", ".join(f'"{of}"."{name}"' if of else f'"{name}"' for name in names)


def written(rows: str, names: tuple[str, ...], end: str, order: str = "") -> str:
    head = f'written as (insert into "public"."clients" as stored ({columns("", names)})\nselect {columns(rows, names)}'
    return f'{head}\nfrom "{rows}"{order}\n{end} as is_new)'


def fresh(names: tuple[str, ...], after: str) -> str:
    return f"""fresh as materialized (select {columns("incoming", names)}
from incoming
where {after}not exists (select 1 from "public"."clients" as stored where {STORED_IS_INCOMING})),
written as (insert into "public"."clients" ({columns("", names)})
select {columns("fresh", names)}
from fresh
order by "fresh"."company_id", "fresh"."phone" collate "C"
{NOTHING}
returning 1)
select (select count(*) from written), (select count(*) from updated), (select count(*) from fresh)"""


def changed(names: tuple[str, ...], condition: str) -> str:
    return f"""changed as (select {columns("incoming", names)}
from incoming left join "public"."clients" as stored on {STORED_IS_INCOMING}
where {condition})"""


BY_KEY = '\norder by "changed"."company_id", "changed"."phone" collate "C"'
IS_OTHER = 'stored."company_id" is null or ("stored"."name") is distinct from ("incoming"."name")'
UPDATED = """updated as (update "public"."clients" as stored
set "name" = excluded."name", "seen_at" = now()
from incoming as excluded join held on \
"held"."company_id" = "excluded"."company_id" and "held"."phone" = "excluded"."phone"
where "stored"."company_id" = "excluded"."company_id" and "stored"."phone" = "excluded"."phone"\
 and ("stored"."name") is distinct from ("excluded"."name")
returning 1)"""

STATEMENTS: dict[str, tuple[Callable[[], Statement], str]] = {
    "replace": (
        lambda: bulk.replace(CLIENTS, NAMES, (), "old"),
        f"with incoming as ({GIVEN}),\n"
        + written("incoming", NAMES, f'{UPDATE}\nreturning old."company_id" is null')
        + COUNTS,
    ),
    "replace, told by xmax": (
        lambda: bulk.replace(CLIENTS, NAMES, (), "xmax"),
        f"with incoming as ({GIVEN}),\n" + written("incoming", NAMES, f"{UPDATE}\nreturning stored.xmax = 0") + COUNTS,
    ),
    "replace the key alone": (
        lambda: bulk.replace(CLIENTS, KEY, (), "old"),
        f"with incoming as ({GIVEN_KEYS}),\n" + written("incoming", KEY, f"{NOTHING}\nreturning true") + COUNTS,
    ),
    "replace, of words of a dictionary": (
        lambda: bulk.replace(CLIENTS, NAMES, ("name",), "old"),
        f"with incoming as ({GIVEN_WORDS}),\n"
        + written("incoming", NAMES, f'{UPDATE}\nreturning old."company_id" is null')
        + COUNTS,
    ),
    "sync": (
        lambda: bulk.sync(CLIENTS, NAMES, (), "old"),
        f"with incoming as ({GIVEN}),\n{changed(NAMES, IS_OTHER)},\n"
        + written("changed", NAMES, f'{UPDATE}\nreturning old."company_id" is null', BY_KEY)
        + COUNTS,
    ),
    "sync the key alone": (
        lambda: bulk.sync(CLIENTS, KEY, (), "old"),
        f"with incoming as ({GIVEN_KEYS}),\n" + changed(KEY, 'stored."company_id" is null') + ",\n"
        + written("changed", KEY, f"{NOTHING}\nreturning true", BY_KEY)
        + COUNTS,
    ),
    "in steps": (
        lambda: bulk.in_steps(CLIENTS, NAMES, ()),
        f"with incoming as materialized ({GIVEN}),\n{HELD},\n{UPDATED},\n"
        + fresh(NAMES, "(select count(*) from held) >= 0 and "),
    ),
    "in steps, the key alone": (
        lambda: bulk.in_steps(CLIENTS, KEY, ()),
        f"with incoming as materialized ({GIVEN_KEYS}),\nupdated as (select 1 where false),\n" + fresh(KEY, ""),
    ),
    "hold": (
        lambda: bulk.hold(CLIENTS, KEY, ()),
        f"with incoming as ({GIVEN_KEYS}),\n{HELD}\nselect count(*) from held",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("build", "text"), STATEMENTS.values(), ids=STATEMENTS)
def test_statement_is_written_to_the_letter(build: Callable[[], Statement], text: str):
    found = build()

    assert found.text.decode() == text
    assert (found.is_binary, found.is_lasting) == (True, True)


def test_same_shape_is_the_same_statement():
    assert bulk.sync(CLIENTS, NAMES, (), "old") is bulk.sync(CLIENTS, NAMES, (), "old")
