"""The table of cases: two databases each, how they differ, and what of that no plan reaches."""

from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from tests.integration.parity.schema import test_differences, test_objects

KINDS = sorted(path.stem for path in Path(__file__).with_name("cases").glob("*.py"))
"""The modules beside this one, each with cases of one kind."""
CLASS = (
    "create operator family o using btree; create operator class c for type int using btree family o as"
    " operator 1 <, operator 2 <=, operator 3 =, operator 4 >=, operator 5 >, function 1 btint4cmp(int, int);"
)


class Case(NamedTuple):
    """Is a target, a source, how they differ, and what of that the plan can't reach."""

    target: str
    source: str
    differences: str
    left: str = ""
    """`order` where columns stay in another order; else what the plan names as not reached or not compared."""


def gathered() -> dict[str, Case]:
    """Return the cases of every kind, those of the comparison among them."""
    own = {
        f"{kind}: {name}": Case(*case)
        for kind in KINDS
        for name, case in import_module(f"{__package__}.cases.{kind}").CASES.items()
    }
    objects = {
        f"object: {name}": Case(base + added, base or "select", f"{kind} {identity} extra")
        for name, (base, added, kind, identity) in test_objects.OBJECTS.items()
    }
    changed = {
        f"change: {name}": Case(after, before, f"{kind} {identity} {part}")
        for name, (before, after, kind, identity, part) in test_objects.CHANGED.items()
    }
    settings = {
        f"setting: {name}": Case(base + added, base or "select", f"{kind} {identity} {part}")
        for name, (base, added, kind, identity, part) in test_objects.SETTINGS.items()
        if kind != "owner"
    }
    differences = {
        f"difference: {name}": Case(target, source, "; ".join(" ".join(each[:3]) for each in found), LEFT.get(name, ""))
        for name, (source, target, found) in test_differences.CASES.items()
    }
    return own | objects | changed | settings | differences | MORE


MORE = {
    "more: operator class with a family": Case(
        "select", CLASS, "operator class public.c USING btree missing; operator family public.o USING btree missing"),
    "more: members of an operator family": Case(
        "create operator family o using btree", CLASS,
        "operator class public.c USING btree missing"),
    "more: default conversion": Case(
        "select", "create default conversion c for 'LATIN1' to 'UTF8' from iso8859_1_to_utf8",
        "conversion public.c missing"),
    "more: trusted language": Case(
        "select", "create trusted language l handler plpgsql_call_handler inline plpgsql_inline_handler",
        "language l missing"),
}  # fmt: skip
LEFT = {
    "foreign key that nothing enforces": "table constraint t_c_fkey on public.t",
    "foreign key whose parent is not watched": "table constraint t_c_fkey on public.t",
    "M-7 another column and a new required one": "order",
}
"""What is left of cases of the comparison."""
CASES = gathered()
