"""What holds for all tables of a comparison. Does no I/O."""

from dataclasses import dataclass

from trueup.parity.data.pairing.pairs import Hashing
from trueup.parity.data.pairing.window import ALL_OF_IT, Window
from trueup.settings import Conversion


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Is what holds for all tables of a comparison."""

    to_utf8: bool = False
    hashing: Hashing = "native"
    as_text: frozenset[str] = frozenset()
    """Types whose other forms the two servers don't write alike."""
    conversions: tuple[Conversion, ...] = ()
    window: Window = ALL_OF_IT


PLAIN = Rules()
