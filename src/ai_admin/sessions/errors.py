"""What the session store refuses.

DatabaseError
└── StaleWrite       a row has changed since the writer read it

UsageError
└── MixedIds         a company's session is stored under another form of its id
"""

from trueup.errors import DatabaseError, Outcome, UsageError


class StaleWrite(DatabaseError):
    """Says that a row was changed by somebody else since the writer read it; nothing of the call is stored.

    Read again and decide anew. Two programs that work on one session at once are the usual cause.
    """

    default_outcome = Outcome.ROLLED_BACK


class MixedIds(UsageError):
    """Says that a company's session is stored under another form of its id, so that it would not be found."""
