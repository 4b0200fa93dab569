import pytest

from trueup.errors import UsageError
from trueup.settings import ObserveSettings, Settings

DSN = "https://s3cr3t@errors.example.org/7"


def test_nothing_is_reported_by_default(tmp_path):
    settings = Settings.load(tmp_path, {}).observe

    assert settings.dsn is None
    assert settings.traces_share == 0.1


def test_environment_names_all_of_it(tmp_path):
    settings = Settings.load(
        tmp_path,
        {
            "SENTRY_DSN": DSN,
            "SENTRY_ENVIRONMENT": "production",
            "SENTRY_RELEASE": "abc",
            "SENTRY_TRACES_SAMPLE_RATE": "0.5",
            "TRUEUP_STATE_DIR": str(tmp_path),
        },
    ).observe

    assert settings.dsn
    assert settings.dsn.reveal() == DSN
    assert (settings.environment, settings.release, settings.traces_share) == ("production", "abc", 0.5)
    assert settings.spool_folder == tmp_path / "events"


def test_key_is_in_no_repr():
    assert "s3cr3t" not in repr(ObserveSettings.from_env({"SENTRY_DSN": DSN}))


def test_kill_switch_is_read():
    assert not ObserveSettings.from_env({"SENTRY_DSN": DSN, "SENTRY_ENABLED": "false"}).is_enabled


@pytest.mark.parametrize("share", ["0", "0.0", "1", "0.25"])
def test_share_of_traces_may_be_none_and_all(share):
    assert ObserveSettings.from_env({"SENTRY_TRACES_SAMPLE_RATE": share}).traces_share == float(share)


@pytest.mark.parametrize(
    "text",
    ["s3cr3t", "https://errors.example.org/7", "https://s3cr3t@errors.example.org/", "https://s3cr3t@h/x",
     "ftp://s3cr3t@h/7", "https://s3cr3t@h:99999999/7", "https://s3cr3t@[h/7"],
)  # fmt: skip
def test_what_is_no_dsn_is_refused_and_not_repeated(text):
    with pytest.raises(UsageError) as caught:
        ObserveSettings.from_env({"SENTRY_DSN": text})

    assert "s3cr3t" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("variable", "text"),
    [("SENTRY_ENABLED", "perhaps"), ("SENTRY_TRACES_SAMPLE_RATE", "2"), ("SENTRY_TRACES_SAMPLE_RATE", "x")],
)
def test_value_that_cannot_be_read_names_its_variable(variable, text):
    with pytest.raises(UsageError, match=variable):
        ObserveSettings.from_env({variable: text})
