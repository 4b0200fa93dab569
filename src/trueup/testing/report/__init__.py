"""The report of a session: what ran, what it cost, and what it left."""
