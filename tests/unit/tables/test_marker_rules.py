from dataclasses import dataclass
from typing import Annotated, Any

import pytest

from trueup.tables import UNSET, Begins, ContractError, Ends, Equals, Follows, Sql, Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    id: int
    phone: Annotated[str, Sql("varchar(10)")]
    email: str | None = None
    is_test: bool = False
    prefs: Annotated[Any, Sql("jsonb")] = UNSET
    code: str = UNSET


def clients(marker):
    return Table("public.clients", Client, primary_key=("id",), generated=("code",), marker=marker)


@pytest.mark.parametrize(
    "marker",
    [
        Begins("phone", "+7000"),
        Ends("email", "@test.invalid"),
        Equals("is_test", True),
        Equals("phone", "0123456789"),
        Equals("id", 7),
        Follows("public.companies", {"id": "id"}),
    ],
)
def test_marker_that_a_factory_can_write_is_accepted(marker):
    assert clients(marker).marker is marker


@pytest.mark.parametrize(
    ("marker", "said"),
    [
        (Begins("fone", "+7000"), "names 'fone', which is no field"),
        (Begins("phone", ""), "is empty"),
        (Equals("email", None), "is empty"),
        (Equals("is_test", UNSET), "is empty"),
        (Begins("phone", "0123456789"), "no room"),
        (Equals("phone", "01234567890"), "no room"),
        (Begins("id", "7"), "can't hold"),
        (Equals("prefs", {}), "can't hold"),
        (Equals("id", "7"), "takes int"),
        (Begins("phone", 7), "takes str"),
        (Begins("phone", "a\0"), "can't store"),
        (Begins("code", "test"), "the server makes it"),
        (Follows("companies", {"id": "id"}), "names another table with its schema"),
        (Follows("public.clients", {"id": "id"}), "names another table"),
        (Follows("public.companies", {}), "at least one column"),
        (Follows("public.companies", {"company_id": "id"}), "names 'company_id'"),
    ],
)
def test_marker_that_is_not_in_the_contract_is_an_error(marker, said):
    """W-T6: a marker stands in the contract, where it is checked, and not in a list of clean-up statements."""
    with pytest.raises(ContractError, match=said):
        clients(marker)


@pytest.mark.parametrize(
    ("marker", "matches"),
    [
        (Begins("phone", "+7"), True),
        (Begins("phone", "7"), False),
        (Ends("phone", "1"), True),
        (Ends("email", "1"), False),
        (Equals("is_test", False), True),
        (Equals("is_test", True), False),
        (Follows("public.companies", {"id": "id"}), True),
        (Follows("public.companies", {"email": "id"}), False),
    ],
)
def test_rule_tells_whether_a_row_carries_the_mark(marker, matches):
    assert marker.matches(Client(id=1, phone="+71")) is matches
