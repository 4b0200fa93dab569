"""Nobody can have what test data is known by."""

from concurrent.futures import ThreadPoolExecutor
from itertools import repeat

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_admin.phones import Phone
from ai_admin.testing import test_phone
from ai_admin.testing.identities import HALF, PHONE_PREFIX, company_id, next_number, phone

NUMBERS = st.integers(1, 10**12)


@given(NUMBERS)
def test_phone_of_a_row_is_a_number_that_nobody_has(number):
    """W-T4: the test phone was a real one, its owner's, and numbers made from it were too long."""
    found = phone(number)

    assert len(found) == 12
    assert Phone(found) == found
    assert not phonenumbers.is_valid_number(phonenumbers.parse(found))


@pytest.mark.parametrize(
    "written", ["+70000000022", "70000000022", "80000000022", "8 (000) 000-00-22", "+7 000 0000022"]
)
def test_mark_survives_the_normalised_form(written):
    """W-T5: the prefix began with 8, what was stored with 7, and no clean-up found it."""
    assert Phone(written) == phone(22)
    assert phone(22).startswith(PHONE_PREFIX)


@given(NUMBERS)
def test_company_of_a_row_is_no_salon(number):
    """W-T6: 999999 was the demo salon."""
    assert company_id(number) < -1_000_000_000


def test_two_calls_give_two_numbers_apart_from_those_of_rows():
    first, second = test_phone(), test_phone()

    assert first != second
    for number in (first, second):
        assert number.startswith(PHONE_PREFIX)
        assert int(number.removeprefix(PHONE_PREFIX)) >= HALF
        assert len(number) == 12


def test_no_number_is_given_twice_whoever_asks(tmp_path):
    """W-T8: random ids collided, and fixed ones did when suites ran side by side.

    Each call opens the file anew, so threads meet there as processes do.
    """
    file = tmp_path / "numbers"
    with ThreadPoolExecutor(8) as workers:
        numbers = list(workers.map(next_number, repeat(file, 1000)))

    assert sorted(numbers) == list(range(1, 1001))


def test_later_run_goes_on_where_the_last_one_ended(tmp_path):
    (tmp_path / "numbers").write_bytes(b"." * 7)

    assert next_number(tmp_path / "numbers") == 8
