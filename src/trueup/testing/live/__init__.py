"""Tests on a live database: what they may read and write there, and how their rows go again."""
