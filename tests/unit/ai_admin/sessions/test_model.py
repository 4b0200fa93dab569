import re
from datetime import timedelta
from pathlib import Path

import pytest

from ai_admin.sessions.health import Thresholds
from ai_admin.sessions.model import (
    DEFAULT_TTL,
    KINDS,
    Retention,
    Worth,
    company_key,
    kind_of,
    spellings,
    types_worth,
)
from trueup.errors import UsageError

DAY = timedelta(days=1)
PAGE = Path(__file__).parents[4] / "docs" / "howto" / "whatsapp-sessions.md"


def test_only_what_can_be_fetched_again_expires_by_default():
    assert set(DEFAULT_TTL) == set(types_worth(Worth.REFETCHED))
    assert {name for name in DEFAULT_TTL if name.startswith("lid-mapping")} == {
        name for name, ttl in DEFAULT_TTL.items() if ttl == 7 * DAY
    }
    assert set(DEFAULT_TTL.values()) == {7 * DAY, 14 * DAY}
    assert Retention().expiring == sorted(DEFAULT_TTL)


@pytest.mark.parametrize(
    "kind", ["creds", "identity-key", "app-state-sync-key", "app-state-sync-version", "unheard-of"]
)
@pytest.mark.parametrize("accepted", [frozenset(), frozenset({"creds", "identity-key", "app-state-sync-key"})])
def test_irreplaceable_keys_never_expire_whoever_asks(kind, accepted):
    with pytest.raises(UsageError, match=f"{kind} never expires: without it "):
        Retention(ttl={kind: DAY}, accepts_loss_of=accepted)


@pytest.mark.parametrize("kind", ["session", "pre-key", "sender-key"])
def test_costly_keys_expire_only_where_the_loss_is_accepted_by_name(kind):
    with pytest.raises(UsageError, match=f"{kind} expires only where its loss is accepted by name: .* be read"):
        Retention(ttl={kind: DAY})

    assert Retention(ttl={kind: DAY}, accepts_loss_of=frozenset({kind})).ttl_s(kind) == 86_400


def test_accepting_one_loss_accepts_no_other():
    with pytest.raises(UsageError, match="pre-key expires only"):
        Retention(ttl={"pre-key": DAY}, accepts_loss_of=frozenset({"session"}))


@pytest.mark.parametrize("ttl", [timedelta(0), -DAY])
def test_time_to_live_is_more_than_nothing(ttl):
    with pytest.raises(UsageError, match="device-list must be more than nothing"):
        Retention(ttl={"device-list": ttl})


def test_type_without_a_time_to_live_is_kept_for_ever():
    assert Retention(ttl={}).ttl_s("device-list") is None
    assert Retention().ttl_s("session") is None


@pytest.mark.parametrize(
    ("kind", "hidden"), [("device-list", True), ("lid-mapping", False), ("session", False), ("pre-key", False)]
)
def test_only_what_can_be_fetched_again_and_expires_is_hidden(kind, hidden):
    """W-A2: expired keys were returned; W-A8: one that can't be fetched again would be lost by hiding it."""
    ttl = {"device-list": timedelta(days=1), "session": timedelta(days=1)}

    assert Retention(ttl=ttl, accepts_loss_of=frozenset({"session"})).hides(kind) is hidden


def test_unknown_type_is_irreplaceable():
    assert kind_of("a-type-of-next-year").worth is Worth.IRREPLACEABLE
    assert [kind_of(name) for name in KINDS] == list(KINDS.values())


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        (962302, "962302"),
        ("962302", "962302"),
        ("company_962302", "962302"),
        (-5, "-5"),
        ("company_", "company_"),
        ("company_x", "company_x"),
        ("demo-1", "demo-1"),
        ("a" * 50, "a" * 50),
    ],
)
def test_company_has_one_form(given, stored):
    """M-18: one salon under two forms of its id."""
    assert company_key(given) == stored


@pytest.mark.parametrize("given", ["", "a" * 51, "a b", "a'b", "a\n", "ä", None, True, 7.0, b"7", ["7"]])
def test_what_is_no_id_is_refused_and_not_repeated(given):
    with pytest.raises(
        UsageError, match=r"^a company's id is an int, or 1 to 50 of the characters A-Z a-z 0-9 _ -$"
    ) as refused:
        company_key(given)

    assert "aaa" not in str(refused.value)


def test_spellings_are_those_that_rows_may_have():
    assert spellings("962302") == ["962302", "company_962302"]
    assert spellings("demo-1") == ["demo-1"]


@pytest.mark.parametrize(
    ("expired", "status"),
    [(0, "healthy"), (99, "healthy"), (100, "warning"), (249, "warning"), (250, "critical"), (10**6, "critical")],
)
def test_thresholds_are_the_plans(expired, status):
    assert Thresholds().status(expired) == status


def test_thresholds_can_be_set():
    assert [Thresholds(warning=1, critical=2).status(expired) for expired in range(3)] == [
        "healthy",
        "warning",
        "critical",
    ]


@pytest.mark.parametrize(("warning", "critical"), [(0, 5), (5, 5), (6, 5), (-1, 5)])
def test_thresholds_are_in_order(warning, critical):
    with pytest.raises(UsageError, match="0 < warning < critical"):
        Thresholds(warning=warning, critical=critical)


def test_page_tells_when_each_type_expires():
    _, _, below = PAGE.read_text(encoding="utf-8").partition("## What expires")
    told = {}
    for types, after in re.findall(r"^\| (`.*?) \| (.*?) \|", below, re.MULTILINE):
        found = re.fullmatch(r"(\d+) days", after)
        told |= dict.fromkeys(re.findall("`(.*?)`", types), int(found[1]) if found else None)

    assert told == {name: kind.ttl.days if kind.ttl else None for name, kind in KINDS.items()}
