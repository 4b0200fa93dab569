"""A database that a test has committed into goes back to a known state, or is known not to be there."""

from typing import TYPE_CHECKING

from trueup.lazy import lazy_names

if TYPE_CHECKING:
    from trueup.testing.rewind.baseline import Baseline
    from trueup.testing.rewind.fingerprints import Fingerprint, fingerprint
    from trueup.testing.rewind.outcome import NotRewound, Rewound
    from trueup.testing.rewind.witness import FLUSH

__all__ = ["FLUSH", "Baseline", "Fingerprint", "NotRewound", "Rewound", "fingerprint"]

# The first test begins before anything is put back.
__getattr__ = lazy_names(
    __name__,
    {
        "FLUSH": "witness",
        "Baseline": "baseline",
        "Fingerprint": "fingerprints",
        "NotRewound": "outcome",
        "Rewound": "outcome",
        "fingerprint": "fingerprints",
    },
)
