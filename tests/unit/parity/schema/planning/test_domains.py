"""What alters a domain where it stands."""

from trueup.parity.schema.model import UserType
from trueup.parity.schema.names import QualifiedName
from trueup.parity.schema.planning.domains import altered, made, taken_apart

POSITIVE, SMALL = "CHECK ((VALUE > 0))", "CHECK ((VALUE < 9))"


def domain(*clauses: str) -> UserType:
    return UserType(name=QualifiedName("public", "d"), kind="domain", parts=("integer", *clauses))


def changes(have, want, *, old=None, new=None):
    return list(altered("public.d", taken_apart(have, old or {}), taken_apart(want, new or {})))


def test_clauses_come_and_go():
    full = domain("DEFAULT 5", "NOT NULL", POSITIVE)

    assert changes(domain(), full) == [
        "alter domain public.d set default 5",
        "alter domain public.d set not null",
        f"alter domain public.d add constraint d_check {POSITIVE}",
    ]
    assert changes(full, domain()) == [
        "alter domain public.d drop constraint d_check",
        "alter domain public.d drop default",
        "alter domain public.d drop not null",
    ]


def test_check_with_another_name_is_renamed():
    found = changes(domain(POSITIVE), domain(POSITIVE), old={POSITIVE: "a"}, new={POSITIVE: "b c"})

    assert found == ['alter domain public.d rename constraint a to "b c"']


def test_checks_go_in_the_order_in_which_they_stand():
    checks = [f"CHECK ((VALUE > {number}))" for number in range(8)]
    names = {check: f"c{number}" for number, check in enumerate(checks)}

    assert changes(domain(*checks), domain(), old=names) == [
        f"alter domain public.d drop constraint c{number}" for number in range(8)
    ]


def test_check_of_the_same_name_is_another_one():
    assert changes(domain(POSITIVE), domain(SMALL), old={POSITIVE: "a"}, new={SMALL: "a"}) == [
        "alter domain public.d drop constraint a",
        f"alter domain public.d add constraint a {SMALL}",
    ]


def test_checks_that_change_names_are_both_made_again():
    found = changes(
        domain(POSITIVE, SMALL),
        domain(POSITIVE, SMALL),
        old={POSITIVE: "a", SMALL: "b"},
        new={POSITIVE: "b", SMALL: "a"},
    )

    assert [each.removeprefix("alter domain public.d ").split(" CHECK")[0] for each in found] == [
        "drop constraint b", "add constraint b", "drop constraint a", "add constraint a",
    ]  # fmt: skip


def test_domain_is_made_with_the_names_of_its_checks():
    assert made(domain(POSITIVE, SMALL), {POSITIVE: "Plus"}) == (
        f'create domain public.d as integer constraint "Plus" {POSITIVE} {SMALL}',
    )


def test_check_that_older_values_may_break_comes_by_itself():
    later = f"{SMALL} NOT VALID"

    assert made(domain(POSITIVE, later), {later: "n"}) == (
        f"create domain public.d as integer {POSITIVE}",
        f"alter domain public.d add constraint n {later}",
    )
