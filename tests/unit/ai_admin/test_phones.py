"""One person, one number, however it is written."""

import pickle

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_admin.clients import Client
from ai_admin.errors import InvalidPhone
from ai_admin.phones import PLAIN, Phone, with_phone, with_phones

PHONE = "+70001230022"


@pytest.mark.parametrize(
    "text",
    [
        "+70001230022",
        "80001230022",
        "70001230022",
        "0001230022",
        "+7 000 123 00 22",
        "8 (000) 123-00-22",
        "8-000-123-00-22",
        "+7 (000) 123\u201300\u201322",
        "\u00a0+7\u00a0000\u00a0123\u00a000\u00a022 ",
        "8.000.123.00.22",
        "+7 000 123-00-22 ext. 5",
        "+7 000 123-00-22 доб. 5",
        "tel:+7-000-123-00-22",
    ],
)
def test_every_form_of_a_number_is_the_same(text: str):
    """W-T5: tests wrote 8…, the application 7…, and neither found the other's."""
    assert Phone(text) == PHONE


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("+7 495 509-24-46", "+74955092446"),
        ("+84 9 243 31 231", "+84924331231"),
        ("+1 202 555 0143", "+12025550143"),
        ("810 1 202 555 0143", "+12025550143"),
        ("8 10 290 22222", "+29022222"),
        ("8 800 555 01 43", "+78005550143"),
        ("8 701 123 45 67", "+77011234567"),
    ],
)
def test_numbers_of_other_places_keep_their_country(text: str, number: str):
    assert Phone(text) == number


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "+",
        "abc",
        "+123",
        "112",
        "+721828834101",
        "91111111111",
        "7" * 300,
        "+7 000 123 00 2x",
        "²²²²²²²²²²",
        "\0",
    ],
)
def test_what_is_no_number_is_an_error_without_it(text: str):
    with pytest.raises(InvalidPhone) as caught:
        Phone(text)

    assert not text.strip("\0 ") or text not in str(caught.value)


@pytest.mark.parametrize("value", [None, 70001230022, 7.0, b"+70001230022"])
def test_what_is_no_text_is_an_error(value: object):
    with pytest.raises(InvalidPhone):
        Phone(value)  # type: ignore[arg-type]


@given(st.from_regex(r"(\+7|8(?!10))[0-9]{10}", fullmatch=True, alphabet=st.characters(codec="ascii")))
def test_short_way_agrees_with_the_library(text: str):
    number = phonenumbers.parse(text, "RU")

    assert PLAIN.fullmatch(text)
    assert Phone(text) == phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


@given(st.text())
def test_number_of_any_text_is_its_own_number(text: str):
    phone = Phone.parse(text)

    assert phone is None or (Phone(str(phone)) == phone and phone.startswith("+") and phone[1:].isdecimal())


def test_number_is_a_text_that_is_read_once():
    phone = Phone("8 000 123 00 22")

    assert Phone(phone) is phone
    assert {PHONE: 1}[phone] == 1
    assert pickle.loads(pickle.dumps(phone)) == phone


def test_nothing_is_no_number():
    assert [Phone.parse(text) for text in (None, "", "abc")] == [None, None, None]


def client(**given: object) -> Client:
    return Client(**({"yclients_id": 1, "name": "x"} | given))  # type: ignore[arg-type]


def test_row_gets_its_number_in_one_form():
    assert with_phone(client(phone="8 000 123 00 22"), "phone") == client(phone=PHONE)
    assert [with_phone(each, "phone") for each in (client(), client(phone=None))] == [client(), client(phone=None)]
    assert type(with_phone(client(phone=Phone(PHONE)), "phone").phone) is str
    with pytest.raises(InvalidPhone):
        with_phone(client(phone="x"), "phone")


def test_rows_without_a_number_stay_for_the_database_to_judge():
    rows = [client(phone="8 000 123 00 22"), client(phone="x"), client(phone=None), client(), client(phone=PHONE)]

    found = with_phones(rows, "phone")

    assert found == [client(phone=PHONE), *rows[1:]]
    assert found[4] is rows[4]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (70001230022, "a phone number is a str, not int"),
        ("none", "a text of 4 characters is no phone number"),
        ("+7123", "a phone number is too short or too long for its country"),
    ],
)
def test_refusal_says_why_without_the_text(text, told):
    with pytest.raises(InvalidPhone) as refused:
        Phone(text)

    assert str(refused.value) == told
