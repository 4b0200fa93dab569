"""Test data of the salon: factories for every table, numbers and addresses that nobody can have, their clean-up."""

from ai_admin.testing.identities import test_phone

__all__ = ["test_phone"]
