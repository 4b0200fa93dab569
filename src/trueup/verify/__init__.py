"""The checks, their order, and the verdict of a run."""

from trueup.verify.check import Check
from trueup.verify.checks import CHECKS, LAST_CHECKS
from trueup.verify.profiles import Choice, choose
from trueup.verify.run import verify
from trueup.verify.timeline import Timeline

__all__ = ["CHECKS", "LAST_CHECKS", "Check", "Choice", "Timeline", "choose", "verify"]
