"""The SQL that makes rows of one database like those of another, and the way back; nothing here runs it."""

from trueup.parity.data.repair.model import Change, Refusal, Repair
from trueup.parity.data.repair.reading import repair
from trueup.parity.data.repair.script import back, there

__all__ = ["Change", "Refusal", "Repair", "back", "repair", "there"]
