"""PostgreSQL servers, and connections from the names of databases."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

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

PLACES = {
    "Diagnosis": "diagnosis",
    "EmbeddedServer": "embedded",
    "Installation": "wheel",
    "Placement": "folders",
    "diagnose": "diagnosis",
    "installation": "wheel",
    "installations": "wheel",
    "open_source": "source",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for: a server is started before the driver is imported, which others here need."""
    if name not in PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{PLACES[name]}"), name)
