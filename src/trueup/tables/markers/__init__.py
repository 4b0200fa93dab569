"""Test data on a live database: how much there is, and its clean-up."""

from trueup.tables.markers.cleaning import MOST_ROWS, Cleaned, clean
from trueup.tables.markers.counting import TableStats, stats
from trueup.tables.markers.journal import create_journal, has_journal, next_number, record

__all__ = [
    "MOST_ROWS",
    "Cleaned",
    "TableStats",
    "clean",
    "create_journal",
    "has_journal",
    "next_number",
    "record",
    "stats",
]
