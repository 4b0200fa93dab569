"""Rows for tests: factories, what they make, and how it is known as test data."""
