from io import BytesIO

import pytest

from trueup.conninfo import ConnInfo
from trueup.verify.sample.move import forward, password_variables

KNOWN = frozenset({b"lock_timeout"})


def forwarded(dump: bytes) -> tuple[bool, bytes]:
    restored = BytesIO()
    anything = forward(BytesIO(dump), restored, KNOWN)
    return anything, restored.getvalue()


def test_settings_that_the_receiver_lacks_are_left_out() -> None:
    dump = b"SET lock_timeout = 0;\nSET transaction_timeout = 0;\nCREATE SCHEMA a;\n"

    assert forwarded(dump) == (True, b"SET lock_timeout = 0;\nCREATE SCHEMA a;\n")


def test_rows_that_look_like_settings_are_passed_on() -> None:
    dump = b"CREATE TABLE a (b text);\nCOPY a (b) FROM stdin;\nSET transaction_timeout = 0;\n\\.\n"

    assert forwarded(dump) == (True, dump)


@pytest.mark.parametrize("dump", [b"", b"--\n-- PostgreSQL database dump\n--\n\nSET lock_timeout = 0;\n"])
def test_dump_that_creates_nothing_is_told_apart(dump: bytes) -> None:
    assert forwarded(dump) == (False, dump)


def test_only_the_password_is_in_the_environment() -> None:
    with_password = ConnInfo.parse("postgresql://ann:s3cret@127.0.0.1/a")
    without = ConnInfo.parse("postgresql://ann@127.0.0.1/a")

    assert password_variables(with_password) == {"PGPASSWORD": "s3cret"}
    assert password_variables(without) == {}
