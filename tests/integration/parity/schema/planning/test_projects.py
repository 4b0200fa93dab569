"""Two states of structures as real projects have them: each becomes the other, by what psql runs."""

from pathlib import Path

import pytest
from tests.integration.parity.schema.planning.tried import databases, tried

PROJECTS = Path(__file__).parents[5] / "fixtures/projects"
NAMES = sorted(folder.name for folder in PROJECTS.iterdir() if folder.is_dir())
WAYS = {"there": ("older", "newer"), "back": ("newer", "older")}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", NAMES)
def test_plan_between_the_states_of_a_project_is_proved_and_does_what_was_proved(server, name, way):
    scripts = [(PROJECTS / name / f"{state}.sql").read_text(encoding="utf-8") for state in WAYS[way]]

    with databases(server) as build:
        target, source = map(build, scripts)
        outcome = tried(server, target=target, source=source, for_good=True)

    assert (outcome.failures, outcome.remarks) == ((), ())
