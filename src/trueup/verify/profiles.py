"""Which checks a run makes: those of a profile, narrowed or widened on the command line."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from trueup.errors import UsageError
from trueup.parity.data import Bounds
from trueup.settings import Profile, Settings
from trueup.verify.check import Check
from trueup.verify.checks import all_checks, chosen_checks

BUILT_IN: Mapping[str, Profile] = MappingProxyType(
    {
        "nightly": Profile(skip=("probe",)),
        "ci": Profile(skip=("data", "distributions", "residue", "budget", "tracking", "backup", "probe")),
        "cutover": Profile(),
    }
)
"""What these names stand for where the configuration doesn't say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Is the checks of a run."""

    checks: tuple[Check, ...]
    required: frozenset[str]
    """Those that somebody named: they are inconclusive where they have nothing to look at."""
    bounds: Bounds
    """What comparing rows may cost."""


def choose(
    settings: Settings, *, profile: str = "", named: tuple[str, ...] = (), skipped: tuple[str, ...] = ()
) -> Choice:
    """Return the checks that are wanted: those named, or else those of the profile, without those skipped.

    Raises:
        UsageError: there is no profile or no check of a name, or none is left; the profile is gentle and has jobs; or
            what the configuration names for one of the checks isn't there.
    """
    found = profile_of(settings, profile) if profile else Profile()
    wanted = named or found.checks
    checks = chosen_checks(
        all_checks(settings), chosen=wanted, skipped=(*found.skip, *skipped), deadlines_s=found.deadlines
    )
    for check in checks:
        check.reads(settings)
    bounds = Bounds(jobs=found.jobs, is_gentle=found.gentle, max_rows=found.max_rows)
    return Choice(checks=checks, required=frozenset(wanted), bounds=bounds)


def profile_of(settings: Settings, name: str) -> Profile:
    """Return the profile of a name: the configuration's, or else the built-in one.

    Raises:
        UsageError: there is none.
    """
    known = {**BUILT_IN, **settings.profiles}
    if name not in known:
        raise UsageError(
            f"no profile is named {name}; there are {', '.join(sorted(known))}; declare one under"
            f" [tool.trueup.profiles.{name}]"
        )
    return known[name]
