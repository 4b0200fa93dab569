"""Whether two databases hold the same rows, and which rows and columns differ."""

from trueup.parity.data.beyond.sequences import SequenceBehind, SequenceCheck, sequences_behind
from trueup.parity.data.comparison import compare, compare_table
from trueup.parity.data.hashing.references import agreed_rules
from trueup.parity.data.limits.bounds import USUAL, Bounds
from trueup.parity.data.model import ChangedRow, Key, TableComparison, as_json, verdict_of
from trueup.parity.data.moving.recheck import Recheck, Rechecking, read_again
from trueup.parity.data.pairing.pairs import TablePair, Unpaired
from trueup.parity.data.pairing.rules import Rules
from trueup.parity.data.pairing.span import Span
from trueup.parity.data.pairing.tables import pair_tables, uncompared
from trueup.parity.data.pairing.window import ALL_OF_IT, Condition, Sample, Since, Window
from trueup.parity.data.reading.segments import Segment, segments
from trueup.parity.data.reading.sighting import Outcome
from trueup.parity.data.reading.union import merged
from trueup.parity.data.reading.verdicts import compare_segment
from trueup.parity.data.running.cluster import Cluster, open_cluster
from trueup.parity.data.running.course import Progress
from trueup.parity.data.running.ledger import Ledger
from trueup.parity.data.running.state import Resumption, State, open_state
from trueup.parity.data.sides.lockstep import Lockstep, Side, lockstep

__all__ = [
    "ALL_OF_IT",
    "USUAL",
    "Bounds",
    "ChangedRow",
    "Cluster",
    "Condition",
    "Key",
    "Ledger",
    "Lockstep",
    "Outcome",
    "Progress",
    "Recheck",
    "Rechecking",
    "Resumption",
    "Rules",
    "Sample",
    "Segment",
    "SequenceBehind",
    "SequenceCheck",
    "Side",
    "Since",
    "Span",
    "State",
    "TableComparison",
    "TablePair",
    "Unpaired",
    "Window",
    "agreed_rules",
    "as_json",
    "compare",
    "compare_segment",
    "compare_table",
    "lockstep",
    "merged",
    "open_cluster",
    "open_state",
    "pair_tables",
    "read_again",
    "segments",
    "sequences_behind",
    "uncompared",
    "verdict_of",
]
