import sys

import pytest

from trueup.errors import UsageError
from trueup.settings import Settings


def test_nearest_configuration_above_the_folder_is_read(tmp_path):
    (tmp_path / "pyproject.toml").write_text('[tool.trueup]\nschema = "db/migrations"\n')
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    (below.parent / "pyproject.toml").write_text('[project]\nname = "other"\n')

    settings = Settings.load(below, {})

    assert settings.schema == tmp_path / "db/migrations"


def test_own_file_is_preferred_to_pyproject(tmp_path):
    (tmp_path / "trueup.toml").write_text('schema = "own"\n')
    (tmp_path / "pyproject.toml").write_text('[tool.trueup]\nschema = "shared"\n')

    assert Settings.load(tmp_path, {}).schema == tmp_path / "own"


def test_without_configuration_no_schema_is_declared(tmp_path):
    assert Settings.load(tmp_path, {}).schema is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("shema = 'x'", "unknown field `shema`; known keys: schema, contracts"),
        ("schema = 3", "got `int` - at `$.schema`"),
        ("schema = [", "not readable as TOML"),
        ("live = {production = 'host=db password=x'}", "`str` matching regex"),
        ("services = [{connections = 3}]", "required field `name` - at `$.services[0]`"),
        ("services = [{name = 'api', connections = -1}]", "`int` >= 0 - at `$.services[0].connections`"),
    ],
)
def test_bad_configuration_names_the_file_and_the_key(tmp_path, text, said):
    (tmp_path / "trueup.toml").write_text(text)

    with pytest.raises(UsageError) as caught:
        Settings.load(tmp_path, {})

    assert said in str(caught.value)
    assert "trueup.toml" in str(caught.value)


def test_pyproject_whose_tool_is_no_table_has_no_configuration(tmp_path):
    (tmp_path / "pyproject.toml").write_text("tool = 3")

    assert Settings.load(tmp_path, {}).schema is None


def test_configuration_of_a_wrong_type_is_an_error_of_usage(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool]\ntrueup = 3")

    with pytest.raises(UsageError, match="Expected `object`, got `int`"):
        Settings.load(tmp_path, {})


@pytest.mark.skipif(sys.platform != "linux", reason="only there is a file that nobody can read")
def test_configuration_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "trueup.toml").symlink_to("/proc/self/mem")

    with pytest.raises(UsageError, match=r"trueup\.toml: cannot be read: Input/output error"):
        Settings.load(tmp_path, {})


def test_cache_folder_is_a_variable(tmp_path):
    assert Settings.load(tmp_path, {"TRUEUP_CACHE_DIR": str(tmp_path / "c")}).cache_folder == tmp_path / "c"


def test_database_url_of_the_environment_is_not_a_setting(tmp_path):
    """W-T1: a stray DATABASE_URL must not choose the database."""
    settings = Settings.load(tmp_path, {"DATABASE_URL": "postgresql://prod.test/live"})

    assert "prod.test" not in repr(settings)


def test_services_and_contracts_are_declared(tmp_path):
    (tmp_path / "trueup.toml").write_text(
        'contracts = ["shop.tables:TABLES"]\n[[services]]\nname = "api"\n[[services]]\nname = "worker"\nprocesses = 2\n'
    )

    settings = Settings.load(tmp_path, {})

    assert settings.contracts == ("shop.tables:TABLES",)
    assert [(one.name, one.most) for one in settings.services] == [("api", 3), ("worker", 6)]


def test_live_databases_are_named_by_reference_only(tmp_path):
    """No connection string, hence no password, stands in a file of the project."""
    (tmp_path / "trueup.toml").write_text('[live]\nproduction = "env:PRODUCTION"\nmirror = "service=mirror"\n')

    settings = Settings.load(tmp_path, {})

    assert settings.live == {"production": "env:PRODUCTION", "mirror": "service=mirror"}
