"""A baseline as text: that of one clone of a template is that of every other, but for when and where it was taken.

A clone is a copy of the template's files: the same rows with the same numbers of transactions, and the same objects.
"""

from dataclasses import dataclass, replace

import msgspec

from trueup.errors import Unverifiable
from trueup.testing.rewind.moments import Moment
from trueup.testing.rewind.state import State
from trueup.testing.rewind.structure import Structure

NEVER = "never"
"""Is no moment at which statistics were reset: what was counted for another clone is compared with nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """Is what is known of a database that nobody has worked in since it was cloned."""

    structure: Structure
    state: State
    is_counted: bool

    def encode(self) -> bytes:
        """Return it as JSON."""
        return msgspec.json.encode(self)

    @classmethod
    def decode(cls, text: bytes) -> "Stored":
        """Return what was encoded.

        Raises:
            Unverifiable: it is something else.
        """
        try:
            return msgspec.json.decode(text, type=cls)
        except msgspec.MsgspecError:
            raise Unverifiable("what was kept of a template's clones is no baseline of this version") from None

    def at(self, moment: Moment) -> "Stored":
        """Return it for another clone, as it was at a moment."""
        witness = self.state.witness
        state = replace(
            self.state,
            taken=moment.horizon,
            horizon=moment.horizon,
            surroundings=replace(self.state.surroundings, configuration=moment.configuration),
            sessions=frozenset(),
            witness=replace(witness, begun=NEVER) if witness is not None else None,
        )
        return replace(self, structure=replace(self.structure, database=moment.database), state=state)
