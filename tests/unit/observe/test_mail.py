import gzip
import json
import ssl

import pytest
from sentry_sdk.utils import Dsn

from trueup.observe.mail import Answer, envelope, open_manager, parse_limits, pauses
from trueup.observe.outbox import Parcel


@pytest.mark.parametrize(
    ("status", "fate"),
    [
        (200, "delivered"),
        (202, "delivered"),
        (302, "status_302"),
        (400, "status_400"),
        (403, "status_403"),
        (413, "status_413"),
        (429, None),
        (500, None),
        (503, None),
        (None, None),
    ],
)
def test_answer_decides_the_fate(status, fate):
    assert Answer(status=status).fate == fate


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("60:error;transaction:organization", {"error": 60.0, "transaction": 60.0}),
        ("60::organization", {"": 60.0}),
        ("10:error:key, 2700:error;span:organization:quota", {"error": 2700.0, "span": 2700.0}),
        ("86400:transaction;span:organization", {"transaction": 86400.0, "span": 86400.0}),
        ("soon:error", {"error": 60.0}),
        ("99999999999:error:key", {"error": 86400.0}),
    ],
)
def test_limits_of_the_server_are_read(text, found):
    assert parse_limits(text) == found


def test_busy_server_is_left_alone_for_as_long_as_it_says():
    assert pauses(429, {"Retry-After": "7"}) == {"": 7.0}
    assert pauses(429, {}) == {"": 60.0}
    assert pauses(200, {}) == {}


def test_envelope_is_three_lines():
    line = b'{"event_id":"a"}'

    header, item, payload, end = gzip.decompress(envelope(Parcel("a", "transaction", line))).split(b"\n")

    assert json.loads(header).keys() == {"event_id", "sent_at"}
    assert json.loads(item) == {"type": "transaction", "content_type": "application/json", "length": len(line)}
    assert (payload, end) == (line, b"")


@pytest.mark.parametrize(
    ("dsn", "proxies", "is_checked"),
    [
        ("https://key@errors.example.org/7", {"no_proxy": "*"}, True),
        ("https://key@errors.example.org/7", {"https_proxy": "http://127.0.0.1:1"}, True),
        ("http://key@errors.example.org/7", {"http_proxy": "https://127.0.0.1:1"}, True),
        ("http://key@errors.example.org/7", {"no_proxy": "*"}, False),
    ],
    ids=["the server's", "the server's behind a proxy", "the proxy's", "none is shown"],
)
def test_certificates_are_checked_where_any_is_shown(monkeypatch, dsn, proxies, is_checked):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in proxies.items():
        monkeypatch.setenv(name, value)

    trust = open_manager(Dsn(dsn)).connection_pool_kw.get("ssl_context")

    assert (trust is not None) == is_checked
    assert trust is None or (trust.verify_mode, trust.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert trust is None or len(trust.get_ca_certs()) > 50
