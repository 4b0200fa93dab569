"""PostgreSQL servers, and connections from the names of databases."""

from trueup.servers.embedded import EmbeddedServer
from trueup.servers.installation import Installation, installation, installations

__all__ = ["EmbeddedServer", "Installation", "installation", "installations"]
