"""The statements that make one structure like another and back, and the proof that they do."""

from trueup.parity.schema.planning.dependencies import dependencies
from trueup.parity.schema.planning.plan import Plan, planned, steps
from trueup.parity.schema.planning.proof import Proof, prove, scratch_version
from trueup.parity.schema.planning.running import SETTINGS
from trueup.parity.schema.planning.sides import Structure
from trueup.parity.schema.planning.stating import Statement, stated, transactions

__all__ = [
    "SETTINGS",
    "Plan",
    "Proof",
    "Statement",
    "Structure",
    "dependencies",
    "planned",
    "prove",
    "scratch_version",
    "stated",
    "steps",
    "transactions",
]
