"""Real PostgreSQL in every test: the pytest plugin, and what it is made of."""
