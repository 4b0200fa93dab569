"""An address that nobody can use: libpq says so, so it is asked; no server is."""

from pathlib import Path

import pytest

from trueup.conninfo import ConnInfo
from trueup.db.connection import connect
from trueup.errors import AddressUnusable, UsageError


@pytest.mark.usefixtures("may_connect")
@pytest.mark.parametrize(
    ("text", "reason", "advice"),
    [
        ("service=nope", 'definition of service "nope" not found', "check the name of the service"),
        ("service=here", 'syntax error in service file "f", line 3', "check the name of the service"),
        ("host=127.0.0.1 port=99999999", 'invalid port number: "99999999"', "correct the connection string"),
        ("host=127.0.0.1 port=abc", 'invalid integer value "abc" for', "correct the connection string"),
        ("host=127.0.0.1 sslmode=sure", 'invalid sslmode value: "sure"', "correct the connection string"),
        ("host=127.0.0.1 require_auth=x", 'invalid require_auth value: "x"', "correct the connection string"),
        ("host=a port=1,2", "could not match 2 port numbers to 1 hosts", "correct the connection string"),
    ],
)
def test_address_that_nobody_can_use_is_an_error_of_usage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, reason: str, advice: str
) -> None:
    services = tmp_path / "services"
    services.write_text("# nothing\n[here]\nnothing\n" if "here" in text else "")
    monkeypatch.setenv("PGSERVICEFILE", str(services))

    with pytest.raises(AddressUnusable) as caught:
        connect(ConnInfo.parse(text))

    assert reason.replace('"f"', f'"{services}"') in str(caught.value)
    assert str(caught.value).partition("; ")[2].startswith(advice)
    assert isinstance(caught.value, UsageError)
    assert caught.value.is_final
