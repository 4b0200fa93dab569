"""Proof that a PostgreSQL data layer does what it says, and that two databases are the same."""
