import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict

from trueup.conninfo import ConnInfo, Secret
from trueup.errors import UsageError

PASSWORD = "hunter-Ж%2"

MALFORMED = {
    "port that is a word": "postgresql://ann:{}@localhost:port/db",
    "password with a bare at and slash": "postgresql://ann:{}/@@localhost/db",
    "password with a bare percent": "postgresql://ann:%zz{}@localhost/db",
    "password before a broken IPv6 host": "postgresql://ann:{}@[::1/db",
    "no equals sign": "host=localhost password {}",
    "only the password": "{} x",
    "unterminated quote": "host=localhost password='{}",
    "unknown parameter": "postgresql://ann:{}@localhost/db?colour=red",
    "unknown keyword": "passwort={} host=localhost",
    "unknown scheme": "mysql://ann:{}@localhost/db",
    "NUL byte in an escape": "postgresql://ann:{}%00@localhost/db",
    "trailing backslash": "password={} host=localhost x\\",
}


@pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED)
def test_malformed_connection_string_is_answered_without_its_text(text):
    with pytest.raises(UsageError) as caught:
        ConnInfo.parse(text.format(PASSWORD))

    assert PASSWORD not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://ann:pw@db.test:5433/salon", "postgresql://ann@db.test:5433/salon"),
        ("host=db.test dbname=salon password=pw", "postgresql://db.test/salon"),
        ("service=nightly", "service=nightly"),
        ("host=/run/pg dbname=salon port=5433", "postgresql:///salon at socket /run/pg, port 5433"),
        ("postgresql://ann@db.test/salon?sslpassword=pw", "postgresql://ann@db.test/salon"),
    ],
)
def test_people_see_the_address_without_secrets(text, shown):
    assert str(ConnInfo.parse(text)) == shown
    assert repr(ConnInfo.parse(text)) == f"ConnInfo({shown!r})"


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])).map("§{}§".format))
def test_any_password_reaches_the_driver_and_no_text(password):
    conninfo = ConnInfo({"host": "db.test", "dbname": "salon"}, {"password": Secret(password)})

    assert conninfo_to_dict(conninfo.reveal())["password"] == password
    assert password not in f"{conninfo} {conninfo!r}"
    assert conninfo.hide_secrets(f"before {password} after") == "before … after"


def test_a_secret_is_shown_by_nothing_but_reveal():
    secret = Secret(PASSWORD)

    assert PASSWORD not in f"{secret} {secret!r} {[secret]}"
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    assert secret.reveal() == PASSWORD
    assert secret == Secret(PASSWORD)
    assert hash(secret) == hash(Secret(PASSWORD))
    assert secret != PASSWORD


def test_percent_encoded_form_of_a_secret_is_hidden_too():
    assert (
        Secret("p@ss word").hide_in("postgresql://ann:p%40ss%20word@h/db and p@ss word")
        == "postgresql://ann:…@h/db and …"
    )


def test_an_empty_secret_hides_nothing():
    assert Secret("").hide_in("text") == "text"
