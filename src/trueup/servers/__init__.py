"""PostgreSQL servers, and connections from the names of databases."""

from typing import TYPE_CHECKING

from trueup.lazy import lazy_names

if TYPE_CHECKING:
    from trueup.servers.diagnosis import Diagnosis, diagnose
    from trueup.servers.embedded import EmbeddedServer
    from trueup.servers.folders import Placement
    from trueup.servers.source import open_source
    from trueup.servers.wheel import Installation, installation, installations

__all__ = [
    "Diagnosis",
    "EmbeddedServer",
    "Installation",
    "Placement",
    "diagnose",
    "installation",
    "installations",
    "open_source",
]

# A server is started before the driver is imported, which others here need.
__getattr__ = lazy_names(
    __name__,
    {
        "Diagnosis": "diagnosis",
        "EmbeddedServer": "embedded",
        "Installation": "wheel",
        "Placement": "folders",
        "diagnose": "diagnosis",
        "installation": "wheel",
        "installations": "wheel",
        "open_source": "source",
    },
)
