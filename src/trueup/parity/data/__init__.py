"""Whether two databases hold the same rows, and which rows and columns differ."""

from trueup.parity.data.comparison import Progress, compare
from trueup.parity.data.lockstep import Side
from trueup.parity.data.model import ChangedRow, Key, TableComparison, as_json, verdict_of
from trueup.parity.data.pairing import uncompared
from trueup.parity.data.sequences import SequenceBehind, SequenceCheck, sequences_behind

__all__ = [
    "ChangedRow",
    "Key",
    "Progress",
    "SequenceBehind",
    "SequenceCheck",
    "Side",
    "TableComparison",
    "as_json",
    "compare",
    "sequences_behind",
    "uncompared",
    "verdict_of",
]
