"""A database that a test has committed into goes back to a known state, or is known not to be there."""

from trueup.testing.rewind.baseline import Baseline
from trueup.testing.rewind.fingerprint import Fingerprint, fingerprint
from trueup.testing.rewind.outcome import NotRewound, Rewound

__all__ = ["Baseline", "Fingerprint", "NotRewound", "Rewound", "fingerprint"]
