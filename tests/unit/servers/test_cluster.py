import pytest

from trueup.errors import UsageError
from trueup.servers.cluster import render, settings_of


@pytest.mark.parametrize(
    ("value", "line"),
    [("off", "name = 'off'\n"), ("it's", "name = 'it''s'\n"), ("a\\b", "name = 'a\\\\b'\n"), ("", "name = ''\n")],
)
def test_every_value_is_quoted(value: str, line: str) -> None:
    assert render({"name": value}) == line


@pytest.mark.parametrize("settings", [{"fsync = on\nport": "1"}, {"name": "1\nport = 2"}, {"": "1"}, {"a b": "1"}])
def test_setting_cannot_smuggle_another(settings: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="not a setting"):
        render(settings)


def test_only_versions_that_know_a_setting_get_it() -> None:
    assert "io_method" in settings_of(18)
    assert "io_method" not in settings_of(16)
