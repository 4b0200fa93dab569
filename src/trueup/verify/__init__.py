"""The checks, their order, and the verdict of a run."""

from trueup.verify.checks import CHECKS
from trueup.verify.run import verify
from trueup.verify.timeline import Timeline

__all__ = ["CHECKS", "Timeline", "verify"]
