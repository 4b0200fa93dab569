"""Whether this runs in a workflow of GitHub, read from the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self


@dataclass(frozen=True, slots=True, kw_only=True)
class GitHubSettings:
    """Is whether this runs in a workflow of GitHub, and where its summary is written."""

    is_enabled: bool = False
    summary_file: Path | None = None

    @classmethod
    def from_env(cls, variables: Mapping[str, str] = os.environ) -> Self:
        """Read GITHUB_ACTIONS and GITHUB_STEP_SUMMARY.

        Source: GitHub documentation, "Workflow commands" and "Default environment variables".
        """
        summary = variables.get("GITHUB_STEP_SUMMARY")
        is_enabled = variables.get("GITHUB_ACTIONS") == "true"
        return cls(is_enabled=is_enabled, summary_file=Path(summary) if summary and is_enabled else None)
