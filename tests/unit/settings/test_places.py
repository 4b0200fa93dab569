"""What a configuration names in the project's code: whatever is wrong with it is an error of the configuration."""

import pytest

from trueup.errors import UsageError
from trueup.settings.places import load_place


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_place_is_what_it_names():
    assert load_place("os.path:sep") == "/"


@pytest.mark.parametrize(
    "place", ["", ":", "json", "json:", ":dumps", ".json:dumps", "json..tool:main", "json:a.b", "a b:c"]
)
def test_place_without_a_module_and_a_name_is_told_the_form(place):
    with pytest.raises(UsageError) as caught:
        load_place(place)

    assert str(caught.value) == f"{place!r} is not of the form package.module:name"


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("no.such.module:X", "no.such.module:X: No module named 'no'"),
        ("json.nothing:X", "json.nothing:X: No module named 'json.nothing'"),
        ("json:nothing", "json:nothing: module 'json' has no attribute 'nothing'"),
    ],
)
def test_missing_module_or_name_is_named(place, said):
    with pytest.raises(UsageError) as caught:
        load_place(place)

    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import nothing_of_that_name", "No module named 'nothing_of_that_name'"),
        ("def x(:", "invalid syntax"),
        ("x = 1\nraise RuntimeError('hush')", "failed with RuntimeError in {file}, line 2"),
        ("x = {}['hush']", "failed with KeyError in {file}, line 1"),
        ("import sys\nsys.exit(0)", "failed with SystemExit in {file}, line 2"),
    ],
    ids=["import", "syntax", "error", "key", "exit"],
)
def test_module_that_fails_is_an_error_of_the_configuration(project, request, code, said):
    """One that asks for exit code 0 must not end a command as if everything had passed."""
    name = f"failing_{request.node.callspec.id}"
    (project / f"{name}.py").write_text(code)

    with pytest.raises(UsageError) as caught:
        load_place(f"{name}:X")

    assert str(caught.value).startswith(f"{name}:X: ")
    assert said.format(file=project / f"{name}.py") in str(caught.value)
    assert "hush" not in str(caught.value)
