"""The only reader of the environment and of the configuration file.

Order: a flag of the command > a TRUEUP_* variable > the configuration file > the default. libpq reads its own PG*
variables when a connection string leaves something out. DATABASE_URL is read only by its name: `env:DATABASE_URL`.
"""

from typing import TYPE_CHECKING

from trueup.lazy import lazy_names

if TYPE_CHECKING:
    from trueup.settings.configuration import Alerts, Conversion, Profile, Relation, Service
    from trueup.settings.database import LIMITS, DatabaseSettings
    from trueup.settings.github import GitHubSettings
    from trueup.settings.observe import ObserveSettings
    from trueup.settings.settings import Settings

__all__ = [
    "LIMITS",
    "Alerts",
    "Conversion",
    "DatabaseSettings",
    "GitHubSettings",
    "ObserveSettings",
    "Profile",
    "Relation",
    "Service",
    "Settings",
]

# A run of tests waits for what it needs, and for no more.
__getattr__ = lazy_names(
    __name__,
    {
        "LIMITS": "database",
        "Alerts": "configuration",
        "Conversion": "configuration",
        "DatabaseSettings": "database",
        "GitHubSettings": "github",
        "ObserveSettings": "observe",
        "Profile": "configuration",
        "Relation": "configuration",
        "Service": "configuration",
        "Settings": "settings",
    },
)
