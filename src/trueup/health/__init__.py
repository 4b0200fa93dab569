"""How a service says that it is well: checks that run beside the requests, and the pages that show them."""

from trueup.health.app import application
from trueup.health.checks import check_database, check_runs, check_tracking, domain_check
from trueup.health.model import Answer, Status
from trueup.health.server import serve
from trueup.health.watch import Watch

__all__ = [
    "Answer",
    "Status",
    "Watch",
    "application",
    "check_database",
    "check_runs",
    "check_tracking",
    "domain_check",
    "serve",
]
