"""Use cases that touch several tables: each is one transaction, done as a whole or not at all."""
