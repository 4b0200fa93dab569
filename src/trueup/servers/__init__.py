"""PostgreSQL servers, and connections from the names of databases."""

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
